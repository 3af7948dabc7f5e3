//! The doors: an opening is scheduled, closes, is drawn, each as a message. The rules are in
//! [`crate::domain::queue`] and [`crate::domain::lottery`]; here are the order of what becomes
//! durable, and who is told.
//!
//! Close: numbers reserved → snapshot (newcomers wait for it, for it says which numbers are the
//! entrants') → list published → draw, with the beacon's value if one was named → order published →
//! applied, logged, snapshot. A crash between two of them goes on with the next.

use std::sync::Arc;

use actix::{Context, Handler};
use tokio::sync::watch;

use super::actor::LoginQueue;
use super::ask::Reply;
use super::lottery::{Desk, Step, Stepped};
use super::stopped::Ended;
use crate::actors::Audit;
use crate::domain::audit::{What, Who};
use crate::domain::lottery::{LotteryId, PublicSeed, Record, Stage};
use crate::domain::queue::{Number, Opening, OpeningPlan, Queue};
use crate::domain::time::UnixMicros;
use crate::store::line::{Order, Place};

/// What everybody may know of the opening.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// How far it is.
    pub opening: Opening,
    /// The lottery's record as it is published; `None`: there is no lottery.
    pub record: Option<Record>,
    /// Where the beacon's value is to be had; empty: no beacon.
    pub beacon_url: String,
}

impl Notice {
    /// The lottery that waits for its beacon.
    pub fn awaits_beacon(&self) -> Option<&LotteryId> {
        let record = self.record.as_ref()?;
        let waits = matches!(self.opening, Opening::Drawing(_))
            && matches!(record.stage(), Stage::Closed(_))
            && !record.schedule().beacon().is_empty();
        waits.then(|| record.schedule().id())
    }
}

/// Why an opening is not scheduled. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleRefused {
    /// The entrants of another one are fixed already. It can only be called off.
    #[error("the pre-queue has closed: its opening can be called off, not changed")]
    Closed,
    /// Players gather for another time, and this one is over.
    #[error("players gather for an opening; one in the past cannot take its place")]
    Past,
    /// Another change is being made.
    #[error("another opening is being scheduled")]
    Busy,
    /// It cannot be put on record.
    #[error("the audit chain takes no more records at this moment")]
    Audit,
    /// The lottery's files.
    #[error("{0}")]
    Lottery(String),
}

/// Where an answer to a schedule goes.
pub(super) type Scheduled = Reply<Result<(), ScheduleRefused>>;

/// What the actor keeps of the opening.
#[derive(Debug)]
pub(super) struct Doors {
    desk: Desk,
    audit: Audit,
    notice: watch::Sender<Arc<Notice>>,
    /// The stage posted last.
    posted: &'static str,
    record: Option<Record>,
    beacon_url: String,
    public_seed: Option<PublicSeed>,
    /// Fixed, and not published yet.
    entrants: Option<Vec<Number>>,
    /// The close is on disk when so many snapshots are.
    closed_with: u64,
    /// A step is on its way, or one was refused and operators have to act.
    waits: bool,
    scheduling: Option<Scheduled>,
}

impl Doors {
    pub(super) fn new(
        desk: Desk,
        audit: Audit,
        notice: watch::Sender<Arc<Notice>>,
        record: Option<Record>,
    ) -> Self {
        Self {
            desk,
            audit,
            notice,
            posted: "",
            record,
            beacon_url: String::new(),
            public_seed: None,
            entrants: None,
            closed_with: 0,
            waits: false,
            scheduling: None,
        }
    }

    /// Whether newcomers have to wait a moment: after a crash nobody would know that they came after
    /// the close.
    pub(super) const fn hold_newcomers(&self, snapshots_done: u64) -> bool {
        snapshots_done < self.closed_with
    }

    /// Tells everybody, if the opening has come to another stage.
    pub(super) fn post(&mut self, queue: &Queue) {
        let stage = queue.opening().name();
        if self.posted != stage {
            self.posted = stage;
            self.post_now(queue);
        }
    }

    fn post_now(&self, queue: &Queue) {
        let (opening, record) = (queue.opening().clone(), self.record.clone());
        let notice = Notice { opening, record, beacon_url: self.beacon_url.clone() };
        self.notice.send_replace(Arc::new(notice));
    }

    fn ask(&mut self, step: Step) {
        self.waits = true;
        if !self.desk.ask(step) {
            tracing::error!("the lottery's thread is gone");
        }
    }

    /// Whether this is the opening that goes on.
    fn is(&self, opening: &Opening, plan: &OpeningPlan) -> bool {
        let beacon = self.record.as_ref().map(|record| record.schedule().beacon());
        opening.opens_at() == Some(plan.opens_at)
            && match (opening.lottery(), &plan.lottery) {
                (Some(_), Some(lottery)) => beacon.is_none_or(|beacon| beacon == lottery.beacon),
                (None, None) => true,
                _ => false,
            }
    }
}

