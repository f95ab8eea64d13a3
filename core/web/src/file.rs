use std::borrow::Cow;
use std::fmt::Write as _;

use bytes::Bytes;
use http::HeaderValue;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::kind;

#[derive(RustEmbed)]
#[folder = "demo"]
struct Demo;

#[derive(RustEmbed)]
#[folder = "client/dist"]
struct Client;

/// A file, as it is sent.
pub(crate) struct File {
    pub(crate) bytes: Bytes,
    /// Its media type.
    pub(crate) kind: &'static str,
    /// A hash of what is in it, in quotation marks.
    pub(crate) etag: HeaderValue,
}

impl File {
    /// The one at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        const INDEX: &str = "index.html";
        if path == "/" {
            return Self::new(INDEX, Demo::get(INDEX)?);
        }
        let (find, name): (fn(&str) -> Option<EmbeddedFile>, _) = match path.strip_prefix("/demo/") {
            Some("") => (Demo::get, INDEX),
            Some(name) => (Demo::get, name),
            None => (Client::get, path.strip_prefix("/client/")?),
        };
        // No name of a file needs anything else. So nothing leads out of the folders, and what is hidden stays so.
        let is_good = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if !name.split('/').all(is_good) {
            return None;
        }
        Self::new(name, find(name)?)
    }

    fn new(name: &str, file: EmbeddedFile) -> Option<Self> {
        let mut etag = "\"".to_owned();
        for byte in file.metadata.sha256_hash().into_iter().take(16) {
            // Writing to a string does not fail.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        let bytes = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some(Self { bytes, kind: kind::of(name), etag: etag.try_into().ok()? })
    }
}
