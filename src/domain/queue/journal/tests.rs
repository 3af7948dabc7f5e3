//! That a replay is what happened, whatever went in.

use proptest::prelude::*;

use super::entry::{Cursor, Entry, Writer, read};
use super::*;
use crate::domain::queue::examples::{START, at, settings};
use crate::domain::queue::{
    Announcement, Checked, Departure, Identity, Input, Lane, Mode, Number, Output, Player, Queue,
    Recovery, Settings, Signals, Standing, TicketRef, Tuning, UnixMicros, Waiting, Work,
};

/// What a step of a random life is made into, once it is known who stands where.
type Step = (u8, u64, u64);

fn step() -> impl Strategy<Value = Step> {
    (0_u8..40, any::<u64>(), prop_oneof![6 => 0_u64..900_000, 1 => 0_u64..80_000_000])
}

/// A life: what went in and came out, and the segments it was noted in.
struct Life {
    recorder: Recorder,
    now: UnixMicros,
    tickets: Vec<TicketRef>,
    segments: Vec<Segment>,
    outputs: Vec<Output>,
}

#[derive(Default)]
struct Segment {
    state: Vec<u8>,
    blocks: Vec<Vec<u8>>,
}

impl Life {
    fn new() -> Self {
        let settings = Settings {
            rate: 2.0,
            burst: 2,
            cap: 9,
            line_max: 50,
            lease_ms: 60_000,
            slow_start: 0.3,
            ..settings()
        };
        let mut queue = Queue::new(settings, 7, START);
        queue.grant_numbers(Number(1_000_000));
        let mut life = Self {
            recorder: Recorder::new(queue),
            now: START,
            tickets: vec![],
            segments: vec![],
            outputs: vec![],
        };
        life.recorder.watch_all();
        life.begin();
        life
    }

    fn begin(&mut self) {
        let state = self.recorder.begin(self.now, Vec::new());
        self.segments.push(Segment { state, ..Segment::default() });
    }

    fn flush(&mut self) {
        let block = self.recorder.take();
        self.segments.last_mut().unwrap().blocks.push(block);
    }

    fn end(&mut self, ending: Ending) {
        let block = self.recorder.end(ending);
        self.segments.last_mut().unwrap().blocks.push(block);
    }

    /// Stops and stands up again from a snapshot; after a crash what was not taken is lost.
    fn restart(&mut self, clean: bool) {
        let settings = self.recorder.settings.clone();
        let saved = self.recorder.snapshot(self.now);
        if clean {
            self.end(Ending::Stopped);
        }
        let reserved_until = Number(saved.next_number().0 + 20);
        let recovery = Recovery { clean, reserved_until, ..Recovery::default() };
        self.now = self.now.plus_secs(3);
        let mut queue = Queue::restore(settings, saved, recovery, self.now);
        queue.grant_numbers(Number(reserved_until.0 + 1_000_000));
        self.recorder = Recorder::new(queue);
        self.recorder.watch_all();
        self.begin();
    }

    fn take(&mut self, (kind, pick, wait): Step) {
        self.now = self.now.plus_us(wait);
        let tickets = &self.tickets;
        let ticket = (!tickets.is_empty()).then(|| tickets[at_most(pick, tickets.len())]);
        let player = Player(u128::from(pick % 12) + 1);
        let lane = Lane::ALL[at_most(pick >> 20, Lane::COUNT)];
        let identity = Identity(pick >> 8 & 31);
        let input = match (kind, ticket) {
            (0..8, _) => Input::Enter(identity, lane),
            (8..18, Some(ticket)) => Input::Check(ticket),
            (18, Some(ticket)) => Input::Watch(ticket),
            (19, Some(ticket)) => Input::Leave(ticket.number),
            (20 | 21, Some(ticket)) => Input::BeginRedeem(ticket),
            (22 | 23, Some(ticket)) => Input::FinishRedeem(ticket.number, player, ticket.identity),
            (24, Some(ticket)) => Input::AbandonRedeem(ticket.number, pick & 1 == 0),
            (25, Some(ticket)) => Input::Join(identity, lane, ticket),
            (26, Some(ticket)) => Input::Transfer(ticket, identity),
            (27, _) => Input::Connect(player),
            (28, _) => Input::Disconnect(player, Departure::Dropped),
            (29, _) => Input::SignOut(player),
            (30, _) => Input::Keep(player, 30_000),
            (31, _) => Input::Report(Signals {
                done: [5, 0, 0],
                failed: u32::from(pick % 8 == 5) * 9,
                p95_ms: Some(2_500),
                ..Signals::default()
            }),
            (32, _) if pick % 5 == 3 => Input::Tune(Tuning {
                grace_share: 0.25,
                lane_weights: [[4, 2, 1], [1, 1, 1]][at_most(pick, 2)],
                poll_budget: 200,
            }),
            (32, _) => Input::SetCap(pick % 12),
            (33, _) => Input::SetRate([0.0, 1.0, 5.0][at_most(pick, 3)]),
            (34, _) => Input::Announce(Announcement::new(
                [Mode::Open, Mode::Paused, Mode::Maintenance][at_most(pick, 3)],
                (pick & 64 == 0).then(|| self.now.plus_secs(20)),
                "soon",
            )),
            (35, _) => return self.flush(),
            (36, _) if pick % 4 == 1 => {
                self.end(Ending::Continued);
                return self.begin();
            }
            (37, _) if pick % 8 == 1 => return self.restart(pick & 8 == 0),
            (38, _) => {
                self.now = UnixMicros(self.now.0 - pick % 3_000_000);
                Input::Tick
            }
            _ => Input::Tick,
        };
        self.put_in(input);
    }

