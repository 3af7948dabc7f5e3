//! The timers of one session, in microseconds on a steady clock that started when it opened.

use super::CloseReason;
use crate::domain::time::UnixMicros;

/// How long each thing may take, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Ping frames are sent this often; `None`: never.
    pub ping_us: Option<u64>,
    /// Silence after which the session closes.
    pub idle_us: u64,
    /// How long the client may take nothing of what waits for it.
    pub stuck_us: u64,
    /// How long what is queued may take to go out once the session closes.
    pub drain_us: u64,
    /// How long to wait for the client's close frame.
    pub part_us: u64,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Send a ping frame.
    Ping,
    /// Close for this reason.
    Close(CloseReason),
    /// Closing took too long: cut the connection.
    Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Live,
    Draining { until_us: u64 },
    Parting { until_us: u64 },
    Over,
}

/// Where a session is in its life and what falls due when.
#[derive(Clone, Debug)]
pub struct Life {
    timing: Timing,
    phase: Phase,
    heard_us: u64,
    pinged_us: u64,
    deaf: bool,
    stuck_since_us: Option<u64>,
    expires_at: Option<UnixMicros>,
}

impl Life {
    /// A session that opens now, at time zero of its steady clock.
    pub const fn new(timing: Timing, expires_at: Option<UnixMicros>) -> Self {
        Self {
            timing,
            phase: Phase::Live,
            heard_us: 0,
            pinged_us: 0,
            deaf: false,
            stuck_since_us: None,
            expires_at,
        }
    }

