//! The frame: one small answer for everybody in line, from which each works out where he stands.
//!
//! For each lane a few points say how many wait up to a number and about how long that takes; between
//! two points both grow evenly, within [`CLOSE`]. The points are where the line bends: a line that was
//! thinned evenly needs a few however long it is, and one with holes more. So a million who wait
//! cost one small answer a second, which a cache can hand out.
//!
//! Who is close to the front asks for his own place ([`FRONT_CONFIRM_S`]), so there the frame need be
//! no closer than it is where that begins: chance makes the first few hundred places uneven, and to
//! say all of that would take the room of everybody else's.

use super::answer::Guess;
use super::line::BLOCK;
use super::poll::FRONT_CONFIRM_S;
use super::{Announcement, Lane, Number, Queue, UnixMicros};

/// How far what is between two points may be off: a share of the position or of the time.
const CLOSE: f64 = 0.005;
/// Or this many places, where that is more.
const CLOSE_PLACES: f64 = 1.0;
/// Or this many seconds.
const CLOSE_S: f64 = 2.0;
/// Most room all points may take, in bytes as the queue API writes them: with all else a frame of ten
/// million in all lanes stays within two kilobytes.
pub const ROOM_BYTES: usize = 1_300;
/// Where too many points would be needed, the line is looked at so much more coarsely, again and again.
const COARSER: f64 = 1.3;
/// So many times at most.
const COARSER_MAX: u32 = 24;
/// Numbers between two looks: at the head, and far from it.
const STEP_MIN: u64 = 4;
/// A look for about every so many places ahead of it.
const LOOKS_PER_POSITION: u64 = 256;

/// The state of the whole line at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Lifetime of the line: tickets of another epoch must ask where they stand.
    pub epoch: u32,
    /// When this was so.
    pub at: UnixMicros,
    /// Since when this server runs: whoever was last answered before that asks again soon.
    pub started_at: UnixMicros,
    /// What the line does, until when, and what players are told.
    pub announced: Announcement,
    /// Admissions per second in force.
    pub rate: f64,
    /// The lanes somebody waits in.
    pub lanes: Vec<LaneFrame>,
}

/// One lane of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneFrame {
    /// Which.
    pub lane: Lane,
    /// How many wait in it.
    pub waiting: u64,
    /// From the head to the last; none while places are still to be drawn. A ticket below the first point comes in now; one beyond the last is
    /// newer than the frame.
    pub points: Vec<Point>,
}

/// How many wait up to a number, that one included, and how long until it comes in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The number. Its own ticket need not wait any more.
    pub number: Number,
    /// The place a ticket with this number has.
    pub position: u64,
    /// Seconds until it comes in; `None`: nobody can say.
    pub seconds: Option<f64>,
}

impl LaneFrame {
    /// What a client works out: the place of a ticket, to be rounded, and the seconds until it comes
    /// in. `None` for a ticket newer than the frame.
    #[expect(clippy::cast_precision_loss, reason = "numbers and counts far below 2^52")]
    pub fn look_up(&self, number: Number) -> Option<(f64, Option<f64>)> {
        let after = self.points.iter().position(|point| point.number >= number)?;
        let (to, from) = (self.points[after], after.checked_sub(1).map(|at| self.points[at]));
        let Some(from) = from else { return Some((to.position as f64, to.seconds)) };
        let share = (number.0 - from.number.0) as f64 / (to.number.0 - from.number.0) as f64;
        let between = |from: f64, to: f64| from + (to - from) * share;
        let seconds = from.seconds.zip(to.seconds).map(|(from, to)| between(from, to));
        Some((between(from.position as f64, to.position as f64), seconds))
    }
}

impl LaneFrame {
    /// The room its points take, in bytes: each is written as the difference to the one before.
    pub fn room(&self) -> usize {
        let mut before = [0; 3];
        let written = self.points.iter().map(|point| {
            let seconds = point.seconds.unwrap_or(0.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates"
            )]
            let now = [point.number.0, point.position, seconds as u64];
            let digits = |(now, before): (u64, u64)| {
                now.abs_diff(before).checked_ilog10().unwrap_or(0) as usize + 1
            };
            let digits: usize = now.into_iter().zip(before).map(digits).sum();
            before = now;
            digits + "[,,],".len()
        });
        written.sum()
    }
}

