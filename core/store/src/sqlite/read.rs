use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool, query};

use super::signed;
use crate::message::{Kind, MAX_PAGE, page_of};
use crate::{Conversation, ConversationSummary, Failure, Page, State, StoredMessage};

/// The columns of a message, in the order of [`message`].
macro_rules! columns {
    () => {
        "m.seq, m.conversation, m.id, m.sender, m.receiver, m.kind, m.date, m.content_type, m.headers, m.body, m.state"
    };
}

/// The size of a message, as [`StoredMessage::size`] has it. Of a text SQLite knows the length without reading it.
macro_rules! size {
    () => {
        "coalesce(octet_length(m.content_type), 0) + octet_length(m.headers) + octet_length(m.body)"
    };
}

pub(super) async fn pending(
    reader: &mut SqliteConnection,
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
    .fetch_all(reader)
    .await?;
    rows.iter().map(|row| message(row, 0)).collect()
}

pub(super) async fn pending_counts(
    reader: &mut SqliteConnection,
    receiver: &str,
) -> Result<BTreeMap<String, u64>, Failure> {
    // By itself SQLite would take the index that is in the order of senders, with all that was ever delivered.
    let rows = query(
        "SELECT sender, count(*) FROM messages INDEXED BY messages_pending
        WHERE receiver = ? AND state = 0 AND kind < 2 GROUP BY sender",
    )
    .bind(receiver)
    .fetch_all(reader)
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
        "SELECT m.seq, ",
        size!(),
        " FROM messages m WHERE conversation = ? AND kind <> 1 AND seq > ? AND seq < ? ORDER BY seq LIMIT ?"
    );
    let newest_first = concat!(
        "SELECT m.seq, ",
        size!(),
        " FROM messages m WHERE conversation = ? AND kind <> 1 AND seq > ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    );
    // Both are of one moment: a message that is deleted in between would make the page seem to be the last one.
    let mut reader = readers.begin().await?;
    let found = query(if page.after.is_some() { oldest_first } else { newest_first })
        .bind(conversation.key())
        .bind(signed(page.after.unwrap_or(0)))
        .bind(signed(page.before.unwrap_or(u64::MAX)))
        .bind(rows(page.limit))
        .fetch_all(&mut *reader)
        .await?;
    let found = on_page(&found)?;
    let (Some(first), Some(last)) = (found.iter().min(), found.iter().max()) else { return Ok(Vec::new()) };
    let rows = query(concat!(
        "SELECT ",
        columns!(),
        " FROM messages m WHERE conversation = ? AND kind <> 1 AND seq BETWEEN ? AND ? ORDER BY seq"
    ))
    .bind(conversation.key())
    .bind(first)
    .bind(last)
    .fetch_all(&mut *reader)
    .await?;
    rows.iter().map(|row| message(row, 0)).collect()
}

pub(super) async fn conversations(
    readers: &SqlitePool,
    user: &str,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<ConversationSummary>, Failure> {
    let before = signed(before.unwrap_or(u64::MAX));
    // As above: so would a conversation that goes on in between.
    let mut reader = readers.begin().await?;
    let found = query(concat!(
        "SELECT c.last, ",
        size!(),
        " FROM (SELECT last FROM conversations WHERE user = ? AND last < ? ORDER BY last DESC LIMIT ?) c
        JOIN messages m ON m.seq = c.last ORDER BY c.last DESC"
    ))
    .bind(user)
    .bind(before)
    .bind(rows(limit))
    .fetch_all(&mut *reader)
    .await?;
    let Some(last) = on_page(&found)?.pop() else { return Ok(Vec::new()) };
    let rows = query(concat!(
        "SELECT c.partner, c.unread, ",
        columns!(),
        " FROM conversations c JOIN messages m ON m.seq = c.last WHERE c.user = ? AND c.last < ? AND c.last >= ?
        ORDER BY c.last DESC LIMIT ?"
    ))
    .bind(user)
    .bind(before)
    .bind(last)
    .bind(rows(limit))
    .fetch_all(&mut *reader)
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

/// The places of those that fit on a page, of rows with place and size.
fn on_page(rows: &[SqliteRow]) -> Result<Vec<i64>, Failure> {
    let sized = |row: &SqliteRow| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned() as usize));
    let found: Vec<(i64, usize)> = rows.iter().map(sized).collect::<Result<_, sqlx::Error>>()?;
    let page = page_of(found.into_iter(), MAX_PAGE, |(_, bytes)| *bytes);
    Ok(page.into_iter().map(|(seq, _)| seq).collect())
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
