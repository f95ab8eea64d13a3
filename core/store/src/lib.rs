#![doc = include_str!("../docs/store.md")]

mod backend;
mod error;
mod headers;
mod memory;
mod message;
mod settings;
mod sqlite;
mod store;
mod sweep;
mod trouble;
mod writer;

pub use backend::{Asked, Backend, Database, Write, Written};
pub use error::{Failure, StoreError};
pub use headers::{Packed, Unpacked, date_text};
pub use memory::Memory;
pub use message::{
    Appended, Conversation, ConversationSummary, Kind, MAX_PAGE, MAX_PAGE_BYTES, Name, NewMessage, Page,
    State, StoredMessage, is_full_page,
};
pub use settings::Settings;
pub use sqlite::Sqlite;
pub use store::Store;