impl Queue {
    /// The frame at the moment of the last call. Takes about a third of a millisecond with ten
    /// million waiting.
    pub fn frame(&self) -> Frame {
        let looked: Vec<_> = Lane::ALL.iter().filter_map(|&lane| self.look_along(lane)).collect();
        let mut tolerance = 1.0;
        let mut lanes: Vec<LaneFrame> = Vec::new();
        for _ in 0..COARSER_MAX {
            lanes = looked
                .iter()
                .map(|looks| self.as_opening_shows(looks.thinned(tolerance)))
                .collect();
            if lanes.iter().map(LaneFrame::room).sum::<usize>() <= ROOM_BYTES {
                break;
            }
            tolerance *= COARSER;
        }
        Frame {
            epoch: self.epoch,
            at: self.time.now,
            started_at: self.started_at,
            announced: self.announced.clone(),
            rate: self.gate.rate(),
            lanes,
        }
    }

    /// A lane as it may be shown: no places before they are drawn.
    fn as_opening_shows(&self, mut lane: LaneFrame) -> LaneFrame {
        let first = lane.points.first().map(|point| point.number);
        if first.is_some_and(|first| self.is_to_be_drawn(first, lane.lane)) {
            lane.points.clear();
        }
        lane
    }

    /// Looks at a lane from its head to its end, closely at first. `None`: nobody waits there.
    fn look_along(&self, lane: Lane) -> Option<Looks> {
        let waiting = self.line.waiting()[lane as usize];
        let head = self.line.front(lane)?;
        let mut points: Vec<Point> = Vec::new();
        let last = self.line.next().0.saturating_sub(1);
        for block in self.line.blocks_from(head) {
            let end = ((block + 1) * BLOCK - 1).min(last);
            let mut number = (block * BLOCK).max(head.0);
            loop {
                let position = self.line.position(Number(number), lane);
                self.note(lane, Number(number), position, &mut points);
                if number >= end || position >= waiting {
                    break;
                }
                let step = (position / LOOKS_PER_POSITION).clamp(STEP_MIN, BLOCK);
                number = (number + step).min(end);
            }
        }
        let asks = |point: &&Point| point.seconds.is_some_and(|seconds| seconds <= FRONT_CONFIRM_S);
        let front = points.iter().take_while(asks).last().map_or(0, |point| point.position);
        Some(Looks { lane, waiting, front, points })
    }

    /// Notes a look, unless nobody waits up to there.
    fn note(&self, lane: Lane, number: Number, position: u64, points: &mut Vec<Point>) {
        if position == 0 {
            return;
        }
        let waited_s = self.waited_s(self.time.now, number);
        let seconds = self.seconds(lane, position, waited_s).map(Guess::value);
        points.push(Point { number, position, seconds });
    }
}

/// A lane, looked at more closely than a frame can say.
struct Looks {
    lane: Lane,
    waiting: u64,
    /// The last place of those who ask for themselves.
    front: u64,
    points: Vec<Point>,
}

impl Looks {
    /// The fewest of these points, nearly, between which the others lie on straight lines, as far as
    /// `tolerance` times what is allowed.
    fn thinned(&self, tolerance: f64) -> LaneFrame {
        let mut kept: Vec<Point> = self.points.first().copied().into_iter().collect();
        let (mut places, mut seconds) = (Cone::OPEN, Cone::OPEN);
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let least = (self.front as f64 * CLOSE).max(CLOSE_PLACES);
        for pair in self.points.windows(2) {
            let [before, next] = [pair[0], pair[1]];
            let Some(&anchor) = kept.last() else { break };
            let fits = places.holds(place(anchor, next)) && seconds.holds(time(anchor, next));
            if !fits {
                kept.push(before);
                (places, seconds) = (Cone::OPEN, Cone::OPEN);
            }
            let Some(&anchor) = kept.last() else { break };
            places.narrow(place(anchor, next), tolerance, least);
            seconds.narrow(time(anchor, next), tolerance, CLOSE_S);
        }
        kept.extend(self.points.last().filter(|last| kept.last() != Some(last)));
        LaneFrame { lane: self.lane, waiting: self.waiting, points: kept }
    }
}

/// Where a point lies as seen from another: how far, how much higher, and how high in all.
type Seen = (f64, f64, f64);

#[expect(clippy::cast_precision_loss, reason = "numbers and counts far below 2^52")]
fn place(from: Point, to: Point) -> Seen {
    let far = to.number.0.saturating_sub(from.number.0) as f64;
    (far, to.position as f64 - from.position as f64, to.position as f64)
}

#[expect(clippy::cast_precision_loss, reason = "numbers far below 2^52")]
fn time(from: Point, to: Point) -> Seen {
    let far = to.number.0.saturating_sub(from.number.0) as f64;
    let (start, end) = (from.seconds.unwrap_or(0.0), to.seconds.unwrap_or(0.0));
    (far, end - start, end)
}

/// The slopes a straight line from the last point kept may have to be close to all looks since.
struct Cone {
    low: f64,
    high: f64,
}

impl Cone {
    const OPEN: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    fn holds(&self, (far, higher, _): Seen) -> bool {
        far <= 0.0 || (self.low..=self.high).contains(&(higher / far))
    }

