//! Messages, in the harness.

mod api;
mod database;
mod drawn;
mod flows;
mod office;
mod settings;
mod stored;
