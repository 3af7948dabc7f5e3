"""Two players over gRPC with Google's own client, on stubs made from our proto files.

`python grpc.py <folder of the stubs>`; the server's address is in ANTEROOM_GRPC.
"""

import base64
import os
import sys

# This file's folder comes first otherwise, and it is called like the package.
sys.path[0] = sys.argv[1]

import grpc  # noqa: E402
from google.protobuf.empty_pb2 import Empty  # noqa: E402
from google.protobuf.wrappers_pb2 import BoolValue, Int32Value, StringValue  # noqa: E402
from nakama import api_pb2 as api  # noqa: E402
from nakama import api_pb2_grpc  # noqa: E402

KEY = [("authorization", "Basic " + base64.b64encode(b"defaultkey:").decode())]


def step(name, story, *arguments):
    """Tells one part of the story."""
    result = story(*arguments)
    print(f"ok {name}")
    return result


def bearer(session):
    return [("authorization", "Bearer " + session.token)]


def refused(code, words, call, *arguments, **named):
    """The call must be refused with this code and these very words."""
    try:
        call(*arguments, **named)
    except grpc.RpcError as error:
        assert (error.code(), error.details()) == (code, words), (error.code(), error.details())
        return
    raise AssertionError(f"not refused: {words}")


def device(nakama, name, **more):
    account = api.AccountDevice(id=f"{name}-device", vars={"from": "python"})
    request = api.AuthenticateDeviceRequest(account=account, username=name, **more)
    return nakama.AuthenticateDevice(request, metadata=KEY)


def sign_in(nakama):
    alice, bob = device(nakama, "alice"), device(nakama, "bob", create=BoolValue(value=True))
    assert alice.created and bob.created and alice.token and alice.refresh_token
    assert not device(nakama, "alice").created
    mail = api.AccountEmail(email="carol@example.com", password="correct horse battery")
    request = api.AuthenticateEmailRequest(account=mail, username="carol")
    assert nakama.AuthenticateEmail(request, metadata=KEY).created
    return alice, bob


def account(nakama, alice):
    found = nakama.GetAccount(Empty(), metadata=bearer(alice))
    assert found.user.username == "alice" and found.user.metadata == "{}" and found.wallet == "{}"
    assert [device.id for device in found.devices] == ["alice-device"]
    assert found.user.create_time.seconds > 0 and found.user.create_time.nanos == 0
    return found.user.id


def update(nakama, alice):
    change = api.UpdateAccountRequest(
        display_name=StringValue(value="Alice 🎲"), location=StringValue(value="")
    )
    nakama.UpdateAccount(change, metadata=bearer(alice))
    assert nakama.GetAccount(Empty(), metadata=bearer(alice)).user.display_name == "Alice 🎲"


def link(nakama, alice):
    custom = api.AccountCustom(id="alice-custom")
    nakama.LinkCustom(custom, metadata=bearer(alice))
    assert nakama.GetAccount(Empty(), metadata=bearer(alice)).custom_id == "alice-custom"
    request = api.AuthenticateCustomRequest(account=custom, create=BoolValue(value=False))
    assert not nakama.AuthenticateCustom(request, metadata=KEY).created
    nakama.UnlinkCustom(custom, metadata=bearer(alice))
    assert nakama.GetAccount(Empty(), metadata=bearer(alice)).custom_id == ""


def users(nakama, alice):
    request = api.GetUsersRequest(usernames=["bob", "nobody"])
    found = nakama.GetUsers(request, metadata=bearer(alice)).users
    assert [user.username for user in found] == ["bob"]


