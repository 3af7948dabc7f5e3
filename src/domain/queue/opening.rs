//! An opening: players gather before a moment, in any order; then the doors open, in the order they
//! came or in one that is drawn ([`crate::domain::lottery`]); after that it is first come, first
//! served.
//!
//! With a lottery: [`Queue::close_prequeue`] fixes the entrants and sets numbers aside for them, so
//! that whoever comes later stands behind; [`Queue::apply_draw`] gives the entrant of each rank the
//! number of that rank. Nobody is admitted from the first moment to the last, whatever is announced
//! meanwhile, and nobody's place lapses. Tickets with old numbers are understood for as long as
//! anybody stands in the range ([`Redirect`]).

use serde::{Deserialize, Serialize};

use super::line::{BLOCK, Line, Mark};
use super::{
    Announcement, Lane, Mode, Number, Phase, Queue, Recovery, Snapshot, TicketRef, UnixMicros,
};
use crate::domain::lottery::LotteryId;

/// How far an opening is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Opening {
    /// There is none, or all of its entrants have had their turn.
    #[default]
    None,
    /// Players gather.
    Prequeue {
        /// When the doors open.
        opens_at: UnixMicros,
        /// The lottery that decides their order; `None`: they come in as they came.
        lottery: Option<LotteryId>,
    },
    /// The entrants are fixed, their order is not drawn yet.
    Drawing(Range),
    /// The entrants have their places.
    Drawn(Range),
}

/// An opening as operators want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningPlan {
    /// When the doors open.
    pub opens_at: UnixMicros,
    /// The lottery that decides the order; `None`: that of arrival.
    pub lottery: Option<LotteryPlan>,
}

/// A lottery as operators want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LotteryPlan {
    /// Which public value is used, in words; empty: none.
    pub beacon: String,
    /// Where that value is to be had; empty: none.
    pub url: String,
}

/// The numbers that are set aside for the entrants of a lottery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The lottery.
    pub lottery: LotteryId,
    /// When the doors were to open.
    pub opens_at: UnixMicros,
    /// The number of the first place.
    pub first: Number,
    /// How many numbers: one for each entrant at the close.
    pub places: u64,
}

impl Range {
    const fn contains(&self, number: Number) -> bool {
        number.0 >= self.first.0 && number.0 - self.first.0 < self.places
    }
}

impl Opening {
    /// The word for wires and logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Prequeue { .. } => "prequeue",
            Self::Drawing(_) => "drawing",
            Self::Drawn(_) => "drawn",
        }
    }

    /// Whether the doors are still to be opened.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Prequeue { .. } | Self::Drawing(_))
    }

    /// The lottery that belongs to it.
    pub const fn lottery(&self) -> Option<&LotteryId> {
        match self {
            Self::None => None,
            Self::Prequeue { lottery, .. } => lottery.as_ref(),
            Self::Drawing(range) | Self::Drawn(range) => Some(&range.lottery),
        }
    }

    /// When the doors open, or were to open.
    pub const fn opens_at(&self) -> Option<UnixMicros> {
        match self {
            Self::None => None,
            Self::Prequeue { opens_at, .. } => Some(*opens_at),
            Self::Drawing(range) | Self::Drawn(range) => Some(range.opens_at),
        }
    }
}

/// From an entrant's old number to the new one: 4 bytes an entrant and 12 bytes for 64 numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Redirect {
    /// The number of the first place.
    first: u64,
    /// The number of the bitmap's first bit.
    base: u64,
    /// The entrants.
    words: Vec<u64>,
    /// How many of them are before each word.
    before: Vec<u32>,
    /// The rank of each, ascending by old number.
    ranks: Vec<u32>,
}

