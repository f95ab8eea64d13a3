use std::collections::{BTreeSet, HashMap, HashSet};

use rtcd_sdk::serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, query};

use crate::backend::{Write, Written};
use crate::message::Kind;
use crate::{Appended, Failure, Name, NewMessage, State};

/// Whom the tables name for all senders.
const ALL: &str = "";

/// So many messages are inserted by one statement.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// The one connection that writes.
///
/// Transactions are begun and ended by statements here, not by sqlx: SQLite ends some by itself when the disk is full, and sqlx
/// would count it as open for ever.
#[derive(Debug)]
pub(super) struct Pen {
    connection: SqliteConnection,
    /// A transaction was begun, and its end was not seen.
    is_open: bool,
    /// So many pages the database may have.
    pub(super) max_pages: Option<u32>,
}

impl Pen {
    pub(super) const fn new(connection: SqliteConnection, max_pages: Option<u32>) -> Self {
        Self { connection, is_open: false, max_pages }
    }

    /// To be used between transactions.
    pub(super) async fn at_rest(&mut self) -> &mut SqliteConnection {
        if self.is_open {
            self.roll_back().await;
        }
        &mut self.connection
    }

    #[cfg(test)]
    pub(super) const fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    pub(super) async fn close(mut self) -> Result<(), Failure> {
        // By itself SQLite leaves the log alone if the file was moved. But the log belongs to that file, and not to one that takes
        // its place and finds it there.
        let emptied = query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await;
        if let Err(error) = emptied {
            tracing::warn!("the log of the message store was not taken into its file: {error}");
        }
        Ok(self.connection.close().await?)
    }

    /// All of it or nothing.
    pub(super) async fn write(&mut self, batch: &[Write]) -> Result<Vec<Written>, Failure> {
        if self.is_open {
            self.roll_back().await;
        }
        if let [write] = batch {
            // Its one statement that changes something is a transaction by itself, and needs one way to SQLite's thread instead of three.
            let mut written = Vec::with_capacity(1);
            self.carry_out(write, &[], &mut written).await?;
            return Ok(written);
        }
        self.is_open = true;
        let written = self.transaction(batch).await;
        match written {
            Ok(_) => self.is_open = false,
            Err(_) => self.roll_back().await,
        }
        written
    }

    async fn transaction(&mut self, batch: &[Write]) -> Result<Vec<Written>, Failure> {
        query("BEGIN IMMEDIATE").execute(&mut self.connection).await?;
        let mut written = Vec::with_capacity(batch.len());
        let mut rest = batch;
        while let Some((write, others)) = rest.split_first() {
            rest = self.carry_out(write, others, &mut written).await?;
        }
        query("COMMIT").execute(&mut self.connection).await?;
        Ok(written)
    }

