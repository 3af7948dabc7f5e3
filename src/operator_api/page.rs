//! Queries: what is asked for in them, and lists a page at a time.

use actix_web::{HttpRequest, web};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Refusal;

/// Entries on a page, if nothing is said.
const PAGE: usize = 50;
/// Most entries on a page.
const PAGE_MAX: usize = 100;

/// What a query says.
pub(super) fn query<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Refusal> {
    let read = web::Query::<T>::from_query(request.query_string());
    read.map(web::Query::into_inner).map_err(|_| Refusal::BadRequest)
}

/// How many entries a page shall have.
pub(super) fn limit(said: Option<usize>) -> Result<usize, Refusal> {
    match said.unwrap_or(PAGE) {
        limit @ 1..=PAGE_MAX => Ok(limit),
        _ => Err(Refusal::BadRequest),
    }
}

/// The query of a list that is no longer than what the realm may hold.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    after: Option<usize>,
    limit: Option<usize>,
}

/// A page of a list.
#[derive(Serialize)]
pub(super) struct List<T> {
    pub items: Vec<T>,
    /// What to say as `after` for the next page; `null`: this is the last.
    pub next: Option<String>,
    /// How many there are in all, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl Paging {
    /// The page that is asked for. `after` is how many come before it.
    pub(super) fn of<T>(self, all: impl ExactSizeIterator<Item = T>) -> Result<List<T>, Refusal> {
        let (skip, limit) = (self.after.unwrap_or(0), limit(self.limit)?);
        let count = all.len();
        let items: Vec<T> = all.skip(skip).take(limit).collect();
        let end = skip.saturating_add(items.len());
        let next = (end < count).then(|| end.to_string());
        Ok(List { items, next, count: Some(count) })
    }
}