def friends(nakama, alice, bob):
    nakama.AddFriends(api.AddFriendsRequest(usernames=["bob"]), metadata=bearer(alice))
    listed = nakama.ListFriends(api.ListFriendsRequest(), metadata=bearer(bob)).friends
    assert [(f.user.username, f.state.value) for f in listed] == [("alice", 2)]
    nakama.AddFriends(api.AddFriendsRequest(usernames=["alice"]), metadata=bearer(bob))
    both = api.ListFriendsRequest(limit=Int32Value(value=10), state=Int32Value(value=0))
    for who, other in ((alice, "bob"), (bob, "alice")):
        listed = nakama.ListFriends(both, metadata=bearer(who)).friends
        assert [f.user.username for f in listed] == [other]
        assert listed[0].HasField("state")
    nakama.DeleteFriends(api.DeleteFriendsRequest(usernames=["bob"]), metadata=bearer(alice))
    assert not nakama.ListFriends(both, metadata=bearer(bob)).friends


def notifications(nakama, alice, bob):
    told = nakama.ListNotifications(api.ListNotificationsRequest(), metadata=bearer(bob))
    assert told.notifications and told.notifications[0].code == -2
    ids = [notification.id for notification in told.notifications]
    nakama.DeleteNotifications(api.DeleteNotificationsRequest(ids=ids), metadata=bearer(bob))


def refresh(nakama, alice):
    request = api.SessionRefreshRequest(token=alice.refresh_token)
    again = nakama.SessionRefresh(request, metadata=KEY)
    assert again.token and not again.created
    return again


def errors(nakama, alice):
    status = grpc.StatusCode
    me = bearer(alice)
    short = api.AuthenticateDeviceRequest(account=api.AccountDevice(id="short"))
    words = "Device ID invalid, must be 10-128 bytes."
    refused(status.INVALID_ARGUMENT, words, nakama.AuthenticateDevice, short, metadata=KEY)
    refused(status.UNAUTHENTICATED, "Server key required", nakama.AuthenticateDevice, short)
    refused(status.UNAUTHENTICATED, "Auth token required", nakama.GetAccount, Empty())
    taken = api.AuthenticateDeviceRequest(
        account=api.AccountDevice(id="other-device"), username="alice"
    )
    words = "Username is already in use."
    refused(status.ALREADY_EXISTS, words, nakama.AuthenticateDevice, taken, metadata=KEY)
    last = api.AccountDevice(id="alice-device")
    words = (
        "Cannot unlink last account identifier. Check profile exists and is not last link."
    )
    refused(status.PERMISSION_DENIED, words, nakama.UnlinkDevice, last, metadata=me)
    try:
        large = api.AccountDevice(id="x" * 300_000)
        nakama.LinkDevice(large, metadata=me)
        raise AssertionError("a message that is too large was taken")
    except grpc.RpcError as error:
        assert error.code() is status.RESOURCE_EXHAUSTED, error.code()
    packed = nakama.GetAccount(Empty(), metadata=me, compression=grpc.Compression.Gzip)
    assert packed.user.username == "alice"


def logout(nakama, alice):
    nakama.SessionLogout(api.SessionLogoutRequest(), metadata=bearer(alice))
    words = "Auth token invalid"
    status = grpc.StatusCode.UNAUTHENTICATED
    refused(status, words, nakama.GetAccount, Empty(), metadata=bearer(alice))


def main():
    # What a game would set against silent routers: a ping every ten seconds, calls or no calls.
    options = [("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_permit_without_calls", 1)]
    with grpc.insecure_channel(os.environ["ANTEROOM_GRPC"], options=options) as channel:
        nakama = api_pb2_grpc.NakamaStub(channel)
        step("healthcheck", nakama.Healthcheck, Empty())
        alice, bob = step("sign in", sign_in, nakama)
        step("account", account, nakama, alice)
        step("update", update, nakama, alice)
        step("link", link, nakama, alice)
        step("users", users, nakama, alice)
        step("friends", friends, nakama, alice, bob)
        step("notifications", notifications, nakama, alice, bob)
        alice = step("refresh", refresh, nakama, alice)
        step("errors", errors, nakama, alice)
        step("logout", logout, nakama, alice)
        step("delete", nakama.DeleteAccount, Empty(), None, bearer(bob))
    print("ok all")


main()
