//! Which part of a listing is shown.

use std::num::ParseIntError;

use rtcd_sdk::ApiError;
use rtcd_sdk::utoipa;
use serde::Deserialize;

use crate::inspect::Ask;

/// How many peers a page asks if nothing else is said.
const USUAL: usize = 100;
/// How many it asks at most.
const MOST: usize = 1000;

/// Which part of a listing is shown.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// How many peers the page asks, from 1 to 1000; 100 if it is missing.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// Where the page begins: `next` of the page before it.
    after: Option<String>,
    /// Only the peer of this user.
    user: Option<String>,
    /// Only what belongs to this dialog.
    dialog: Option<String>,
}

impl Paging {
    /// What to ask. `after` is a number, behind `prefix` if it has one.
    pub(super) fn ask(self) -> Result<Ask, ApiError> {
        Ok(Ask {
            after: self.after.as_deref().map_or(Ok(0), number)?,
            limit: self.limit()?,
            user: self.user,
            dialog: self.dialog,
        })
    }

    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        let Some(limit) = self.limit.as_deref() else { return Ok(USUAL) };
        limit
            .parse()
            .ok()
            .filter(|limit| (1..=MOST).contains(limit))
            .ok_or_else(|| ApiError::bad_request(format!("limit: must be from 1 to {MOST}")))
    }

    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether only a part of what peers have is asked for.
    pub(super) fn is_filtered(&self) -> bool {
        self.user.is_some() || self.dialog.is_some()
    }

    /// The same, to be asked from another place on.
    pub(super) fn from(self, after: u64, limit: usize) -> Ask {
        Ask { after, limit, user: self.user, dialog: self.dialog }
    }
}

/// The number in `after`.
pub(super) fn number(after: &str) -> Result<u64, ApiError> {
    after.parse().map_err(|_: ParseIntError| ApiError::bad_request("after: must be `next` of another page"))
}

/// The last line of a page of text.
pub(super) fn last_line(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("\nnext page: ?after={next}\n"))
}