impl LoginQueue {
    /// Takes up what the settings say of an opening.
    pub(super) fn schedule(
        &mut self,
        now: UnixMicros,
        plan: Option<OpeningPlan>,
        reply: Scheduled,
    ) {
        let answer = self.take_up(now, plan);
        match answer {
            Some(answer) => drop(reply.send(answer)),
            None => self.doors.scheduling = Some(reply),
        }
    }

    /// `None`: it is on its way to the disk.
    fn take_up(
        &mut self,
        now: UnixMicros,
        plan: Option<OpeningPlan>,
    ) -> Option<Result<(), ScheduleRefused>> {
        let opening = self.queue.opening();
        let pending = opening.is_pending();
        let Some(plan) = plan else {
            return Some(if pending { self.call_off(now) } else { Ok(()) });
        };
        if self.doors.is(opening, &plan) {
            self.doors.beacon_url = plan.lottery.map(|lottery| lottery.url).unwrap_or_default();
            self.doors.post_now(&self.queue);
            return Some(Ok(()));
        }
        match opening {
            Opening::Drawing(_) => return Some(Err(ScheduleRefused::Closed)),
            _ if plan.opens_at <= now && pending => return Some(Err(ScheduleRefused::Past)),
            _ if plan.opens_at <= now => return Some(Ok(())),
            _ if self.doors.scheduling.is_some() => return Some(Err(ScheduleRefused::Busy)),
            _ => {}
        }
        if let Err(refused) = self.put_on_record(plan.opens_at.as_secs().to_string()) {
            return Some(Err(refused));
        }
        let Some(lottery) = plan.lottery else {
            self.doors.record = None;
            self.queue.schedule_opening(now, Some((plan.opens_at, None)));
            self.settled(now);
            return Some(Ok(()));
        };
        self.doors.beacon_url = lottery.url;
        self.doors.ask(Step::Schedule {
            epoch: self.queue.epoch(),
            now,
            opens_at: plan.opens_at,
            beacon: lottery.beacon,
        });
        None
    }

    fn call_off(&mut self, now: UnixMicros) -> Result<(), ScheduleRefused> {
        self.put_on_record("called off".to_owned())?;
        tracing::warn!("the opening is called off: who waits comes in by number");
        self.doors.waits = false;
        self.doors.entrants = None;
        self.queue.schedule_opening(now, None);
        self.settled(now);
        Ok(())
    }

    fn put_on_record(&self, to: String) -> Result<(), ScheduleRefused> {
        let before = self.queue.opening().opens_at().filter(|_| self.queue.opening().is_pending());
        let from = before.map_or_else(String::new, |at| at.as_secs().to_string());
        let key = "queue.opening.at".into();
        let what = What::Setting { key, from: from.into(), to: to.into() };
        let taken = self.doors.audit.record(Who::Settings, what);
        taken.map_err(|_| ScheduleRefused::Audit)
    }

    /// After a stage: on disk, and told.
    fn settled(&mut self, now: UnixMicros) {
        self.doors.post_now(&self.queue);
        self.write_snapshot(now, Vec::new());
    }

    /// The beacon's value, from whoever fetched it.
    pub(super) fn take_public_seed(&mut self, id: &LotteryId, seed: PublicSeed) {
        if self.doors.record.as_ref().is_some_and(|record| record.schedule().id() == id) {
            self.doors.public_seed = Some(seed);
        }
    }

    /// When the doors are due, for the alarm.
    pub(super) fn doors_due(&self, now: UnixMicros) -> Option<UnixMicros> {
        match self.queue.opening() {
            Opening::Prequeue { opens_at, .. } if *opens_at > now => Some(*opens_at),
            _ => None,
        }
    }

    /// Takes the next step of an opening if it is time.
    pub(super) fn mind_the_doors(&mut self, now: UnixMicros) {
        if self.doors.waits {
            return;
        }
        match self.queue.opening() {
            Opening::Prequeue { opens_at, lottery: Some(_) } if *opens_at <= now => {
                self.close_prequeue(now);
            }
            Opening::Drawing(range) => {
                let id = range.lottery.clone();
                self.publish_and_draw(now, id);
            }
            _ => {}
        }
    }

    fn close_prequeue(&mut self, now: UnixMicros) {
        let needed = self.queue.entrants_count();
        if self.queue.numbers_left() < needed {
            if let Some(until) = self.block.demand(needed) {
                self.writer.order(Order::Reserve(until));
            }
            return;
        }
        let Some(entrants) = self.queue.close_prequeue(now) else { return };
        tracing::info!(entrants = entrants.len(), "the pre-queue is closed");
        self.doors.entrants = Some(entrants);
        self.settled(now);
        self.doors.closed_with = self.snapshots_ordered;
    }

