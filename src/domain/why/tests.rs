//! Stories, one for each reason to wait: what is told is what happened.

use super::*;
use crate::config::QueueConfig;
use crate::domain::queue::journal::{Ending, Playback, Recorder};
use crate::domain::queue::{
    Announcement, Bound, Checked, Departure, Identity, Lane, Mode, Number, Player, Queue, Recovery,
    Settings, Standing, TicketRef,
};
use crate::domain::time::UnixMicros;

const START: UnixMicros = UnixMicros::from_secs(1_000_000);

fn at(seconds: u64) -> UnixMicros {
    START.plus_secs(seconds)
}

fn settings() -> Settings {
    let config = QueueConfig { rate: 1.0, burst: 1, cap: 100, ..QueueConfig::default() };
    Settings { lease_ms: 60_000, parked_ms: 120_000, slow_start: 1.0, ..config.settings() }
}

/// A line and its journal.
struct Tape {
    line: Recorder,
    now: UnixMicros,
    segments: Vec<(UnixMicros, Vec<u8>, Vec<u8>)>,
}

impl Tape {
    fn new(settings: Settings) -> Self {
        let mut queue = Queue::new(settings, 3, START);
        queue.grant_numbers(Number(100_000));
        let mut tape = Self { line: Recorder::new(queue), now: START, segments: Vec::new() };
        tape.begin();
        tape
    }

    fn begin(&mut self) {
        let state = self.line.begin(self.now, Vec::new());
        self.segments.push((self.now, state, Vec::new()));
    }

    fn end(&mut self, ending: Ending) {
        self.segments.last_mut().unwrap().2.extend(self.line.end(ending));
    }

    /// Lets time pass, with alarms as the server has them; these ask every five seconds.
    fn until(&mut self, seconds: u64, asking: &[TicketRef]) {
        while self.now < at(seconds) {
            self.now = self.now.plus_ms(500);
            self.line.tick(self.now);
            if self.now.as_millis().is_multiple_of(5_000) {
                for ticket in asking {
                    self.line.check(self.now, *ticket);
                }
            }
        }
    }

    fn enter(&mut self, who: u64, lane: Lane) -> TicketRef {
        match self.line.enter(self.now, Identity(who), lane) {
            Standing::Waiting(waiting) => waiting.ticket,
            Standing::Passed { ticket, .. } => ticket,
            other => panic!("{other:?}"),
        }
    }

    fn many(&mut self, who: std::ops::Range<u64>) -> Vec<TicketRef> {
        who.map(|who| self.enter(who, Lane::Standard)).collect()
    }

    fn sign_in(&mut self, ticket: TicketRef, player: u128) {
        self.line.begin_redeem(self.now, ticket).unwrap();
        let (number, identity) = (ticket.number, ticket.identity);
        self.line.finish_redeem(self.now, number, Player(player), identity);
        self.line.connect(self.now, Player(player)).unwrap();
    }

    /// What is told of whom.
    fn stories(mut self, subject: Subject) -> Vec<Story> {
        self.end(Ending::Continued);
        told(&self.segments, subject)
    }

    fn story(self, ticket: TicketRef) -> Story {
        self.stories(Subject::Number(ticket.number)).pop().expect("a story")
    }
}

fn told(segments: &[(UnixMicros, Vec<u8>, Vec<u8>)], subject: Subject) -> Vec<Story> {
    let mut follower = Follower::new(subject);
    for (nth, (at, state, block)) in segments.iter().enumerate() {
        let mut playback = Playback::new(state).unwrap();
        follower.begin(*at, playback.queue(), nth > 0, false);
        playback.play(block, &mut follower).unwrap();
    }
    assert_eq!(follower.proofs_failed(), 0);
    follower.stories()
}

fn seconds(story: &Story, cause: Cause) -> u64 {
    story.causes.get(&cause).map_or(0, |us| (us + 500_000) / 1_000_000)
}

fn happened(story: &Story) -> Vec<&'static str> {
    let name = |event: &Event| match event.happened {
        Happened::Entered { .. } => "entered",
        Happened::Parked => "parked",
        Happened::Returned { .. } => "returned",
        Happened::Admitted { .. } => "admitted",
        Happened::PassLapsed => "pass lapsed",
        Happened::Announced { .. } => "announced",
        Happened::Rate { .. } => "rate",
        Happened::Cap { .. } => "cap",
        Happened::Transferred => "transferred",
        Happened::Stopped { in_order: true } => "stopped",
        Happened::Stopped { in_order: false } => "killed",
        Happened::Started => "started",
        Happened::Drawn { .. } => "drawn",
        Happened::Gap => "gap",
    };
    story.events.iter().map(name).collect()
}