    fn narrow(&mut self, (far, higher, height): Seen, tolerance: f64, least: f64) {
        if far > 0.0 {
            let slack = (height * CLOSE).max(least) * tolerance;
            self.low = self.low.max((higher - slack) / far);
            self.high = self.high.min((higher + slack) / far);
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts, compared with a tolerance")]
mod tests {
    use super::*;
    use crate::domain::queue::examples::{at, queue, settings, standing, waiting};
    use crate::domain::queue::index::mix;
    use crate::domain::queue::{Identity, Settings};

    const CROWD: u64 = 60_000;

    /// A line in which everybody stays for whom `stays` says so.
    fn line(stays: impl Fn(u64) -> bool) -> Queue {
        let settings = Settings { rate: 50.0, cap: 1_000_000, line_max: CROWD, ..settings() };
        let mut queue = queue(settings);
        for who in 1..=CROWD {
            let lane = if who % 10 == 3 { Lane::Low } else { Lane::Standard };
            queue.enter(at(0), Identity(who), lane);
        }
        (1..=CROWD).filter(|&who| !stays(who)).for_each(|who| {
            queue.leave(at(0), Number(who));
        });
        queue
    }

    /// Everybody finds his place in the frame as the line itself would tell him: to one in a hundred,
    /// and no closer than that at the front, where he asks for himself.
    fn verify(queue: &Queue) {
        let frame = queue.frame();
        assert!(frame.lanes.iter().map(|lane| lane.waiting).sum::<u64>() > CROWD / 10);
        let room: usize = frame.lanes.iter().map(LaneFrame::room).sum();
        assert!(room <= ROOM_BYTES, "{room} bytes");
        for lane in &frame.lanes {
            assert_eq!(lane.waiting, queue.line.waiting()[lane.lane as usize]);
            let mut met = 0;
            let front = queue.look_along(lane.lane).unwrap().front as f64;
            for number in (1..=CROWD).map(Number) {
                if queue.line.state(number) != super::super::line::State::Waiting(lane.lane) {
                    continue;
                }
                met += 1;
                let position = queue.line.position(number, lane.lane);
                let true_place = position as f64;
                let (place, seconds) = lane.look_up(number).unwrap();
                let off = (place - true_place).abs();
                let near = (true_place.max(front) / 100.0).max(STEP_MIN as f64);
                assert!(off <= near, "{number:?}: {place} for {true_place}");
                let told = queue.seconds(lane.lane, position, 0).unwrap().value();
                let off_s = (seconds.unwrap() - told).abs();
                let near_s = (told.max(FRONT_CONFIRM_S) / 50.0).max(CLOSE_S);
                assert!(off_s <= near_s, "{number:?}: {seconds:?} for {told}");
            }
            assert_eq!(met, lane.waiting, "everybody was looked at");
        }
    }

    #[test]
    fn an_evenly_thinned_line_is_told_by_a_few_points() {
        verify(&line(|_| true));
        verify(&line(|who| mix(who).is_multiple_of(2)));
        verify(&line(|who| mix(who).is_multiple_of(3)));
    }

    #[test]
    fn holes_are_told_too() {
        verify(&line(|who| !(who / 7_000).is_multiple_of(3) && !mix(who / 900).is_multiple_of(4)));
    }

    #[test]
    fn who_watches_is_left_alone_until_the_front_and_keeps_the_place() {
        let settings = Settings { rate: 1.0, lease_ms: 30_000, line_max: 10_000, ..settings() };
        let mut queue = queue(Settings { cap: 100_000, ..settings });
        let tickets: Vec<_> =
            (1..=2_000).map(|who| queue.enter(at(0), Identity(who), Lane::Standard)).collect();
        let mine = waiting(tickets[1_500]).ticket;
        let told = waiting(standing(queue.watch(at(1), mine)));
        // 1,500 s to go, less the three minutes, less jitter.
        assert!((1_000_000..1_320_000).contains(&told.poll_after_ms), "{told:?}");
        assert!(told.lease_until >= at(3_000));
        let near = waiting(standing(queue.watch(at(1), waiting(tickets[100]).ticket)));
        assert!(near.poll_after_ms < 120_000, "at the front the ordinary pace: {near:?}");
    }

    #[test]
    fn nobody_waiting_is_an_empty_frame_that_says_what_the_line_does() {
        let mut queue = queue(settings());
        queue.announce(at(0), Announcement::new(crate::domain::queue::Mode::Paused, None, "soon"));
        let frame = queue.frame();
        assert!(frame.lanes.is_empty());
        assert_eq!((&*frame.announced.message, frame.epoch), ("soon", 3));
    }
}
