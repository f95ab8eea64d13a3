//! The registrar, in the harness.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

mod api;
mod desk;
mod drawn;
mod presence;
mod register;
mod table;
