//! Friends who stand in line together and come in together.

use serde_json::{Value, json};

use crate::harness::{Answer, TestServer};
use crate::queue_client::{device, enter, stands, ticket, with_ticket};

async fn invite(server: &TestServer, ticket: &str) -> Value {
    let invited = with_ticket(server, "POST", "/v1/queue/party", ticket).await;
    assert_eq!(invited.status, 200, "{}", invited.text);
    assert_eq!(invited.json["expires_ms"], 1_800_000_300_000_u64);
    invited.json["party_token"].clone()
}

async fn join(server: &TestServer, who: &str, invitation: &Value) -> Answer {
    let mut body = device(who);
    body["party"] = invitation.clone();
    enter(server, body).await
}

#[track_caller]
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!((answer.status, answer.str("/why")), (status, why), "{}", answer.text);
}

#[actix_rt::test]
async fn friends_come_in_at_the_same_moment_where_the_first_of_them_stood() {
    let server = TestServer::start(|config| {
        config.queue.rate = 1.0;
        config.queue.burst = 3;
    })
    .await;
    for _ in 0..3 {
        assert_eq!(enter(&server, json!({})).await.status, 200);
    }
    let before = ticket(&server, json!({})).await;
    let ada = ticket(&server, device("ada")).await;
    let single = ticket(&server, json!({})).await;
    let invitation = invite(&server, &ada).await;
    let bob = join(&server, "bob", &invitation).await;
    assert_eq!((bob.status, &bob.json["position"]), (202, &json!(2)), "{}", bob.text);
    let cem = join(&server, "cem", &invitation).await;
    assert_eq!((cem.status, &cem.json["position"]), (202, &json!(2)), "{}", cem.text);
    let again = join(&server, "bob", &invitation).await;
    assert_eq!(again.json["number"], bob.json["number"], "one place for one device");
    server.pass_ms(1_100).await;
    assert_eq!(stands(&server, &before).await.status, 200);
    let party = [&ada, bob.str("/ticket"), cem.str("/ticket")];
    for seconds in 1..=3 {
        let in_line = stands(&server, &single).await;
        assert_eq!(in_line.status, 202, "nobody overtakes: {seconds}");
        let mut came = Vec::new();
        for ticket in party {
            came.push(stands(&server, ticket).await.status);
        }
        assert!(came.iter().all(|status| *status == came[0]), "{came:?} after {seconds} s");
        server.pass_ms(1_000).await;
    }
    for ticket in party {
        assert_eq!(stands(&server, ticket).await.status, 200, "the three are in");
    }
}

#[actix_rt::test]
async fn a_party_has_its_bounds_and_an_invitation_its_life() {
    let server = TestServer::start(|config| {
        config.queue.rate = 0.0;
        config.queue.party_max = 2;
        config.queue.party_join_s = 30;
    })
    .await;
    let ada = ticket(&server, device("ada")).await;
    let invitation = invite(&server, &ada).await;
    assert_eq!(join(&server, "bob", &invitation).await.status, 202);
    refused(&join(&server, "cem", &invitation).await, 409, "party_full");
    assert_eq!(enter(&server, device("cem")).await.json["position"], 3, "alone he may");
    refused(&join(&server, "dan", &json!("p1.AAAA")).await, 401, "party");
    refused(&join(&server, "dan", &json!(ada)).await, 401, "party");
    let eve = ticket(&server, device("eve")).await;
    let hers = invite(&server, &eve).await;
    server.pass_ms(31_000).await;
    refused(&join(&server, "dan", &hers).await, 409, "party_late");
    assert_eq!(with_ticket(&server, "DELETE", "/v1/queue/ticket", &eve).await.status, 204);
    refused(&join(&server, "dan", &hers).await, 409, "party_gone");
    server.pass_ms(300_000).await;
    refused(&join(&server, "dan", &hers).await, 401, "party");
}
