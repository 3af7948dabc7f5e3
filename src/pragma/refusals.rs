//! What is said to operators and game servers when a rule refuses (protocol-pragma §11).

use super::Fault;
use crate::domain::account::OfficeRefusal;
use crate::domain::realm::{Kind, RealmRefusal};

impl From<OfficeRefusal> for Fault {
    fn from(refusal: OfficeRefusal) -> Self {
        match refusal {
            OfficeRefusal::UnknownBan => Self::NotThere,
            OfficeRefusal::TooMany(Kind::Tag) => Self::TagValidation,
            OfficeRefusal::TooMany(Kind::Group) => Self::GroupValidation,
            OfficeRefusal::TooMany(_)
            | OfficeRefusal::TooManyBans
            | OfficeRefusal::LastAdmin
            | OfficeRefusal::Operator(_) => Self::Conflict,
            OfficeRefusal::RequestInProgress => Self::DataRequestInProgress,
            OfficeRefusal::UnknownRequest => Self::DataRequestNotFound,
            OfficeRefusal::RequestStep => Self::DataRequestUnexpected,
        }
    }
}

impl From<RealmRefusal> for Fault {
    fn from(refusal: RealmRefusal) -> Self {
        match refusal {
            RealmRefusal::NameTaken(Kind::Group) => Self::GroupNameCollision,
            RealmRefusal::GroupInUse => Self::GroupCouldNotRemove,
            RealmRefusal::Unknown(Kind::Shard) => Self::GameShardInvalid,
            RealmRefusal::Unknown(Kind::Event) => Self::EventNotFound,
            RealmRefusal::Unknown(Kind::Group)
            | RealmRefusal::Length(Kind::Group)
            | RealmRefusal::TooMany(Kind::Group) => Self::GroupValidation,
            RealmRefusal::Unknown(Kind::Tag)
            | RealmRefusal::Length(Kind::Tag)
            | RealmRefusal::TooMany(Kind::Tag)
            | RealmRefusal::NameTaken(Kind::Tag) => Self::TagValidation,
            RealmRefusal::Unknown(_) => Self::NotThere,
            RealmRefusal::NameTaken(_) | RealmRefusal::TooMany(_) | RealmRefusal::BuiltIn => {
                Self::Conflict
            }
            RealmRefusal::Length(_) | RealmRefusal::Interval => Self::BadParam,
        }
    }
}
