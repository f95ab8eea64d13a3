//! `routes.yaml`: which service gets a new dialog, which APIs are on, which hops may be dialled.

mod decide;
mod raw;
mod table;

pub(crate) use decide::{Decision, decide};
pub(crate) use raw::{RawTable, RawWhen};
pub(crate) use table::{ApiBinding, RouteTable, check, is_api_name, is_name, is_version, load};