    /// Carries out the next one; of messages to append, those that follow it too. Gives the rest.
    async fn carry_out<'a>(
        &mut self,
        write: &Write,
        mut rest: &'a [Write],
        written: &mut Vec<Written>,
    ) -> Result<&'a [Write], Failure> {
        match write {
            Write::Append(_) | Write::AppendWithin(..) => {
                let mut entries: Vec<_> = Entry::of(write).into_iter().collect();
                while let Some((next, others)) = rest.split_first()
                    && let Some(entry) = Entry::of(next)
                {
                    entries.push(entry);
                    rest = others;
                }
                written.extend(self.append(&entries).await?);
            }
            Write::Delivered { receiver, names } => {
                self.delivered(receiver, names).await?;
                written.push(Written::Delivered);
            }
            Write::Read { receiver, sender, ids } => {
                written.push(Written::Read(self.read(receiver, sender, ids).await?));
            }
        }
        Ok(rest)
    }

    /// It fails where SQLite has done so by itself, which is as good.
    async fn roll_back(&mut self) {
        let _ = query("ROLLBACK").execute(&mut self.connection).await;
        self.is_open = false;
    }

    async fn append(&mut self, entries: &[Entry<'_>]) -> Result<Vec<Written>, Failure> {
        let refused = self.refused(entries).await?;
        let fits = entries.iter().zip(&refused).filter(|(_, refused)| refused.is_none());
        let fitting: Vec<_> = fits.map(|(entry, _)| entry.message).collect();
        let mut inserted = self.insert_all(&fitting).await?.into_iter();
        let mut written = Vec::with_capacity(entries.len());
        for (entry, refused) in entries.iter().zip(refused) {
            let appended = match &refused {
                None => inserted.next(),
                Some(_) => self.repeat(entry.message).await?,
            };
            written.extend(appended.map(Written::Appended).or(refused));
        }
        Ok(written)
    }

    /// Which of them may not be kept, if they are new.
    async fn refused(&mut self, entries: &[Entry<'_>]) -> Result<Vec<Option<Written>>, Failure> {
        let bounded = entries.iter().filter(|entry| entry.max_waiting.is_some() && entry.message.waits());
        let mut senders: BTreeSet<_> = bounded.map(|entry| &*entry.message.sender).collect();
        if senders.is_empty() {
            return Ok(vec![None; entries.len()]);
        }
        senders.insert(ALL);
        let rows =
            query("SELECT sender, kind, bytes FROM waiting WHERE sender IN (SELECT value FROM json_each(?))")
                .bind(json!(senders).to_string())
                .fetch_all(&mut self.connection)
                .await?;
        let mut waiting = HashMap::new();
        for row in &rows {
            let key = (row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?);
            waiting.insert(key, row.try_get::<i64, _>(2)?.cast_unsigned());
        }
        let mut of_all = waiting.get(&(ALL.to_owned(), 0)).copied().unwrap_or_default();
        let max_of_all = self.max_waiting();
        let refused = entries.iter().map(|Entry { message, max_waiting }| {
            if !message.waits() {
                return None;
            }
            let bytes = message.waiting_bytes();
            let of_sender = waiting.entry((message.sender.clone(), message.kind.number())).or_default();
            if let Some(max) = max_waiting {
                if *of_sender + bytes > *max {
                    return Some(Written::TooMuch);
                }
                if max_of_all.is_some_and(|max| of_all + bytes > max) {
                    return Some(Written::NoRoom);
                }
            }
            *of_sender += bytes;
            of_all += bytes;
            None
        });
        Ok(refused.collect())
    }

    /// Each statement is a way to SQLite's thread and back, which takes longer than the statement: so many rows to one.
    async fn insert_all(&mut self, messages: &[&NewMessage]) -> Result<Vec<Appended>, Failure> {
        let mut appended = Vec::with_capacity(messages.len());
        let mut rest = messages;
        while !rest.is_empty() {
            // Few different statements, so that they stay prepared.
            let size = SIZES.into_iter().find(|size| *size <= rest.len()).unwrap_or(rest.len());
            let (rows, others) = rest.split_at(size);
            rest = others;
            appended.extend(self.insert(rows).await?);
        }
        Ok(appended)
    }

    async fn insert(&mut self, messages: &[&NewMessage]) -> Result<Vec<Appended>, Failure> {
        let row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let rows = vec![row; messages.len()].join(", ");
        let sql = format!(
            "INSERT INTO messages (conversation, id, sender, receiver, kind, date, content_type, headers, body, state)
            VALUES {rows} ON CONFLICT DO NOTHING RETURNING seq"
        );
        // All that was put into it is above.
        let mut insert = query(AssertSqlSafe(sql));
        for message in messages {
            insert = insert
                .bind(message.conversation.key())
                .bind(&*message.id)
                .bind(&*message.sender)
                .bind(&*message.receiver)
                .bind(message.kind.number())
                .bind(super::signed(message.date))
                .bind(message.content_type.as_deref())
                .bind(&*message.headers)
                .bind(&*message.body)
                .bind(message.state().number());
        }
        let rows = insert.fetch_all(&mut self.connection).await?;
        let mut seqs = BTreeSet::new();
        for row in rows {
            seqs.insert(row.try_get::<i64, _>(0)?.cast_unsigned());
        }
        let mut appended = Vec::with_capacity(messages.len());
        if seqs.len() == messages.len() {
            // SQLite inserts them in order, and numbers them as it does.
            let places = seqs.into_iter().zip(messages);
            appended.extend(places.map(|(seq, message)| Appended {
                seq,
                date: message.date,
                is_repeat: false,
            }));
            return Ok(appended);
        }
        for message in messages {
            let Some(stored) = self.repeat(message).await? else {
                return Err(Failure::Passing("a message was neither kept nor there".to_owned()));
            };
            // The first of those with one id is the one that was inserted.
            appended.push(Appended { is_repeat: !seqs.remove(&stored.seq), ..stored });
        }
        Ok(appended)
    }

    /// What is there already.
    async fn repeat(&mut self, message: &NewMessage) -> Result<Option<Appended>, Failure> {
        let row = query(
            "UPDATE messages SET state = max(state, ?) WHERE receiver = ? AND sender = ? AND id = ? AND kind = ?
            RETURNING seq, date",
        )
        .bind(message.state().number())
        .bind(&*message.receiver)
        .bind(&*message.sender)
        .bind(&*message.id)
        .bind(message.kind.number())
        .fetch_optional(&mut self.connection)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let [seq, date] = [row.try_get::<i64, _>(0)?, row.try_get(1)?].map(i64::cast_unsigned);
        Ok(Some(Appended { seq, date, is_repeat: true }))
    }

    async fn delivered(&mut self, receiver: &str, names: &[Name]) -> Result<(), Failure> {
        let names: Vec<_> =
            names.iter().map(|name| json!([name.sender, name.id, name.kind.number()])).collect();
        query(
            "UPDATE messages SET state = 1 WHERE receiver = ? AND state = 0 AND kind < 2
            AND (sender, id, kind) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))",
        )
        .bind(receiver)
        .bind(json!(names).to_string())
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    /// The ids of those that were not read before.
    async fn read(&mut self, receiver: &str, sender: &str, ids: &[String]) -> Result<Vec<String>, Failure> {
        let rows = query(
            "UPDATE messages SET state = 2 WHERE receiver = ? AND sender = ? AND kind = 0 AND state < 2
            AND id IN (SELECT value FROM json_each(?)) RETURNING id",
        )
        .bind(receiver)
        .bind(sender)
        .bind(json!(ids).to_string())
        .fetch_all(&mut self.connection)
        .await?;
        let mut read = HashSet::new();
        for row in &rows {
            read.insert(row.try_get::<String, _>(0)?);
        }
        // In the order in which they were given, each once.
        Ok(ids.iter().filter(|id| read.remove(*id)).cloned().collect())
    }
}

/// A message that is to be kept.
struct Entry<'a> {
    message: &'a NewMessage,
    /// If its sender has then no more than so many bytes waiting.
    max_waiting: Option<u64>,
}

impl<'a> Entry<'a> {
    const fn of(write: &'a Write) -> Option<Self> {
        match write {
            Write::Append(message) => Some(Self { message, max_waiting: None }),
            Write::AppendWithin(message, max) => Some(Self { message, max_waiting: Some(*max) }),
            Write::Delivered { .. } | Write::Read { .. } => None,
        }
    }
}

impl Kind {
    /// As the tables have it.
    const fn number(self) -> i64 {
        match self {
            Self::Message => 0,
            Self::Receipt => 1,
            Self::Room => 2,
        }
    }

    pub(super) const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Message),
            1 => Some(Self::Receipt),
            2 => Some(Self::Room),
            _ => None,
        }
    }
}

impl State {
    /// As the tables have it.
    const fn number(self) -> i64 {
        match self {
            Self::Sent => 0,
            Self::Delivered => 1,
            Self::Read => 2,
        }
    }

    pub(super) const fn from_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Sent),
            1 => Some(Self::Delivered),
            2 => Some(Self::Read),
            _ => None,
        }
    }
}
