//! What the line can be asked, as one message type: the actor's whole surface on one page.

use actix::Message;
use tokio::sync::oneshot;

use super::doors::Scheduled;
use crate::domain::lottery::{LotteryId, PublicSeed};
use crate::domain::queue::{
    Announcement, Checked, Departure, Figures, Identity, Lane, NoParty, NoSlot, NotTransferred,
    Number, OpeningPlan, PassRefused, Player, Seen, Standing, TicketRef, Tuning, Whereabouts, Work,
};

use crate::domain::steering::{Dials, Outlook};

/// Where an answer goes. Dropped without one: no answer.
pub(super) type Reply<T> = oneshot::Sender<T>;

#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) enum Ask {
    Round {
        questions: Vec<Question>,
        reply: Reply<Vec<Said>>,
    },
    Leave(TicketRef, Reply<bool>),
    /// Somebody wants to hear when this ticket waits no more.
    Follow(TicketRef, oneshot::Sender<()>, Reply<()>),
    /// Somebody wants to come in with the owner of a ticket; the standing follows when the place is on
    /// disk.
    Join(Identity, Lane, TicketRef, Reply<Result<oneshot::Receiver<Standing>, NoParty>>),
    /// A place goes to another owner; the standing follows when that is on disk.
    Transfer(TicketRef, Identity, Reply<Result<oneshot::Receiver<Standing>, NotTransferred>>),
    /// Where the place of a forgotten ticket is.
    Whereabouts(TicketRef, Reply<Whereabouts>),
    /// The first of these owners who has a place.
    FirstInLine(Vec<Identity>, Reply<Option<Identity>>),
    BeginRedeem(TicketRef, Reply<Result<(), PassRefused>>),
    FinishRedeem {
        pass: Number,
        player: Player,
        identity: Identity,
        work: Work,
    },
    AbandonRedeem {
        pass: Number,
        give_back: bool,
        reply: Reply<()>,
    },
    Connect(Player, Reply<Result<(), NoSlot>>),
    Disconnect(Player, Departure),
    SignOut(Player, Reply<()>),
    /// Game servers have these in their world.
    Keep(Vec<Player>, Reply<()>),
    /// A game server's player has left.
    GiveUp(Player, Departure, Reply<()>),
    Steer(Steering, Reply<()>),
    /// What the settings say of an opening.
    Schedule(Option<OpeningPlan>, Scheduled),
    /// The beacon's value for a lottery.
    PublicSeed(LotteryId, PublicSeed),
    Figures(Reply<Figures>),
    /// What is to be seen of a player who may stand in line as any of these.
    See(Player, Vec<Identity>, Reply<Seen>),
    /// When the last of each lane would come in with these dials.
    Outlook(Dials, Reply<[Outlook; Lane::COUNT]>),
    Turn(Reply<()>),
    Close(Reply<()>),
    #[cfg(test)]
    Panic,
}

/// What many ask at once: see `rounds`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    Enter(Identity, Lane),
    Check(TicketRef),
    Watch(TicketRef),
    /// Not a question: a player who does not stand in line has signed in. Nobody waits for it.
    Exempt(Player, Identity),
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub(super) enum Said {
    Checked(Checked),
    Standing(Standing),
    Noted,
    /// An implicit ticket whose place is on its way to the disk.
    Later(oneshot::Receiver<Standing>),
}

/// What operators change while the line moves.
#[derive(Clone, Debug)]
pub(super) enum Steering {
    Rate(f64),
    Cap(u64),
    Tune(Tuning),
    Announce(Announcement),
}
