//! Redeemed passes: all in memory, one stored record a commit.
//!
//! A pass is redeemed by nearly every sign-in and forgotten after minutes, so a key for each would
//! double the price of a sign-in. They are written in groups, one for each commit, and a group
//! goes when its last pass may be forgotten. In memory a redemption takes about 60 bytes.

use std::collections::{BTreeMap, HashMap};

use crate::domain::account::{AccountId, PassUse, Redemption};
use crate::domain::time::UnixMicros;
use crate::store::StoreError;

use super::records;

/// Most passes in one record: larger values would leave sled's log for files of their own.
const GROUP_MAX: usize = 1024;

/// Who redeemed which pass.
#[derive(Default)]
pub struct Passes {
    /// By (number, epoch): the account, and until when in seconds.
    holders: HashMap<(u64, u32), (AccountId, u64)>,
    /// The passes of each group by (until when, group).
    groups: BTreeMap<(u64, u64), Vec<(u64, u32)>>,
    next_group: u64,
    staged: Vec<Redemption>,
}

/// One redemption as it is stored: epoch, number, account, until when in seconds.
type Stored = (u32, u64, [u8; 16], u64);

impl Passes {
    /// Takes in a group that was stored.
    pub fn load(&mut self, group: u64, record: &[u8]) -> Result<(), StoreError> {
        let stored: Vec<Stored> = records::decode(record)?;
        let redemptions = stored.into_iter().map(|(epoch, number, account, until)| Redemption {
            pass: PassUse { epoch, number, remember_until: UnixMicros::from_secs(until) },
            account: AccountId(uuid::Uuid::from_bytes(account)),
        });
        let redemptions: Vec<Redemption> = redemptions.collect();
        for redemption in &redemptions {
            self.hold(redemption);
        }
        self.add_group(group, &redemptions);
        self.next_group = self.next_group.max(group.saturating_add(1));
        Ok(())
    }

    pub fn holder(&self, epoch: u32, number: u64) -> Option<AccountId> {
        self.holders.get(&(number, epoch)).map(|(account, _)| *account)
    }

    pub fn all(&self) -> Vec<Redemption> {
        let redemption = |(pass, held): (&(u64, u32), &(AccountId, u64))| Redemption {
            pass: PassUse {
                epoch: pass.1,
                number: pass.0,
                remember_until: UnixMicros::from_secs(held.1),
            },
            account: held.0,
        };
        self.holders.iter().map(redemption).collect()
    }

    pub fn stage(&mut self, redemption: Redemption) {
        self.hold(&redemption);
        self.staged.push(redemption);
    }

    /// The staged redemptions as records to store: group and value.
    pub fn seal(&mut self) -> Vec<(u64, Vec<u8>)> {
        let staged = std::mem::take(&mut self.staged);
        let mut records = Vec::new();
        for redemptions in staged.chunks(GROUP_MAX) {
            let stored: Vec<Stored> = redemptions.iter().map(stored).collect();
            let Ok(record) = records::encode(&stored) else {
                continue; // numbers and bytes always encode
            };
            let group = self.next_group;
            self.next_group = group.saturating_add(1);
            self.add_group(group, redemptions);
            records.push((group, record));
        }
        records
    }

    /// Forgets a group none of whose passes matters any more, and says which.
    pub fn forget_group(&mut self, now_s: u64) -> Option<u64> {
        let oldest = self.groups.first_entry().filter(|entry| entry.key().0 < now_s)?;
        let ((_, group), passes) = oldest.remove_entry();
        for pass in passes {
            self.holders.remove(&pass);
        }
        if self.holders.len() < self.holders.capacity() / 4 {
            self.holders.shrink_to_fit();
        }
        Some(group)
    }

    fn hold(&mut self, redemption: &Redemption) {
        let pass = &redemption.pass;
        self.holders.insert((pass.number, pass.epoch), (redemption.account, until_s(pass)));
    }

    fn add_group(&mut self, group: u64, redemptions: &[Redemption]) {
        let until = redemptions.iter().map(|it| until_s(&it.pass)).max().unwrap_or_default();
        let passes = redemptions.iter().map(|it| (it.pass.number, it.pass.epoch)).collect();
        self.groups.insert((until, group), passes);
    }
}

fn stored(redemption: &Redemption) -> Stored {
    let pass = &redemption.pass;
    (pass.epoch, pass.number, redemption.account.0.into_bytes(), until_s(pass))
}

/// Whole seconds, rounded up: never forgotten too early.
fn until_s(pass: &PassUse) -> u64 {
    pass.remember_until.0.div_ceil(1_000_000)
}
