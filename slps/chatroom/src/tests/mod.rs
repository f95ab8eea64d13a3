//! What is kept of what is said, over a database that does as the test says; and the settings.

mod database;
mod history;
mod settings;
mod world;
