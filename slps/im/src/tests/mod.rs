//! Messages, in the harness.

mod api;
mod database;
mod drawn;
mod flows;
mod office;
mod passed;
mod settings;
mod stored;
