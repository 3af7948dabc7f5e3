//! The line on disk: a log of places whose owners hold no ticket, and a coarse snapshot.
