#![allow(dead_code, unreachable_pub, reason = "each test uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use rtcd_store::{Conversation, Kind, NewMessage, Page};

/// A folder that is gone after the test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{}-{test}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self) -> PathBuf {
        self.0.join("messages.db")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A message from user to user that nobody has yet.
pub fn message(id: &str, sender: &str, receiver: &str) -> NewMessage {
    NewMessage {
        conversation: Conversation::between(sender, receiver),
        id: id.to_owned(),
        sender: sender.to_owned(),
        receiver: receiver.to_owned(),
        kind: Kind::Message,
        // Of 2100: no retention takes it.
        date: 4_102_444_800_000,
        content_type: None,
        headers: "{}".to_owned(),
        body: format!("{{\"text\":\"{id}\"}}"),
        delivered: false,
    }
}

/// The newest of a history.
pub const fn newest(limit: usize) -> Page {
    Page { before: None, after: None, limit }
}