#[test]
fn the_rate_and_those_ahead() {
    let mut tape = Tape::new(settings());
    let others = tape.many(1..21);
    let ours = tape.enter(99, Lane::Standard);
    tape.until(4, &[]);
    // One gives up, one is let in before by his lane.
    tape.line.leave(tape.now, others[15].number);
    let staff = tape.enter(500, Lane::Staff);
    let asking: Vec<_> = others.into_iter().chain([ours, staff]).collect();
    tape.until(40, &asking);
    tape.sign_in(ours, 1);
    let story = tape.story(ours);
    assert_eq!(story.number, ours.number);
    let entered = &story.events[0].happened;
    let first = Happened::Entered { lane: Lane::Standard, position: Some(20), on_record: true };
    assert_eq!(*entered, first);
    assert_eq!(happened(&story), ["entered", "admitted"]);
    assert_eq!(story.ended.unwrap().1, End::SignedIn);
    assert_eq!(seconds(&story, Cause::Bound(Bound::Rate)), 20);
    assert_eq!(story.waited_us(), story.admitted_at.unwrap().since_us(START));
    assert_eq!(story.ahead, Left { admitted: 18, left: 1, ..Left::default() });
    assert_eq!(story.admitted[Lane::Staff as usize], 1);
    assert_eq!(story.spans.len(), 1, "{:?}", story.spans);
}

#[test]
fn a_full_world_and_somebody_who_leaves_it() {
    let mut tape = Tape::new(Settings { cap: 1, ..settings() });
    let first = tape.enter(1, Lane::Standard);
    tape.sign_in(first, 1);
    let ours = tape.enter(2, Lane::Standard);
    tape.until(90, &[ours]);
    tape.line.disconnect(tape.now, Player(1), Departure::Ended);
    tape.until(92, &[ours]);
    let story = tape.story(ours);
    assert_eq!(seconds(&story, Cause::Bound(Bound::Full)), 90);
    assert_eq!(story.admitted_at, Some(at(90)));
    assert_eq!(story.ended, None, "the pass is out");
}

#[test]
fn a_pause_with_words_and_the_slow_start_after_it() {
    let mut tape = Tape::new(Settings { slow_start: 0.1, ..settings() });
    let others = tape.many(1..6);
    let ours = tape.enter(9, Lane::Standard);
    let words = Announcement::new(Mode::Maintenance, Some(at(60)), "a new world");
    tape.line.announce(tape.now, words.clone());
    let asking: Vec<_> = others.into_iter().chain([ours]).collect();
    tape.until(120, &asking);
    let story = tape.story(ours);
    assert_eq!(seconds(&story, Cause::Bound(Bound::Maintenance)), 60);
    assert!(seconds(&story, Cause::Bound(Bound::SlowStart)) > 5, "{:?}", story.causes);
    assert_eq!(happened(&story), ["entered", "announced", "announced", "admitted"]);
    assert_eq!(story.events[1].happened, Happened::Announced { said: words });
    let causes: Vec<Cause> = story.spans.iter().map(|span| span.cause).collect();
    let expected = [Bound::Maintenance, Bound::SlowStart].map(Cause::Bound);
    assert_eq!(causes, expected);
}

#[test]
fn silent_at_the_head_and_back_again() {
    let mut tape = Tape::new(settings());
    let others = tape.many(1..60);
    let ours = tape.enter(99, Lane::Standard);
    let later = tape.many(100..140);
    let asking: Vec<_> = others.into_iter().chain(later).collect();
    tape.until(80, &asking);
    assert_eq!(tape.line.place(ours.number), crate::domain::queue::Place::Parked);
    let Checked::Standing(_) = tape.line.check(tape.now, ours) else { panic!("forgotten") };
    tape.until(84, &asking);
    let story = tape.story(ours);
    assert_eq!(happened(&story)[..3], ["entered", "parked", "returned"]);
    assert_eq!(*happened(&story).last().unwrap(), "admitted");
    assert!(seconds(&story, Cause::Away) >= 19, "{:?}", story.causes);
    assert!(story.silent_us >= 79_000_000);
    assert_eq!(story.heard, 2);
}