impl Redirect {
    /// From the entrants' old numbers in the order that was drawn; each once, and all within the
    /// window of a line.
    fn new(order: &[Number], first: Number) -> Self {
        let low = order.iter().min().map_or(0, |number| number.0);
        let high = order.iter().max().map_or(0, |number| number.0);
        let base = low / 64 * 64;
        let size = usize::try_from((high - base) / 64 + 1).unwrap_or(0);
        let mut redirect = Self {
            first: first.0,
            base,
            words: vec![0; size],
            before: Vec::with_capacity(size),
            ranks: vec![0; order.len()],
        };
        for &number in order {
            let (word, bit) = redirect.split(number);
            if let Some(word) = redirect.words.get_mut(word) {
                *word |= 1 << bit;
            }
        }
        let mut sum = 0;
        for word in &redirect.words {
            redirect.before.push(sum);
            sum += word.count_ones();
        }
        for (rank, &number) in (0_u32..).zip(order) {
            if let Some(index) = redirect.index(number)
                && let Some(slot) = redirect.ranks.get_mut(index)
            {
                *slot = rank;
            }
        }
        redirect
    }

    fn split(&self, number: Number) -> (usize, u64) {
        let at = number.0.wrapping_sub(self.base);
        (usize::try_from(at / 64).unwrap_or(usize::MAX), at % 64)
    }

    /// Which entrant this was, counted from 0; `None`: none.
    fn index(&self, number: Number) -> Option<usize> {
        let (at, bit) = self.split(number);
        let word = self.words.get(at)?;
        let below = (word & ((1 << bit) - 1)).count_ones();
        (word >> bit & 1 == 1).then_some((self.before.get(at)? + below) as usize)
    }

    /// The new number of an entrant; `None` for everybody else.
    fn find(&self, old: Number) -> Option<Number> {
        let rank = self.ranks.get(self.index(old)?)?;
        Some(Number(self.first + u64::from(*rank)))
    }
}

impl Queue {
    /// Lets players gather until `opens_at`; `lottery` draws their order, otherwise the doors open
    /// then by themselves. `None` calls an opening off: who waits comes in by number.
    ///
    /// An opening before this one is forgotten, drawn or not.
    pub fn schedule_opening(
        &mut self,
        now: UnixMicros,
        scheduled: Option<(UnixMicros, Option<LotteryId>)>,
    ) {
        let now = self.begin(now);
        let was_pending = self.opening.is_pending();
        self.opening = match scheduled {
            Some((opens_at, lottery)) => Opening::Prequeue { opens_at, lottery },
            None => Opening::None,
        };
        if was_pending && !self.opening.is_pending() {
            self.opened(now);
        }
        self.follow_opening(now);
        self.open_doors(now);
        self.done(now);
    }

    /// How far the opening is.
    pub const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// How many numbers [`Queue::close_prequeue`] would set aside now.
    pub fn entrants_count(&self) -> u64 {
        self.line.waiting_total() - self.line.waiting()[Lane::Staff as usize]
    }

    /// How many take part in a draw that is still to come.
    pub(super) const fn entrants_now(&self) -> u64 {
        match &self.opening {
            Opening::Prequeue { lottery: Some(_), .. } => {
                self.line.waiting_total() - self.line.waiting()[Lane::Staff as usize]
            }
            Opening::Drawing(range) => range.places,
            _ => 0,
        }
    }

    /// Fixes who takes part in the lottery: all that wait, but for staff. As many new numbers are
    /// set aside for them, so that whoever comes from now on stands behind. Returns the entrants'
    /// numbers, ascending.
    ///
    /// `None`, and nothing has changed: players do not gather for a lottery, or fewer numbers may be
    /// given than there are entrants ([`Queue::grant_numbers`]).
    pub fn close_prequeue(&mut self, now: UnixMicros) -> Option<Vec<Number>> {
        let now = self.begin(now);
        let Opening::Prequeue { opens_at, lottery: Some(lottery) } = &self.opening else {
            return None;
        };
        let first = self.line.next();
        let entrants = self.line.numbers_of(&DRAWN_LANES);
        let places = entrants.len() as u64;
        if places > self.numbers_left() || !self.line.has_room_for(places) {
            return None;
        }
        let (lottery, opens_at) = (lottery.clone(), *opens_at);
        self.line.skip_to(Number(first.0 + places));
        self.opening = Opening::Drawing(Range { lottery, opens_at, first, places });
        self.follow_opening(now);
        self.done(now);
        Some(entrants)
    }

