//! The stack, on a virtual clock, between a scripted peer and a scripted application.

mod crossing;
mod delivery;
mod fields;
mod flows;
mod matrix;
mod received;
mod reinvite;
mod release;
mod sends;
mod sent;
mod session_timer;
mod states;
mod transactions;