    /// Whether it is neither closing nor over.
    pub const fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live)
    }

    /// Whether the last queued bytes are on their way out.
    pub const fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    /// Whether the connection may be dropped.
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Something came from the client.
    pub const fn heard(&mut self, now_us: u64) {
        self.heard_us = now_us;
    }

    /// Whether we listen at all. While a request is worked on nobody reads, so silence counts from
    /// the moment we listen again.
    pub const fn listen(&mut self, listening: bool, now_us: u64) {
        if self.deaf && listening {
            self.heard_us = now_us;
        }
        self.deaf = !listening;
    }

    /// The client took some of what waits for it, or all of it.
    pub const fn took(&mut self, all: bool, now_us: u64) {
        self.stuck_since_us = if all { None } else { Some(now_us) };
    }

    /// The client takes nothing although something waits.
    pub const fn stuck(&mut self, now_us: u64) {
        if self.stuck_since_us.is_none() {
            self.stuck_since_us = Some(now_us);
        }
    }

    /// The token was replaced by one that lives until `expires_at`.
    pub const fn extend(&mut self, expires_at: UnixMicros) {
        self.expires_at = Some(expires_at);
    }

    /// Starts closing: what is queued goes out first. Does nothing unless live.
    pub const fn close(&mut self, now_us: u64) {
        if self.is_live() {
            self.phase = Phase::Draining { until_us: now_us.saturating_add(self.timing.drain_us) };
        }
    }

    /// Everything is out, the close frame too: wait for the client's, unless it came already.
    pub const fn drained(&mut self, peer_closed: bool, now_us: u64) {
        if self.is_draining() {
            self.phase = if peer_closed {
                Phase::Over
            } else {
                Phase::Parting { until_us: now_us.saturating_add(self.timing.part_us) }
            };
        }
    }

    /// The client's close frame came while we wait for nothing else.
    pub const fn parted(&mut self) {
        if matches!(self.phase, Phase::Parting { .. }) {
            self.phase = Phase::Over;
        }
    }

    /// The connection is gone.
    pub const fn end(&mut self) {
        self.phase = Phase::Over;
    }

    /// What falls due at this moment. A ping is due once, then again after its period.
    pub fn due(&mut self, now_us: u64, wall: UnixMicros) -> Due {
        match self.phase {
            Phase::Live => self.due_live(now_us, wall),
            Phase::Draining { until_us } | Phase::Parting { until_us } if now_us >= until_us => {
                self.phase = Phase::Over;
                Due::Cut
            }
            _ => Due::Nothing,
        }
    }

    fn due_live(&mut self, now_us: u64, wall: UnixMicros) -> Due {
        if self.expires_at.is_some_and(|at| wall >= at) {
            return Due::Close(CloseReason::Expired);
        }
        if !self.deaf && now_us >= self.heard_us.saturating_add(self.timing.idle_us) {
            return Due::Close(CloseReason::Idle);
        }
        let stuck = self.stuck_since_us.map(|since| since.saturating_add(self.timing.stuck_us));
        if stuck.is_some_and(|at| now_us >= at) {
            return Due::Close(CloseReason::SlowConsumer);
        }
        match self.timing.ping_us {
            Some(every) if now_us >= self.pinged_us.saturating_add(every) => {
                self.pinged_us = now_us;
                Due::Ping
            }
            _ => Due::Nothing,
        }
    }

    /// When to ask [`Life::due`] next, in microseconds of the steady clock. `None`: it is over.
    pub fn next_us(&self, now_us: u64, wall: UnixMicros) -> Option<u64> {
        match self.phase {
            Phase::Over => None,
            Phase::Draining { until_us } | Phase::Parting { until_us } => Some(until_us),
            Phase::Live => [
                (!self.deaf).then(|| self.heard_us.saturating_add(self.timing.idle_us)),
                self.timing.ping_us.map(|every| self.pinged_us.saturating_add(every)),
                self.stuck_since_us.map(|since| since.saturating_add(self.timing.stuck_us)),
                self.expires_at.map(|at| now_us.saturating_add(at.since_us(wall))),
            ]
            .into_iter()
            .flatten()
            .min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: UnixMicros = UnixMicros(1_700_000_000_000_000);
    const TIMING: Timing = Timing {
        ping_us: Some(15_000_000),
        idle_us: 25_000_000,
        stuck_us: 20_000_000,
        drain_us: 2_000_000,
        part_us: 2_000_000,
    };

    #[test]
    fn pings_come_at_each_period_and_a_silent_client_is_idle_after_its_time() {
        let mut life = Life::new(TIMING, None);
        assert_eq!(life.due(14_999_999, WALL), Due::Nothing);
        assert_eq!(life.due(15_000_000, WALL), Due::Ping);
        assert_eq!(life.due(15_000_001, WALL), Due::Nothing);
        assert_eq!(life.due(24_999_999, WALL), Due::Nothing);
        assert_eq!(life.due(25_000_000, WALL), Due::Close(CloseReason::Idle));
    }

    #[test]
    fn any_frame_extends_and_silence_does_not_count_while_nobody_listens() {
        let mut life = Life::new(Timing { ping_us: None, ..TIMING }, None);
        life.heard(20_000_000);
        assert_eq!(life.due(44_999_999, WALL), Due::Nothing);
        life.listen(false, 44_999_999);
        assert_eq!(life.due(90_000_000, WALL), Due::Nothing);
        life.listen(true, 90_000_000);
        assert_eq!(life.due(114_999_999, WALL), Due::Nothing);
        assert_eq!(life.due(115_000_000, WALL), Due::Close(CloseReason::Idle));
    }

    #[test]
    fn a_client_that_takes_nothing_is_slow_and_one_that_takes_a_little_is_not() {
        let mut life = Life::new(Timing { ping_us: None, idle_us: u64::MAX, ..TIMING }, None);
        life.stuck(1);
        life.stuck(19_000_000);
        life.took(false, 19_000_000);
        assert_eq!(life.due(38_999_999, WALL), Due::Nothing);
        assert_eq!(life.due(39_000_000, WALL), Due::Close(CloseReason::SlowConsumer));
        life.took(true, 39_000_000);
        assert_eq!(life.due(u64::MAX - 1, WALL), Due::Nothing);
    }

    #[test]
    fn a_token_ends_the_session_at_its_moment_unless_it_was_replaced() {
        let mut life = Life::new(TIMING, Some(WALL.plus_secs(10)));
        assert_eq!(life.next_us(0, WALL), Some(10_000_000));
        assert_eq!(life.due(9, WALL.plus_ms(9_999)), Due::Nothing);
        life.extend(WALL.plus_secs(20));
        assert_eq!(life.due(9, WALL.plus_secs(10)), Due::Nothing);
        assert_eq!(life.due(9, WALL.plus_secs(20)), Due::Close(CloseReason::Expired));
    }

    #[test]
    fn closing_drains_then_waits_for_the_client_and_is_cut_when_either_takes_too_long() {
        let mut life = Life::new(TIMING, None);
        life.close(5);
        assert_eq!(life.due(1_999_999, WALL), Due::Nothing);
        life.drained(false, 1_999_999);
        life.drained(true, 1_999_999);
        assert!(!life.is_over(), "draining ends once");
        assert_eq!(life.due(3_999_998, WALL), Due::Nothing);
        assert_eq!(life.due(3_999_999, WALL), Due::Cut);
        assert!(life.is_over());

        let mut life = Life::new(TIMING, None);
        life.close(0);
        assert_eq!(life.due(2_000_000, WALL), Due::Cut);

        let mut life = Life::new(TIMING, None);
        life.close(0);
        life.parted();
        assert!(!life.is_over(), "what is queued goes out first");
        life.drained(false, 1);
        life.parted();
        assert!(life.is_over());
        assert_eq!(life.next_us(1, WALL), None);
    }

    proptest::proptest! {
        #[test]
        fn what_next_us_names_is_due_then_and_nothing_is_due_before(
            heard in 0u64..60_000_000, stuck in proptest::option::of(0u64..60_000_000),
            expires in proptest::option::of(1u64..120),
        ) {
            let mut life = Life::new(TIMING, expires.map(|secs| WALL.plus_secs(secs)));
            life.heard(heard);
            if let Some(at) = stuck { life.stuck(at); }
            let next = life.next_us(0, WALL).unwrap();
            proptest::prop_assume!(next > 0);
            proptest::prop_assert_eq!(life.due(next - 1, WALL.plus_us(next - 1)), Due::Nothing);
            proptest::prop_assert_ne!(life.due(next, WALL.plus_us(next)), Due::Nothing);
        }
    }
}