    /// Those who take part and still wait, ascending: after a restart, when the list of the close
    /// was not published yet. Empty unless the draw is still to come.
    pub fn entrants(&self) -> Vec<Number> {
        let Opening::Drawing(range) = &self.opening else { return Vec::new() };
        let mut entrants = self.line.numbers_of(&DRAWN_LANES);
        entrants.retain(|number| *number < range.first);
        entrants
    }

    /// Gives the entrants their places and opens the doors: `order` has their numbers, first place
    /// first. Who has left since the close leaves a gap. Old tickets stay good; the answer to one
    /// carries the new one.
    ///
    /// `false`, and nothing has changed: no draw is awaited, or this is not the order of its
    /// entrants.
    ///
    /// All of them are moved in one go: some random accesses to memory for each.
    pub fn apply_draw(&mut self, now: UnixMicros, order: &[Number]) -> bool {
        let now = self.begin(now);
        if !self.reseat(order) {
            return false;
        }
        self.opened(now);
        self.follow_opening(now);
        self.done(now);
        true
    }

    /// The tickets of entrants by their places, with an identity: for a log of who has which number.
    pub fn drawn_places(&self) -> impl Iterator<Item = (Number, super::Identity, Lane)> {
        let range = match &self.opening {
            Opening::Drawn(range) => range.first.0..range.first.0 + range.places,
            _ => 0..0,
        };
        range.map(Number).filter_map(|number| {
            let record = self.line.record(number)?;
            let stands = matches!(self.line.state(number), super::line::State::Waiting(_));
            let known = record.identity() != super::Identity::ANONYMOUS;
            (stands && known).then(|| (number, record.identity(), record.lane()))
        })
    }

    fn reseat(&mut self, order: &[Number]) -> bool {
        let Opening::Drawing(range) = &self.opening else { return false };
        let fits = order.len() as u64 <= range.places;
        if !fits || order.iter().any(|number| *number >= range.first) {
            return false;
        }
        let range = range.clone();
        let mut presumed = false;
        for (place, &old) in (range.first.0..).zip(order) {
            let is_presumed = self.recovered.as_ref().is_some_and(|r| r.is_presumed(old));
            presumed |= self.line.renumber(old, Number(place)) && is_presumed;
        }
        if let Some(recovered) = &mut self.recovered
            && presumed
        {
            // Which of them were never given nobody knows; an upper bound does.
            recovered.presume_instead(range.first.0..range.first.0 + range.places);
        }
        self.redirect = Some(Redirect::new(order, range.first));
        self.opening = Opening::Drawn(range);
        true
    }

    /// The ticket by the number it has now: an entrant's old one is exchanged.
    pub fn current(&self, ticket: TicketRef) -> TicketRef {
        TicketRef { number: self.current_number(ticket.number), ..ticket }
    }

    pub(super) fn current_number(&self, number: Number) -> Number {
        self.redirect.as_ref().and_then(|redirect| redirect.find(number)).unwrap_or(number)
    }

    /// Whether the place of this ticket is still to be drawn.
    pub(super) fn is_to_be_drawn(&self, number: Number, lane: Lane) -> bool {
        lane != Lane::Staff
            && match &self.opening {
                Opening::Prequeue { lottery, .. } => lottery.is_some(),
                Opening::Drawing(range) => number < range.first,
                Opening::None | Opening::Drawn(_) => false,
            }
    }

    /// Whether this is an entrant's new number.
    pub(super) fn was_drawn(&self, number: Number) -> bool {
        matches!(&self.opening, Opening::Drawn(range) if range.contains(number))
    }

    /// What a ticket waits for before the doors open; `None`: they are open.
    pub(super) fn opening_phase(&self, number: Number, lane: Lane) -> Option<Phase> {
        let opens_in_ms = self.opening.opens_at()?.since_ms(self.time.now);
        match (&self.opening, self.is_to_be_drawn(number, lane)) {
            (Opening::Drawing(_), true) => Some(Phase::Drawing),
            (Opening::Prequeue { .. }, true) => Some(Phase::Lottery { opens_in_ms }),
            (opening, _) => opening.is_pending().then_some(Phase::Prequeue { opens_in_ms }),
        }
    }