#[test]
fn gone_without_a_word() {
    let mut tape = Tape::new(Settings { rate: 0.0, ..settings() });
    let ours = tape.enter(99, Lane::Standard);
    tape.until(200, &[]);
    let story = tape.story(ours);
    assert_eq!(story.ended.map(|(_, end)| end), Some(End::LeaseOver));
    assert!(seconds(&story, Cause::Bound(Bound::NoRate)) >= 60);
    let mut tape = Tape::new(settings());
    let ours = tape.enter(99, Lane::Standard);
    tape.until(400, &[]);
    let story = tape.story(ours);
    assert_eq!(happened(&story), ["entered", "admitted", "pass lapsed"]);
    assert_eq!(story.ended.map(|(_, end)| end), Some(End::NotBack));
}

#[test]
fn an_owner_s_tickets_one_after_the_other() {
    let mut tape = Tape::new(Settings { rate: 0.1, ..settings() });
    tape.many(1..4);
    let ours = tape.enter(99, Lane::Standard);
    tape.until(2, &[]);
    tape.line.leave(tape.now, ours.number);
    tape.until(6, &[]);
    let again = tape.enter(99, Lane::Paying);
    tape.until(8, &[]);
    let stories = tape.stories(Subject::Owner(Identity(99)));
    let told: Vec<_> = stories.iter().map(|story| (story.number, story.ended)).collect();
    assert_eq!(told, [(ours.number, Some((at(2), End::Left))), (again.number, None)]);
}

#[test]
fn a_stop_a_crash_and_a_line_that_starts_anew() {
    for clean in [true, false] {
        let settings = Settings { rate: 0.05, settle_ms: 15_000, ..settings() };
        let mut tape = Tape::new(settings.clone());
        let others = tape.many(1..4);
        tape.sign_in(others[0], 1);
        let ours = tape.enter(99, Lane::Standard);
        tape.until(10, &[]);
        let saved = tape.line.snapshot(tape.now);
        if clean {
            tape.end(Ending::Stopped);
        } else {
            let block = tape.line.take();
            tape.segments.last_mut().unwrap().2.extend(block);
        }
        tape.now = at(40);
        let reserved_until = Number(100_000);
        let recovery = Recovery { clean, reserved_until, ..Recovery::default() };
        let mut queue = Queue::restore(settings.clone(), saved, recovery, tape.now);
        queue.grant_numbers(Number(200_000));
        tape.line = Recorder::new(queue);
        tape.begin();
        tape.until(50, &[ours]);
        tape.end(Ending::Stopped);
        let mut queue = Queue::new(settings, 4, at(60));
        queue.grant_numbers(Number(100));
        (tape.line, tape.now) = (Recorder::new(queue), at(60));
        tape.begin();
        let story = tape.story(ours);
        let stop = if clean { "stopped" } else { "killed" };
        assert_eq!(happened(&story), ["entered", stop, "started", "stopped", "started"]);
        assert_eq!(seconds(&story, Cause::Down), 30 + 10);
        assert_eq!(seconds(&story, Cause::Bound(Bound::Settling)), 10);
        assert_eq!(story.ended, Some((at(60), End::Unknown)));
    }
}

#[test]
fn the_line_at_one_moment() {
    let mut tape = Tape::new(Settings { cap: 1, ..settings() });
    let first = tape.enter(1, Lane::Standard);
    tape.until(5, &[]);
    tape.sign_in(first, 1);
    tape.many(2..5);
    tape.until(10, &[]);
    tape.enter(5, Lane::Paying);
    tape.until(20, &[]);
    tape.end(Ending::Continued);
    let look = |seconds| {
        let mut onlooker = Onlooker::new(at(seconds));
        for (at, state, block) in &tape.segments {
            let mut playback = Playback::new(state).unwrap();
            onlooker.begin(*at, playback.queue());
            playback.play(block, &mut onlooker).unwrap();
        }
        onlooker.scene().cloned().unwrap()
    };
    let (early, late) = (look(8), look(500));
    assert_eq!((early.waiting, early.at), ([0, 0, 3, 0, 0], at(8)));
    assert_eq!((late.waiting, late.slots), ([0, 0, 3, 0, 1], (1, 1)));
    assert_eq!(late.bound, Some(Bound::Full));
}
