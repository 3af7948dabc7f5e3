//! The ways in which the core is broken, one at a time.

/// One broken rule.
pub struct Mutation {
    /// What is wrong with it.
    pub name: &'static str,
    /// File of `src/domain/queue`.
    pub file: &'static str,
    /// The text that is right. It stands there exactly once.
    pub right: &'static str,
    /// What stands there instead: an expression for an expression, statements for statements.
    pub wrong: &'static str,
    /// The invariants that say so, one of these.
    pub breaks: &'static [&'static str],
}

const fn mutation(
    name: &'static str,
    file: &'static str,
    (right, wrong): (&'static str, &'static str),
    breaks: &'static [&'static str],
) -> Mutation {
    Mutation { name, file, right, wrong, breaks }
}

/// All of them; the first is mutant 1.
pub const MUTATIONS: &[Mutation] = &[
    mutation(
        "a pass is charged no slot",
        "queue.rs",
        ("self.ledger.held() + self.line.count(Mark::Pass)", "self.ledger.held()"),
        &["I2"],
    ),
    mutation(
        "a burst is let in twice",
        "gate.rs",
        (
            "(self.burst - 1).saturating_mul(self.step_ns)",
            "(2 * self.burst).saturating_mul(self.step_ns)",
        ),
        &["I1"],
    ),
    mutation(
        "a new rate forgets what is owed",
        "gate.rs",
        ("self.owe(now, owed);", "self.owe(now, 0.0 * owed);"),
        &["I1"],
    ),
    mutation(
        "leases go on running while the server is down",
        "recovery.rs",
        ("heard.plus_ms(lease_ms)", "saved.taken_at.plus_ms(self.settings.lease_ms)"),
        &["I4", "I11"],
    ),
    mutation(
        "a pause pauses nothing",
        "admission.rs",
        ("!self.announced.mode.admits() || now < self.settle_until", "now < self.settle_until"),
        &["I10"],
    ),
    mutation(
        "a used pass is forgotten",
        "slots.rs",
        ("self.redeemed.player(ticket).is_some()", "false"),
        &["I5"],
    ),
    mutation(
        "the second of a lane comes before the first",
        "admission.rs",
        (
            "self.line.first(lane)",
            "self.line.first(lane).map(|one| self.line.first_after(lane, one).unwrap_or(one))",
        ),
        &["I3"],
    ),
    mutation(
        "numbers are given again after a crash",
        "recovery.rs",
        ("self.line.skip_to(end);", "self.line.skip_to(saved.next);"),
        &["I4", "I7"],
    ),
    mutation(
        "the grace lane has no meter",
        "lanes.rs",
        (
            "self.grace_share > 0.0 && self.grace_credit + self.grace_share >= 1.0 - EPSILON",
            "self.grace_share > 0.0",
        ),
        &["I9"],
    ),
    mutation(
        "the low lane starves",
        "lanes.rs",
        (
            "turns.into_iter().find(|&at| waiting[WEIGHTED[at] as usize] > 0)",
            "turns.into_iter().filter(|&at| waiting[WEIGHTED[at] as usize] > 0).min()",
        ),
        &["I9"],
    ),
    mutation(
        "a place that is handed on stays with its owner",
        "transfer.rs",
        ("self.line.rebind(ticket.number, to);", "let _ = to;"),
        &["I7"],
    ),
    mutation(
        "who has a place gets another",
        "queue.rs",
        ("self.line.find(identity)", "self.line.find(Identity::ANONYMOUS)"),
        &["I4", "I7"],
    ),
    mutation(
        "the line wakes up late",
        "queue.rs",
        ("self.next_due(not_before)", "self.next_due(not_before).map(|at| at.plus_ms(500))"),
        &["I8"],
    ),
    mutation("who drops loses the slot", "slots.rs", ("self.note_drop(now)", "None"), &["I2"]),
    mutation(
        "the log of places is not read",
        "recovery.rs",
        ("queue.restore_places(&recovery);", "();"),
        &["I4", "I7"],
    ),
    mutation(
        "the draw seats the last first",
        "opening.rs",
        (
            "self.line.renumber(old, Number(place))",
            "self.line.renumber(old, Number(2 * range.first.0 + range.places - 1 - place))",
        ),
        &["I4", "I7", "I12"],
    ),
    mutation(
        "paying players are left out of the audit chain",
        "admission.rs",
        ("lane != Lane::Standard", "!matches!(lane, Lane::Standard | Lane::Paying)"),
        &["I13"],
    ),
    mutation(
        "a lapsed pass keeps its slot",
        "admission.rs",
        ("self.line.clear(number, Mark::Pass);", "();"),
        &["I2", "I13", "I9"],
    ),
    mutation(
        "positions get worse without a reason",
        "queue.rs",
        ("reason = Some(reason.unwrap_or(Reason::LaneChanged));", "reason = None;"),
        &["I6"],
    ),
    mutation(
        "everybody is asked to come back at once",
        "poll.rs",
        ("plain_s.clamp(self.lo_s, self.hi_s) * jitter(number)", "self.lo_s + 0.0 * plain_s"),
        &["I14"],
    ),
];
