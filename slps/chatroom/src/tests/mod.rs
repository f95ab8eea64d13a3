//! What is kept of what is said, over a database that does as the test says.

mod database;
mod history;
mod world;
