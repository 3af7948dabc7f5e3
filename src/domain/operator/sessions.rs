//! Who is signed in to the console, and until when. In memory: a restart ends every session, which
//! is what somebody wants who restarts because of one.

use std::collections::HashMap;

use aws_lc_rs::hmac;

use crate::domain::account::AccountId;
use crate::domain::digest::hex;
use crate::domain::time::UnixMicros;

/// Sessions at once; the one that was silent longest goes first.
pub const SESSIONS_MAX: usize = 1_024;
/// How long the password and the code count as just given, in seconds.
pub const FRESH_S: u64 = 600;

/// What a page has to show beside the cookie to change anything: it follows from the session's token,
/// which no other page can read, and gives nothing of it away.
pub fn proof_of_page(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    hex(hmac::sign(&key, b"anteroom console v1 page\n").as_ref())
}

/// One session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub account: AccountId,
    /// Since when.
    pub opened: UnixMicros,
    /// When it was last used.
    pub seen: UnixMicros,
    /// Until when what cannot be undone may be done without asking again.
    pub fresh_until: UnixMicros,
    /// When it ends, used or not.
    pub ends: UnixMicros,
    /// It was opened by a provider that is trusted to have asked for a second factor.
    pub is_vouched: bool,
}

/// What a session is opened by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenedBy {
    /// By what its owner showed here just now: a password, or a code.
    Proof,
    /// By a provider alone.
    Provider {
        /// The provider says that its owner showed there lately who they are. Else they may have been
        /// signed in there for a week.
        is_fresh: bool,
        /// See [`Session::is_vouched`].
        is_vouched: bool,
    },
}

/// All of them, by the hash of what the browser shows.
#[derive(Debug)]
pub struct Sessions {
    open: HashMap<[u8; 32], Session>,
    life_s: u64,
    idle_s: u64,
}

impl Sessions {
    /// None yet. `life_s`: the longest a session lasts; `idle_s`: the longest it lasts unused.
    pub fn new(life_s: u64, idle_s: u64) -> Self {
        Self { open: HashMap::new(), life_s, idle_s }
    }

    /// A new session.
    pub fn open(
        &mut self,
        hash: [u8; 32],
        account: AccountId,
        by: OpenedBy,
        now: UnixMicros,
    ) -> Session {
        if self.open.len() >= SESSIONS_MAX {
            let oldest = self.open.iter().min_by_key(|(_, session)| session.seen.0);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                self.open.remove(&oldest);
            }
        }
        let (is_fresh, is_vouched) = match by {
            OpenedBy::Proof => (true, false),
            OpenedBy::Provider { is_fresh, is_vouched } => (is_fresh, is_vouched),
        };
        let fresh_until = if is_fresh { now.plus_secs(FRESH_S) } else { now };
        let ends = now.plus_secs(self.life_s);
        let session = Session { account, opened: now, seen: now, fresh_until, ends, is_vouched };
        self.open.insert(hash, session);
        session
    }

    /// The session of this hash, if it goes on; it was used now.
    pub fn look(&mut self, hash: &[u8; 32], now: UnixMicros) -> Option<Session> {
        let idle_s = self.idle_s;
        let session = self.open.get_mut(hash)?;
        if now >= session.ends || now >= session.seen.plus_secs(idle_s) {
            self.open.remove(hash);
            return None;
        }
        session.seen = UnixMicros(session.seen.0.max(now.0));
        Some(*session)
    }

    /// Its owner proved again who they are.
    pub fn freshen(&mut self, hash: &[u8; 32], now: UnixMicros) {
        if let Some(session) = self.open.get_mut(hash) {
            session.fresh_until = now.plus_secs(FRESH_S);
        }
    }

    /// Ends one.
    pub fn close(&mut self, hash: &[u8; 32]) {
        self.open.remove(hash);
    }

    /// Ends every one of an account but one.
    pub fn close_others(&mut self, account: AccountId, but: Option<&[u8; 32]>) {
        self.open.retain(|hash, session| session.account != account || Some(hash) == but);
    }

    /// When an account was last seen in a session that is open.
    pub fn last_seen(&self, account: AccountId) -> Option<UnixMicros> {
        let of = self.open.values().filter(|session| session.account == account);
        of.map(|session| session.seen).max_by_key(|seen| seen.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ADA: AccountId = AccountId(Uuid::from_u128(1));
    const BOB: AccountId = AccountId(Uuid::from_u128(2));

    fn at(s: u64) -> UnixMicros {
        UnixMicros::from_secs(s)
    }

    #[test]
    fn a_session_ends_when_it_is_idle_and_when_its_life_is_over() {
        let mut sessions = Sessions::new(10_000, 3_600);
        sessions.open([1; 32], ADA, OpenedBy::Proof, at(0));
        sessions.open([2; 32], ADA, OpenedBy::Proof, at(0));
        assert!(sessions.look(&[1; 32], at(3_599)).is_some());
        assert!(sessions.look(&[2; 32], at(3_600)).is_none(), "idle");
        assert!(sessions.look(&[2; 32], at(1)).is_none(), "and gone");
        assert!(sessions.look(&[1; 32], at(7_198)).is_some());
        assert!(sessions.look(&[1; 32], at(9_999)).is_some());
        assert!(sessions.look(&[1; 32], at(10_000)).is_none(), "over, used or not");
        assert!(sessions.look(&[3; 32], at(0)).is_none(), "nobody's");
    }

    #[test]
    fn a_page_proves_itself_by_what_follows_from_the_session() {
        let proof = proof_of_page("a token");
        assert!(proof.len() == 64 && proof == proof_of_page("a token"));
        assert_ne!(proof, proof_of_page("another"));
    }

    #[test]
    fn it_is_fresh_for_ten_minutes_and_again_after_a_proof() {
        let mut sessions = Sessions::new(100_000, 100_000);
        sessions.open([1; 32], ADA, OpenedBy::Proof, at(0));
        assert_eq!(sessions.look(&[1; 32], at(5)).unwrap().fresh_until, at(FRESH_S));
        sessions.freshen(&[1; 32], at(5_000));
        assert_eq!(sessions.look(&[1; 32], at(5_001)).unwrap().fresh_until, at(5_000 + FRESH_S));
        for (is_fresh, until) in [(false, 7), (true, 7 + FRESH_S)] {
            let by = OpenedBy::Provider { is_fresh, is_vouched: true };
            let session = sessions.open([2; 32], ADA, by, at(7));
            assert!(session.fresh_until == at(until) && session.is_vouched, "{is_fresh}");
        }
    }

    #[test]
    fn others_end_and_the_oldest_gives_way() {
        let mut sessions = Sessions::new(100_000, 100_000);
        for (n, account) in [(1, ADA), (2, ADA), (3, BOB)] {
            sessions.open([n; 32], account, OpenedBy::Proof, at(u64::from(n)));
        }
        assert_eq!(sessions.last_seen(ADA), Some(at(2)));
        sessions.close_others(ADA, Some(&[1; 32]));
        let mut stands = |n: u8| sessions.look(&[n; 32], at(9)).is_some();
        assert!(stands(1) && !stands(2) && stands(3));

        for n in 0..SESSIONS_MAX {
            let mut hash = [9; 32];
            hash[..8].copy_from_slice(&n.to_be_bytes());
            sessions.open(hash, BOB, OpenedBy::Proof, at(10));
        }
        assert!(sessions.look(&[1; 32], at(11)).is_none(), "silent longest");
        assert!(sessions.open.len() <= SESSIONS_MAX);
    }
}
