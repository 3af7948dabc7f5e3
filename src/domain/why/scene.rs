//! The line at one moment.

use serde::Serialize;

use super::story::{announcement, by_lane};
use crate::domain::queue::journal::{Played, Watcher};
use crate::domain::queue::{Announcement, Bound, Input, Lane, Number, Queue};
use crate::domain::time::UnixMicros;

/// What was to be seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scene {
    /// The moment of the last thing that had happened by then.
    pub at: UnixMicros,
    /// Lifetime of the line.
    pub epoch: u32,
    /// The next number to be given.
    pub next: Number,
    /// What was announced.
    #[serde(serialize_with = "announcement")]
    pub announced: Announcement,
    /// What kept who waited from coming in; `None`: nobody waited.
    pub bound: Option<Bound>,
    /// Who waited, by lane, in the order of [`Lane::ALL`].
    #[serde(serialize_with = "by_lane")]
    pub waiting: [u64; Lane::COUNT],
    /// Tickets that were silent when their turn came.
    pub parked: u64,
    /// Slots held, and how many there were.
    pub slots: (u64, u64),
    /// Admissions per second: as set, and in force.
    pub rates: (f64, f64),
    /// Admissions since then, by lane.
    #[serde(serialize_with = "by_lane")]
    pub admitted: [u64; Lane::COUNT],
    /// When this part of the journal began.
    pub since: UnixMicros,
}

/// Looks at the line at one moment.
#[derive(Debug)]
pub struct Onlooker {
    wanted: UnixMicros,
    began: Option<([u64; Lane::COUNT], UnixMicros)>,
    scene: Option<Scene>,
    over: bool,
}

impl Onlooker {
    /// Nothing is seen yet.
    pub const fn new(wanted: UnixMicros) -> Self {
        Self { wanted, began: None, scene: None, over: false }
    }

    /// A segment begins.
    pub fn begin(&mut self, at: UnixMicros, queue: &Queue) {
        self.began = Some((queue.admitted(), at));
        self.over = at > self.wanted;
        if !self.over {
            self.scene = Some(self.look(at, queue));
        }
    }

    /// Whether more than that moment was played.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// What was seen last at the moment or before it.
    pub const fn scene(&self) -> Option<&Scene> {
        self.scene.as_ref()
    }

    fn look(&self, at: UnixMicros, queue: &Queue) -> Scene {
        let (waiting, parked) = queue.in_line();
        let (before, since) = self.began.unwrap_or_default();
        let mut admitted = queue.admitted();
        for (now, before) in admitted.iter_mut().zip(before) {
            *now -= before;
        }
        Scene {
            at,
            epoch: queue.epoch(),
            next: queue.next_number(),
            announced: queue.announcement().clone(),
            bound: (waiting.iter().sum::<u64>() > 0).then(|| queue.bound()),
            waiting,
            parked,
            slots: queue.slots(),
            rates: queue.rates(),
            admitted,
            since,
        }
    }
}

impl Watcher for Onlooker {
    fn before(&mut self, queue: &Queue, at: UnixMicros, _: &Input) {
        if at > self.wanted && !self.over {
            self.over = true;
            self.scene = Some(self.look(queue.now(), queue));
        }
    }

    fn after(&mut self, queue: &Queue, at: UnixMicros, played: &Played) {
        if let Played::End(_) = played
            && !self.over
        {
            self.scene = Some(self.look(at.max(queue.now()), queue));
        }
    }
}