    fn put_in(&mut self, input: Input) {
        let (now, into) = (self.now, &mut self.recorder);
        let output = match input {
            Input::Enter(identity, lane) => Output::Entered(into.enter(now, identity, lane)),
            Input::Check(ticket) => Output::Checked(into.check(now, ticket)),
            Input::Watch(ticket) => Output::Checked(into.watch(now, ticket)),
            Input::Leave(number) => Output::Left(into.leave(now, number)),
            Input::Transfer(ticket, to) => Output::Transferred(into.transfer(now, ticket, to)),
            Input::BeginRedeem(ticket) => Output::Redeem(into.begin_redeem(now, ticket)),
            Input::FinishRedeem(number, player, identity) => {
                Output::Redeemed(into.finish_redeem(now, number, player, identity))
            }
            Input::Connect(player) => Output::Connect(into.connect(now, player)),
            Input::Keep(player, lease_ms) => Output::Kept(into.keep(now, player, lease_ms)),
            Input::Tick => Output::Wake(into.tick(now)),
            Input::Join(identity, lane, first) => {
                Output::Joined(into.join(now, identity, lane, first))
            }
            plain => {
                match plain {
                    Input::AbandonRedeem(number, back) => into.abandon_redeem(now, number, back),
                    Input::Disconnect(player, how) => into.disconnect(now, player, how),
                    Input::SignOut(player) => into.sign_out(now, player),
                    Input::Report(signals) => into.report(now, signals),
                    Input::SetCap(cap) => into.set_cap(now, cap),
                    Input::SetRate(rate) => into.set_rate(now, rate),
                    Input::Tune(to) => into.tune(now, to),
                    Input::Announce(announced) => into.announce(now, announced),
                    other => unreachable!("{other:?}"),
                }
                Output::Done
            }
        };
        if let Output::Entered(standing)
        | Output::Joined(Ok(standing))
        | Output::Transferred(Ok(standing))
        | Output::Checked(Checked::Standing(standing)) = &output
            && let Standing::Waiting(Waiting { ticket, .. }) | Standing::Passed { ticket, .. } =
                standing
        {
            self.tickets.push(*ticket);
        }
        drop(into.holders_changed());
        drop(into.ceased_to_wait());
        drop(into.admitted_out_of_turn());
        self.outputs.push(output);
    }
}

fn at_most(pick: u64, len: usize) -> usize {
    usize::try_from(pick % len as u64).unwrap()
}

/// What a replay saw.
#[derive(Default)]
struct Seen {
    outputs: Vec<Output>,
    proofs: Vec<bool>,
    endings: Vec<Ending>,
}

impl Watcher for Seen {
    fn after(&mut self, _: &Queue, _: UnixMicros, played: &Played) {
        match played {
            Played::Input(_, output) => self.outputs.push(output.clone()),
            Played::Proof(same) => self.proofs.push(*same),
            Played::End(ending) => self.endings.push(*ending),
        }
    }
}

proptest! {
    /// Every segment, played from its own beginning, gives the answers that were given, the proofs hold,
    /// and it ends in the very state the next one begins with.
    #[test]
    fn a_replay_is_what_happened(steps in prop::collection::vec(step(), 1..300)) {
        let mut life = Life::new();
        for step in steps {
            life.take(step);
        }
        life.end(Ending::Continued);
        life.begin();
        let mut seen = Seen::default();
        for pair in life.segments.windows(2) {
            let mut playback = Playback::new(&pair[0].state).unwrap();
            for block in &pair[0].blocks {
                playback.play(block, &mut seen).unwrap();
            }
            if seen.endings.pop() == Some(Ending::Continued) {
                prop_assert!(playback.queue().write_exact(Vec::new()) == pair[1].state);
            }
        }
        prop_assert!(seen.proofs.iter().all(|same| *same));
        // Of a crash the last answers are missing: the journal is behind by what was not taken.
        if seen.outputs.len() == life.outputs.len() {
            prop_assert_eq!(seen.outputs, life.outputs);
        }
    }
}

#[test]
fn a_replay_that_is_not_what_happened_says_so() {
    let mut life = Life::new();
    for who in 0..40 {
        life.take((0, who << 8, 300_000));
    }
    life.end(Ending::Stopped);
    let segment = &life.segments[0];
    let mut other = Queue::read_exact(&segment.state).unwrap();
    other.set_cap(START, 8);
    let (mut told, mut seen) = (Seen::default(), Seen::default());
    Playback::new(&segment.state).unwrap().play(&segment.blocks[0], &mut told).unwrap();
    let mut playback = Playback::new(&other.write_exact(Vec::new())).unwrap();
    playback.play(&segment.blocks[0], &mut seen).unwrap();
    assert_eq!((told.proofs, seen.proofs), (vec![true], vec![false]));
    assert_eq!(seen.endings, [Ending::Stopped]);
}