    fn publish_and_draw(&mut self, now: UnixMicros, id: LotteryId) {
        if self.doors.hold_newcomers(self.snapshots_done) {
            return;
        }
        let stage = self.doors.record.as_ref().map(Record::stage);
        match stage {
            Some(Stage::Scheduled) => {
                let entrants = self.doors.entrants.take();
                let entrants = entrants.unwrap_or_else(|| self.queue.entrants());
                self.doors.ask(Step::Close { id, now, entrants });
            }
            Some(Stage::Closed(_)) => {
                let beacon = self
                    .doors
                    .record
                    .as_ref()
                    .is_some_and(|record| !record.schedule().beacon().is_empty());
                let seed = if beacon {
                    self.doors.public_seed.take()
                } else {
                    Some(PublicSeed::default())
                };
                if let Some(public_seed) = seed {
                    self.doors.ask(Step::Draw { id, now, public_seed });
                }
            }
            None | Some(Stage::Drawn(..)) => self.stuck("its record cannot be read"),
        }
    }

    /// The line stays closed until operators act.
    fn stuck(&mut self, why: &str) {
        self.doors.waits = true;
        tracing::error!(
            why,
            "the lottery cannot go on and the doors stay closed: take queue.opening out of the \
             settings to call it off, and who waits comes in by number"
        );
    }

    fn drawn(&mut self, now: UnixMicros, record: Record, order: &[Number]) {
        if !self.queue.apply_draw(now, order) {
            // Called off while it was drawn.
            tracing::warn!("an order was drawn that nobody waits for");
            return;
        }
        let range = match self.queue.opening() {
            Opening::Drawn(range) => (range.first, range.places),
            _ => (Number(0), 0),
        };
        self.doors.audit.note(on_record(&record, range));
        tracing::info!(lottery = %record.schedule().id(), "the lottery is drawn and the doors open");
        self.doors.record = Some(record);
        for (number, identity, lane) in self.queue.drawn_places() {
            self.unsynced.logged(number);
            self.writer.order(Order::Place(Place { number, identity, lane }));
        }
        self.settled(now);
    }
}

/// A stage of a lottery for the audit chain; `range`: the numbers of the places that were drawn.
fn on_record(record: &Record, (first, places): (Number, u64)) -> What {
    let schedule = record.schedule();
    let lottery = schedule.id().as_str().into();
    match record.stage() {
        Stage::Scheduled => What::OpeningScheduled {
            lottery,
            opens_at: schedule.opens_at(),
            commitment: schedule.commitment(),
            beacon: schedule.beacon().into(),
        },
        Stage::Closed(closed) => {
            What::OpeningClosed { lottery, entrants: closed.entrants, root: closed.root }
        }
        Stage::Drawn(closed, drawn) => What::OpeningDrawn {
            lottery,
            root: closed.root,
            first,
            places,
            public_seed: String::from(drawn.public_seed.clone()).into(),
            server_seed: drawn.server_seed.reveal().into(),
        },
    }
}

impl Handler<Stepped> for LoginQueue {
    type Result = ();

    fn handle(&mut self, stepped: Stepped, ctx: &mut Context<Self>) {
        if self.closing.is_some() {
            // The next start goes on from what is on disk.
            return;
        }
        let now = self.clock.now();
        self.doors.waits = false;
        match stepped {
            Stepped::Scheduled(record) => {
                self.doors.audit.note(on_record(&record, (Number(0), 0)));
                let schedule = record.schedule();
                let scheduled = (schedule.opens_at(), Some(schedule.id().clone()));
                self.queue.schedule_opening(now, Some(scheduled));
                self.doors.record = Some(record);
                self.doors.public_seed = None;
                self.settled(now);
                self.answer_schedule(Ok(()));
            }
            // Of an opening that was called off meanwhile.
            Stepped::Closed(record)
                if self.queue.opening().lottery() != Some(record.schedule().id()) => {}
            Stepped::Closed(record) => {
                self.doors.audit.note(on_record(&record, (Number(0), 0)));
                self.doors.record = Some(record);
                self.doors.post_now(&self.queue);
            }
            Stepped::Drawn(record, order) => self.drawn(now, record, &order),
            Stepped::Refused(why) => {
                if self.doors.scheduling.is_some() {
                    self.answer_schedule(Err(ScheduleRefused::Lottery(why)));
                } else {
                    self.stuck(&why);
                }
            }
            Stepped::Failed(why) => {
                tracing::error!(why, "lotteries cannot be written to disk: the process must stop");
                let why = format!("lotteries cannot be written to disk: {why}");
                self.stop(Ended::Failed(why), ctx);
                return;
            }
        }
        self.look_around(now, ctx);
    }
}

impl LoginQueue {
    fn answer_schedule(&mut self, answer: Result<(), ScheduleRefused>) {
        if let Some(reply) = self.doors.scheduling.take() {
            // Whoever asked may be gone.
            let _ = reply.send(answer);
        }
    }
}
