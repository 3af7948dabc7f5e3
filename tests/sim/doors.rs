//! An opening: players gather, the pre-queue closes, the order is drawn and published, the doors
//! open. The steps are the rules'; their order, and what is durable between two of them, is that of
//! the line's owner. The server is killed between any two.

use std::collections::BTreeMap;

use anteroom::domain::lottery::{LotteryId, PublicSeed, Record, Schedule, ServerSeed, Stage};
use anteroom::domain::queue::{Input, Number, Opening, Output, TicketRef};
use anteroom::domain::time::UnixMicros;
use aws_lc_rs::{digest, hmac};

use crate::world::{Event, World};

/// The lottery's own files.
#[derive(Debug, Default)]
pub struct Files {
    /// In a folder of its own.
    secret: Option<ServerSeed>,
    record: Option<Record>,
    entrants: Vec<u64>,
    order: Vec<Number>,
}

impl Files {
    /// The published order of the lottery a snapshot speaks of.
    pub fn order_for(&self, opening: &Opening) -> Option<Vec<Number>> {
        let record = self.record.as_ref()?;
        let same = opening.lottery() == Some(record.schedule().id());
        (same && matches!(record.stage(), Stage::Drawn(..))).then(|| self.order.clone())
    }
}

/// What is known of the opening beside the line.
#[derive(Default)]
pub struct Doors {
    /// What the settings say: when, and whether with a lottery.
    wanted: Option<(UnixMicros, bool)>,
    /// Fixed, and not published yet.
    entrants: Option<Vec<Number>>,
    /// As everybody read it before anybody could know the seed.
    commitment: String,
    /// Where the entrants stand by what was published, worked out here.
    places: BTreeMap<Number, Number>,
}

impl Doors {
    pub fn new(wanted: Option<(UnixMicros, bool)>) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// The number a ticket has now.
    pub fn current(&self, number: Number) -> Number {
        self.places.get(&number).copied().unwrap_or(number)
    }
}

impl World {
    /// The settings are read, at a start or when they change.
    pub fn schedule(&mut self) {
        let Some((opens_at, with_lottery)) = self.doors.wanted else { return };
        if *self.queue.opening() != Opening::None {
            return;
        }
        if opens_at <= self.machine().max(self.queue.now()) {
            self.doors.wanted = None;
            return;
        }
        let lottery = with_lottery.then(|| self.commit(opens_at));
        self.ask(Input::ScheduleOpening(Some((opens_at, lottery))));
        self.save();
        self.summary.count("openings");
    }

    /// The commitment is published before anybody gathers.
    fn commit(&mut self, opens_at: UnixMicros) -> LotteryId {
        let seed = ServerSeed::new(self.dice.bytes());
        let id = LotteryId::try_from(format!("launch-{}", self.incarnation)).unwrap();
        let times = (self.machine(), opens_at);
        let schedule = Schedule::new(id.clone(), 1, times, &seed, "a beacon".into()).unwrap();
        self.doors.commitment = schedule.commitment().to_string();
        let record = Some(Record::scheduled(schedule));
        self.disk.lottery = Files { secret: Some(seed), record, ..Files::default() };
        id
    }

    /// After a restart: from what is on disk to the next step.
    pub fn reopen_doors(&mut self) {
        self.doors.entrants = None;
        self.check_draw();
        self.push(self.now.plus_ms(500), Event::Doors);
    }

    /// Takes the next step if it is time.
    pub fn mind_the_doors(&mut self) {
        self.schedule();
        self.check_draw();
        match self.queue.opening().clone() {
            Opening::Prequeue { opens_at, lottery: Some(_) } if opens_at <= self.machine() => {
                self.close();
            }
            Opening::Prequeue { .. } => {}
            Opening::Drawing(_) => self.publish_and_draw(),
            Opening::None | Opening::Drawn(_) => return,
        }
        let ms = self.dice.ms(10, 2_000);
        self.push(self.now.plus_ms(ms), Event::Doors);
    }

    /// Whether the server is killed at this very point.
    fn is_killed(&mut self, after: &'static str) -> bool {
        if self.disk.stops || !self.dice.chance(0.15) {
            return self.disk.stops;
        }
        self.summary.count(after);
        self.disk.stops = true;
        true
    }