/// One input of each kind.
fn one_of_each() -> Vec<Input> {
    let ticket = TicketRef {
        epoch: 9,
        number: Number(77),
        lane: Lane::Grace,
        identity: Identity(5),
        issued_at: at(3),
    };
    vec![
        Input::GrantNumbers(Number(9_000_000)),
        Input::Enter(Identity(u64::MAX), Lane::Paying),
        Input::Enter(Identity::ANONYMOUS, Lane::Staff),
        Input::Join(Identity(6), Lane::Low, ticket),
        Input::Check(ticket),
        Input::Watch(ticket),
        Input::Leave(Number(u64::MAX)),
        Input::Transfer(ticket, Identity(8)),
        Input::BeginRedeem(ticket),
        Input::FinishRedeem(Number(3), Player(u128::MAX), Identity(4)),
        Input::Settle(Work::NewAccount),
        Input::AbandonRedeem(Number(3), true),
        Input::AdmitExempt(Player(9), Identity(4)),
        Input::Connect(Player(9)),
        Input::Disconnect(Player(9), Departure::Clean),
        Input::SignOut(Player(9)),
        Input::Keep(Player(9), 90_000),
        Input::GiveUp(Player(9), Departure::Dropped),
        Input::Report(Signals { health: Some(0.25), p95_ms: Some(40), ..Signals::default() }),
        Input::Tick,
        Input::SetRate(0.125),
        Input::SetCap(u64::MAX),
        Input::Tune(Tuning { grace_share: 0.25, lane_weights: [4, 2, 1], poll_budget: 100 }),
        Input::Announce(Announcement::new(Mode::Maintenance, Some(at(99)), "ünder work")),
        Input::ScheduleOpening(Some((at(50), Some("opening-1".to_owned().try_into().unwrap())))),
        Input::ClosePrequeue,
        Input::ApplyDraw(vec![Number(4), Number(2)]),
    ]
}

#[test]
fn every_input_is_read_as_it_was_written() {
    let inputs = one_of_each();
    let kinds: std::collections::HashSet<_> = inputs.iter().map(std::mem::discriminant).collect();
    assert_eq!(kinds.len(), 26, "a kind of input is missing here");
    let queue = Queue::new(settings(), 7, START);
    let mut writer = Writer::default();
    for (after, input) in (0..).zip(&inputs) {
        writer.input(&queue, at(after * 3), input);
        // The clock steps back.
        writer.input(&queue, at(after), &Input::Tick);
    }
    writer.proof(u64::MAX - 1);
    writer.end(Ending::Stopped);
    let bytes = writer.take();
    let (mut rest, mut cursor) = (bytes.as_slice(), Cursor::default());
    let mut next = || read(&queue, &mut cursor, &mut rest).map(|entry| (entry, cursor.at));
    for (after, input) in (0..).zip(inputs) {
        assert_eq!(next(), Ok((Entry::Input(input), at(after * 3))));
        assert_eq!(next(), Ok((Entry::Input(Input::Tick), at(after))));
    }
    assert_eq!(next().unwrap().0, Entry::Proof(u64::MAX - 1));
    assert_eq!(next().unwrap().0, Entry::End(Ending::Stopped));
    assert_eq!(next(), Err(BadEntry));
    for len in 0..bytes.len() {
        let (mut rest, mut cursor) = (&bytes[..len], Cursor::default());
        while read(&queue, &mut cursor, &mut rest).is_ok() {}
    }
}

#[test]
fn a_poll_takes_eight_bytes_at_most_and_so_does_coming_back() {
    let mut queue = Queue::new(Settings { rate: 0.0, ..settings() }, 7, START);
    queue.grant_numbers(Number(u64::MAX));
    let mut enter = |identity| match queue.enter(START, Identity(identity), Lane::Standard) {
        Standing::Waiting(waiting) => waiting.ticket,
        other => panic!("{other:?}"),
    };
    let first = enter(u64::MAX - 1);
    queue.line.skip_to(Number(1_000_000));
    let last = match queue.enter(START, Identity(u64::MAX - 2), Lane::Standard) {
        Standing::Waiting(waiting) => waiting.ticket,
        other => panic!("{other:?}"),
    };
    let mut writer = Writer::default();
    let mut longest = 0;
    for second in 0..40_u64 {
        let ticket = if second % 2 == 0 { first } else { last };
        for input in [
            Input::Check(ticket),
            Input::Watch(ticket),
            Input::Enter(ticket.identity, ticket.lane),
            Input::BeginRedeem(ticket),
        ] {
            let before = writer.len();
            writer.input(&queue, at(second * 2), &input);
            if second > 0 {
                longest = longest.max(writer.len() - before);
            }
        }
    }
    assert!(longest <= 8, "{longest} bytes");
}
