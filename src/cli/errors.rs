//! `anteroom config errors`: the catalogue of errors, put together from the front ends' lists.

use std::fmt::Write as _;

use crate::nakama::errors::http_status;
use crate::observe::errors::table;
use crate::{nakama, operator_api, pragma, queue_api};

const HEAD: &str = "\
# Errors

Every refusal on every wire: what stands there, what it means, what a client does. Written by `anteroom \
config errors` from the program's own lists, which tests compare with the code. *Again?* says whether \
the same call may simply be sent again, after the time that the answer names.

Three rules for every client:

1. **429 and 503 are not failures.** Wait as long as the answer says (`Retry-After`, `retry_after_ms`, \
`poll_after_ms`), then make the same call. A place in line is kept.
2. **Show the words** of the line; they are written for players. Never show \"authentication failed\" \
for a 429.
3. **No answer at all** (timeout, broken connection): try again with growing, random pauses. Signing in, \
entering the line and polling may be repeated without harm.
";

const NAKAMA: &str = "
## Nakama's API

The body is `{\"code\", \"message\"}`; `code` is gRPC's number. SDKs show the message, and clients match \
on it, so it changes only with the protocol. Over gRPC number and message are the status.

While somebody waits in line the answer is number 8 (HTTP 429) with a message that ends in `Try again in \
S: your place is kept.` and an object `queue`: see [the line](../sdks/README.md#the-line). When nobody \
new is taken the message ends in `Please try again in S.`. A hook's refusal is number 7 with the hook's \
own words. A parameter of the query that does not read is number 3 and names the parameter.
";

const SOCKETS: &str = "
### When a socket closes

| why | Nakama | Pragma (reason in `SessionTerminatedV1Notification`) | what a client does |
|---|---|---|---|
| it asked, or signed out | 1000 | 1000, `AS_REQUESTED` | nothing |
| a frame of the wrong kind | 1000 | 1003 | mend the client |
| a message that does not read | 1000 | 1007 | mend the client |
| a message that is too long | 1009 | 1009 | mend the client |
| it did not read for too long | 1000 | 1008 | connect again, after a random pause |
| nothing came from it for too long | 1000 | 1000, `EXPIRED` | connect again within `queue.grace_s` |
| the token is over | 1000 | 1000, `EXPIRED` | refresh, then connect |
| another socket of the player took over | 1000, after a notification | 1000, `USURPED` | tell the player; do not connect |
| kicked, banned, signed out everywhere | 1000 | 1000, `KICKED` | sign in again, once |
| the server stops | 1001 | 1001, `CLUSTER_SHUTDOWN` | connect again, after a random pause |
| the server's own fault | 1011 | 1011 | connect again, after a random pause |
";

const PRAGMA: &str = "
## Pragma's API

The body, or the message on a socket, is `{\"serviceError\": {\"requestId\", \"status\", \"error\", \
\"traceId\", \"debugDetails\"}}`. Names of the platform stand in `error`, names in capitals in \
`extError`. Over HTTP `Retry-After` is there where it says so below.
";

const QUEUE: &str = "
## The queue API

The body is `{\"state\", \"why\", \"message\", \"retry_after_ms\"?}`; the table has `why`. With 404 and a \
ticket `state` is `gone`, with 428 `challenge`, else `refused`. States that are no refusals: [the queue \
API](../queue-api.md#states).
";

const OPERATORS: &str = "
## The operator API

The body is `{\"why\", \"message\"}`; the table has `why`. [The operator API](../operator-api.md).
";

/// The reference page.
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(NAKAMA);
    page.push_str("\n### Numbers\n\n| number | HTTP |\n|---|---|\n");
    let mut numbers: Vec<u16> = nakama::catalogue::ALL.iter().map(|it| it.status).collect();
    numbers.dedup();
    for number in numbers {
        let http = u8::try_from(number).map_or(500, http_status);
        let _ = writeln!(page, "| {number} | {http} |");
    }
    page.push_str("\n### Messages\n\n");
    page.push_str(&table(nakama::catalogue::ALL, "number", "message"));
    page.push_str(
        "\n### Messages of the socket\n\nThe socket stays open unless it says otherwise.\n\n",
    );
    page.push_str(&table(nakama::catalogue::SOCKET, "number", "message"));
    page.push_str("\n### The handshake at `/ws`\n\n");
    page.push_str(&table(nakama::catalogue::HANDSHAKE, "HTTP", "body"));
    page.push_str(SOCKETS);
    for (head, errors, name) in [
        (PRAGMA, pragma::catalogue::ALL, "name"),
        (QUEUE, queue_api::catalogue::ALL, "`why`"),
        (OPERATORS, operator_api::catalogue::ALL, "`why`"),
    ] {
        page.push_str(head);
        page.push('\n');
        page.push_str(&table(errors, "HTTP", name));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::errors::Advice;

    /// Whoever may ask again is told when: no other status is retryable.
    #[test]
    fn only_what_passes_by_itself_may_be_sent_again() {
        let http = pragma::catalogue::ALL.iter().chain(queue_api::catalogue::ALL);
        for error in http.chain(operator_api::catalogue::ALL) {
            let passes = [429, 502, 503].contains(&error.status);
            assert!(passes || error.advice != Advice::Later, "{}", error.name);
        }
        for error in nakama::catalogue::ALL {
            assert!([8, 10, 14].contains(&error.status) || error.advice != Advice::Later);
        }
    }
}