    /// What is announced, as the opening lets it stand: before the doors open nothing that admits
    /// does, and afterwards nobody gathers.
    pub(super) fn as_opening_allows(&self, announced: Announcement) -> Announcement {
        let gathers = match &self.opening {
            Opening::Prequeue { opens_at, .. } => Some((Mode::Prequeue, *opens_at)),
            Opening::Drawing(range) => Some((Mode::Drawing, range.opens_at)),
            Opening::None | Opening::Drawn(_) => None,
        };
        let yields = announced.mode.admits() || announced.mode.is_of_opening();
        match gathers {
            Some((mode, until)) if yields => {
                Announcement { mode, until: Some(until), message: announced.message }
            }
            None if announced.mode.is_of_opening() => {
                Announcement { mode: Mode::Open, until: None, message: String::new() }
            }
            _ => announced,
        }
    }

    /// Announces what the opening has come to, unless operators have announced something stronger.
    pub(super) fn follow_opening(&mut self, now: UnixMicros) {
        let announced = self.announced.clone();
        self.obey(now, announced);
    }

    /// Opens the doors of an opening without a lottery when it is time.
    pub(super) fn open_doors(&mut self, now: UnixMicros) {
        if self.doors_due().is_some_and(|at| at <= now) {
            self.opening = Opening::None;
            self.opened(now);
            self.follow_opening(now);
        }
    }

    /// When the doors open by themselves.
    pub(super) const fn doors_due(&self) -> Option<UnixMicros> {
        match &self.opening {
            Opening::Prequeue { opens_at, lottery: None } => Some(*opens_at),
            _ => None,
        }
    }

    /// Everybody has a lease's time to find out.
    fn opened(&mut self, now: UnixMicros) {
        self.kept_until = self.kept_until.max(now.plus_ms(self.settings.lease_ms));
    }

    /// Forgets a draw when the last of its places has had its turn.
    pub(super) fn forget_draw(&mut self) {
        if let Opening::Drawn(range) = &self.opening
            && self.line.blocks().start * BLOCK >= range.first.0 + range.places
        {
            self.opening = Opening::None;
            self.redirect = None;
        }
    }

    /// Puts the opening back as a snapshot has it: with the published order, if the draw was made,
    /// applied now if the snapshot is from before.
    pub(super) fn restore_opening(&mut self, saved: &Snapshot, recovery: &Recovery) {
        self.opening = saved.opening.clone();
        let Some(order) = &recovery.order else { return };
        match &self.opening {
            Opening::Drawing(_) => {
                if self.reseat(order) {
                    self.opened(self.time.now);
                }
            }
            Opening::Drawn(range) => self.redirect = Some(Redirect::new(order, range.first)),
            Opening::None | Opening::Prequeue { .. } => {}
        }
    }
}

/// The lanes whose places are drawn. Each keeps its share afterwards.
const DRAWN_LANES: [Lane; 4] = [Lane::Grace, Lane::Standard, Lane::Low, Lane::Paying];

impl Line {
    /// Who waits in these lanes, ascending.
    fn numbers_of(&self, lanes: &[Lane]) -> Vec<Number> {
        let blocks = self.blocks();
        let words = (blocks.start * BLOCK..blocks.end * BLOCK).step_by(64);
        words
            .flat_map(|start| {
                let all = lanes.iter().fold(0, |all, &lane| all | self.word(start, lane as usize));
                super::line::ones(all).map(move |bit| Number(start + bit))
            })
            .collect()
    }

    /// Gives who waits at `old` a later number: record, lane and identity go along. Whether anybody
    /// waited there.
    fn renumber(&mut self, old: Number, new: Number) -> bool {
        let super::line::State::Waiting(lane) = self.state(old) else { return false };
        let Some(mut record) = self.record(old).copied() else { return false };
        record.set_shown(0);
        let unheard = self.has(old, Mark::Unheard);
        // Before the old one goes: the window must not slide past the new one.
        self.put(new, record);
        self.set_waiting(new, lane);
        if unheard {
            self.set(new, Mark::Unheard);
        }
        self.forget(old);
        true
    }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
