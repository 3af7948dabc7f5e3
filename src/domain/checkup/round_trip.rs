//! Whether the server sees players' own addresses through whatever is in front of it: somebody goes in
//! by the public address with a number that was made up for it, and asks what was seen.

use core::net::IpAddr;
use std::collections::VecDeque; // an address is a value: nothing in `core` can reach a network

use uuid::Uuid;

use super::Finding;
use crate::domain::time::UnixMicros;

/// Round trips that may be under way.
const MOST: usize = 16;
/// How long one may take, in seconds.
const WITHIN_S: u64 = 60;

/// Whom the server saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who connected.
    pub peer: IpAddr,
    /// Whose address limits are held against.
    pub client: IpAddr,
}

/// Round trips that are under way; the oldest goes when there is no room.
#[derive(Debug, Default)]
pub struct RoundTrips(VecDeque<(Uuid, UnixMicros, Option<Seen>)>);

impl RoundTrips {
    /// Somebody is about to come in with this number.
    pub fn begin(&mut self, id: Uuid, now: UnixMicros) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, now.plus_secs(WITHIN_S), None));
    }

    /// Somebody came. Whether the number is known.
    pub fn arrive(&mut self, id: Uuid, seen: Seen, now: UnixMicros) -> bool {
        let known = self.0.iter_mut().find(|(known, until, _)| *known == id && now < *until);
        known.map(|(_, _, place)| *place = Some(seen)).is_some()
    }

    /// Who came with this number; `None`: nobody, or too long ago.
    pub fn seen(&self, id: Uuid, now: UnixMicros) -> Option<Seen> {
        self.0.iter().find(|(known, until, _)| *known == id && now < *until)?.2
    }
}

/// What a round trip by the public address says; whether that is one with TLS, which takes a proxy.
pub fn round_trip(came: Result<Option<Seen>, String>, is_tls: bool) -> Finding {
    let check = "round trip by the public address";
    let seen = match came {
        Ok(Some(seen)) => seen,
        Ok(None) => {
            let found = "it answers, and it is not this server";
            return Finding::failed(check, found, "set pragma.public_host, or look at the proxy");
        }
        Err(why) => {
            let advice =
                "players cannot come in by it: look at the name, the proxy and its certificate";
            return Finding::failed(check, why, advice);
        }
    };
    let Seen { peer, client } = seen;
    if peer != client {
        return Finding::ok(check, format!("{client}, by the proxy {peer}"));
    }
    if is_tls {
        let advice = format!(
            "limits by address count the proxy as one player: server.trusted_proxies = [\"{peer}\"], \
             and let the proxy set X-Forwarded-For"
        );
        let found = format!("the server saw {peer}, which is the proxy and not the player");
        return Finding::failed(check, found, advice);
    }
    Finding::ok(check, format!("{client}, without a proxy"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::checkup::Level::{Failed, Ok as Good};

    const NOON: UnixMicros = UnixMicros::from_secs(1_800_000_000);

    fn seen(peer: &str, client: &str) -> Seen {
        Seen { peer: peer.parse().unwrap(), client: client.parse().unwrap() }
    }

    #[test]
    fn who_came_is_known_for_a_minute_and_a_few_at_once() {
        let mut trips = RoundTrips::default();
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let through = seen("127.0.0.1", "203.0.113.5");
        trips.begin(id, NOON);
        assert_eq!(trips.seen(id, NOON), None);
        assert!(!trips.arrive(other, through, NOON));
        assert!(trips.arrive(id, through, NOON.plus_secs(59)));
        assert_eq!(trips.seen(id, NOON.plus_secs(59)), Some(through));
        assert_eq!(trips.seen(id, NOON.plus_secs(60)), None);
        assert!(!trips.arrive(id, through, NOON.plus_secs(60)));
        for n in 10..26 {
            trips.begin(Uuid::from_u128(n), NOON);
        }
        assert_eq!(trips.seen(id, NOON), None, "there was no room");
    }

    #[test]
    fn a_proxy_that_hides_players_is_told() {
        let through = round_trip(Ok(Some(seen("127.0.0.1", "203.0.113.5"))), true);
        assert_eq!(through.level, Good);
        let hidden = round_trip(Ok(Some(seen("10.0.0.2", "10.0.0.2"))), true);
        assert_eq!(hidden.level, Failed);
        assert!(hidden.advice.contains("trusted_proxies = [\"10.0.0.2\"]"), "{hidden:?}");
        assert_eq!(round_trip(Ok(Some(seen("10.0.0.2", "10.0.0.2"))), false).level, Good);
        assert_eq!(round_trip(Ok(None), true).level, Failed);
        assert_eq!(round_trip(Err("no connection".to_owned()), true).found, "no connection");
    }
}
