//! What there is, for listings.

use std::time::{Duration, Instant};

use super::{DialogKey, Side, Stack};
use crate::{CSeq, Method};

/// A dialog.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct DialogInfo<'a> {
    /// Its key.
    pub key: DialogKey,
    /// `DialogueID`.
    pub id: &'a str,
    /// Whether an application is bound to it.
    pub bound: bool,
    /// When it was opened.
    pub since: Instant,
    /// How many requests are open in it.
    pub transactions: usize,
}

/// A session.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SessionInfo<'a> {
    /// `DialogueID`.
    pub dialog: &'a str,
    /// Who sent the first INVITE.
    pub inviter: Side,
    /// The name of its state.
    pub state: &'static str,
    /// When it was opened.
    pub since: Instant,
    /// Its refresh time.
    pub expire: Duration,
}

/// A request without final response, or an INVITE without ACK.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct TransactionInfo<'a> {
    /// `DialogueID`.
    pub dialog: &'a str,
    /// `CSeq`.
    pub cseq: CSeq,
    /// Its method.
    pub method: Method,
    /// Who sent the request.
    pub from: Side,
    /// The name of its state.
    pub state: &'static str,
    /// When it was opened.
    pub since: Instant,
}

impl<T> Stack<T> {
    /// All dialogs.
    pub fn dialogs(&self) -> impl Iterator<Item = DialogInfo<'_>> {
        self.dialogs.iter().map(|dialog| DialogInfo {
            key: dialog.key,
            id: dialog.id.as_str(),
            bound: dialog.tag.is_some(),
            since: dialog.since,
            transactions: dialog.transactions.len(),
        })
    }

    /// All sessions.
    pub fn sessions(&self) -> impl Iterator<Item = SessionInfo<'_>> {
        self.dialogs.iter().filter_map(|dialog| {
            dialog.session.as_ref().map(|session| SessionInfo {
                dialog: dialog.id.as_str(),
                inviter: session.inviter(),
                state: session.state_name(),
                since: session.since(),
                expire: session.expire(),
            })
        })
    }

    /// All transactions.
    pub fn transactions(&self) -> impl Iterator<Item = TransactionInfo<'_>> {
        self.dialogs.iter().flat_map(|dialog| {
            dialog.transactions.iter().map(|transaction| TransactionInfo {
                dialog: dialog.id.as_str(),
                cseq: transaction.cseq,
                method: transaction.method,
                from: if transaction.is_sent() { Side::Application } else { Side::Peer },
                state: transaction.state_name(),
                since: transaction.since,
            })
        })
    }
}