    fn close(&mut self) {
        self.reserve(self.queue.entrants_count());
        if self.disk.stops {
            return;
        }
        let Output::Entrants(Some(entrants)) = self.ask(Input::ClosePrequeue) else {
            panic!("I12: the pre-queue did not close");
        };
        // Newcomers would have to wait for the picture: here none come in between.
        if self.is_killed("crashes at the close") {
            return;
        }
        self.save();
        self.doors.entrants = Some(entrants);
    }

    fn publish_and_draw(&mut self) {
        let record = self.disk.lottery.record.clone().expect("a lottery has a record");
        let now = self.machine();
        if *record.stage() == Stage::Scheduled {
            let entrants = self.doors.entrants.take();
            let entrants = entrants.unwrap_or_else(|| self.queue.entrants());
            let entrants: Vec<u64> = entrants.into_iter().map(|number| number.0).collect();
            if self.is_killed("crashes before the entrants are published") {
                return;
            }
            self.disk.lottery.record = Some(record.close(now, &entrants).unwrap());
            self.disk.lottery.entrants = entrants;
            return;
        }
        let entrants = &self.disk.lottery.entrants;
        let seed = self.disk.lottery.secret.clone().expect("kept until the draw");
        let public = PublicSeed::new(b"what the beacon said").unwrap();
        let (record, order) = record.draw(now, seed, public, entrants).unwrap();
        let order: Vec<Number> =
            order.into_iter().map(|at| Number(entrants[at as usize])).collect();
        if self.is_killed("crashes before the order is published") {
            return;
        }
        self.disk.lottery.record = Some(record);
        self.disk.lottery.order.clone_from(&order);
        if self.is_killed("crashes before the draw is applied") {
            return;
        }
        assert_eq!(self.ask(Input::ApplyDraw(order)), Output::Drawn(true), "I12");
        self.disk.unsynced.extend(self.queue.drawn_places());
        self.save();
        self.summary.count("draws");
        self.check_draw();
    }

    /// I12: whoever took part stands where what was published says. Computed here by the formulas of
    /// `docs/lottery.md`, not by the code that drew.
    fn check_draw(&mut self) {
        let Opening::Drawn(range) = self.queue.opening() else { return };
        let first = range.first.0;
        let files = &self.disk.lottery;
        let record = files.record.as_ref().expect("a draw is published");
        let Stage::Drawn(closed, drawn) = record.stage() else {
            panic!("I12: places were drawn that nobody published: {record:?}");
        };
        if self.doors.places.is_empty() {
            let (server, root) = (drawn.server_seed.reveal(), closed.root.to_string());
            let public = String::from(drawn.public_seed.clone());
            let commitment = sha256(&[b"anteroom lottery v1 commitment\n", &unhex(&server)]);
            assert_eq!(commitment, unhex(&self.doors.commitment), "I12: another seed");
            let parts = [unhex(&server), unhex(&root), unhex(&public)];
            let seed = sha256(&[b"anteroom lottery v1 seed\n", &parts[0], &parts[1], &parts[2]]);
            let order = recomputed(&seed, &files.entrants);
            self.doors.places = order.into_iter().map(Number).zip((first..).map(Number)).collect();
        }
        for person in &self.people {
            let Some(ticket) = person.ticket else { continue };
            let TicketRef { number, .. } = self.queue.current(ticket);
            assert_eq!(number, self.doors.current(ticket.number), "I12: {person:?}");
        }
    }
}

/// The numbers of the entrants, first place first.
fn recomputed(seed: &[u8], entrants: &[u64]) -> Vec<u64> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, seed);
    let tag = |number: &u64| hmac::sign(&key, &number.to_be_bytes()).as_ref()[..16].to_vec();
    let mut tagged: Vec<_> = entrants.iter().map(|number| (tag(number), *number)).collect();
    tagged.sort();
    tagged.into_iter().map(|(_, number)| number).collect()
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest::digest(&digest::SHA256, &parts.concat()).as_ref().to_vec()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
    digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect()
}
