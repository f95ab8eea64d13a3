use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool, query};

use super::signed;
use crate::message::{Kind, MAX_PAGE};
use crate::{Conversation, ConversationSummary, Failure, Page, State, StoredMessage};

/// The columns of a message, in the order of [`message`].
macro_rules! columns {
    () => {
        "m.seq, m.conversation, m.id, m.sender, m.receiver, m.kind, m.date, m.content_type, m.headers, m.body, m.state"
    };
}

pub(super) async fn pending(
    readers: &SqlitePool,
    receiver: &str,
    after: u64,
    limit: usize,
) -> Result<Vec<StoredMessage>, Failure> {
    let rows = query(concat!(
        "SELECT ",
        columns!(),
        " FROM messages m WHERE receiver = ? AND state = 0 AND kind < 2 AND seq > ? ORDER BY seq LIMIT ?"
    ))
    .bind(receiver)
    .bind(signed(after))
    .bind(rows(limit))
    .fetch_all(readers)
    .await?;
    rows.iter().map(|row| message(row, 0)).collect()
}

pub(super) async fn pending_counts(
    readers: &SqlitePool,
    receiver: &str,
) -> Result<BTreeMap<String, u64>, Failure> {
    // By itself SQLite would take the index that is in the order of senders, with all that was ever delivered.
    let rows = query(
        "SELECT sender, count(*) FROM messages INDEXED BY messages_pending
        WHERE receiver = ? AND state = 0 AND kind < 2 GROUP BY sender",
    )
    .bind(receiver)
    .fetch_all(readers)
    .await?;
    let count = |row: &SqliteRow| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned()));
    rows.iter().map(count).collect()
}

pub(super) async fn history(
    readers: &SqlitePool,
    conversation: &Conversation,
    page: Page,
) -> Result<Vec<StoredMessage>, Failure> {
    let oldest_first = concat!(
        "SELECT ",
        columns!(),
        " FROM messages m WHERE conversation = ? AND kind <> 1 AND seq > ? AND seq < ? ORDER BY seq LIMIT ?"
    );
    let newest_first = concat!(
        "SELECT ",
        columns!(),
        " FROM messages m WHERE conversation = ? AND kind <> 1 AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    );
    let rows = query(if page.after.is_some() { oldest_first } else { newest_first })
        .bind(conversation.key())
        .bind(signed(page.after.unwrap_or(0)))
        .bind(signed(page.before.unwrap_or(u64::MAX)))
        .bind(rows(page.limit))
        .fetch_all(readers)
        .await?;
    let mut messages = rows.iter().map(|row| message(row, 0)).collect::<Result<Vec<_>, _>>()?;
    if page.after.is_none() {
        messages.reverse();
    }
    Ok(messages)
}

pub(super) async fn conversations(
    readers: &SqlitePool,
    user: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<ConversationSummary>, Failure> {
    let rows = query(concat!(
        "SELECT c.partner, c.unread, ",
        columns!(),
        " FROM conversations c JOIN messages m ON m.seq = c.last WHERE c.user = ?1 AND c.last < ?2
        ORDER BY c.last DESC LIMIT ?3"
    ))
    .bind(user)
    .bind(signed(before.unwrap_or(u64::MAX)))
    .bind(rows(limit))
    .fetch_all(readers)
    .await?;
    let summary = |row| {
        let with = SqliteRow::try_get(row, 0)?;
        let unread = SqliteRow::try_get::<i64, _>(row, 1)?.cast_unsigned();
        Ok(ConversationSummary { with, last: message(row, 2)?, unread })
    };
    rows.iter().map(summary).collect()
}

fn rows(limit: usize) -> i64 {
    signed(limit.min(MAX_PAGE) as u64)
}

/// The message in a row, from a column on.
fn message(row: &SqliteRow, first: usize) -> Result<StoredMessage, Failure> {
    let kind = Kind::from_number(row.try_get(first + 5)?);
    let state = State::from_number(row.try_get(first + 10)?);
    let (Some(kind), Some(state)) = (kind, state) else {
        return Err(Failure::Passing("a message of an unknown kind".to_owned()));
    };
    Ok(StoredMessage {
        seq: row.try_get::<i64, _>(first)?.cast_unsigned(),
        conversation: Conversation::from_key(row.try_get(first + 1)?),
        id: row.try_get(first + 2)?,
        sender: row.try_get(first + 3)?,
        receiver: row.try_get(first + 4)?,
        kind,
        date: row.try_get::<i64, _>(first + 6)?.cast_unsigned(),
        content_type: row.try_get(first + 7)?,
        headers: row.try_get(first + 8)?,
        body: row.try_get(first + 9)?,
        state,
    })
}
