use std::collections::{BTreeSet, HashSet};

use rtcd_sdk::serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection, query};

use super::signed;
use crate::backend::{Write, Written};
use crate::message::Kind;
use crate::{Appended, Failure, Name, NewMessage, State};

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
}

impl Pen {
    pub(super) const fn new(connection: SqliteConnection) -> Self {
        Self { connection, is_open: false }
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
            Write::Append(message) => {
                let mut messages = vec![message];
                while let Some((Write::Append(message), others)) = rest.split_first() {
                    messages.push(message);
                    rest = others;
                }
                let appended = self.append(&messages).await?;
                written.extend(appended.into_iter().map(Written::Appended));
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

    /// Each statement is a way to SQLite's thread and back, which takes longer than the statement: so many rows to one.
    async fn append(&mut self, messages: &[&NewMessage]) -> Result<Vec<Appended>, Failure> {
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
                .bind(signed(message.date))
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
            let stored = self.repeat(message).await?;
            // The first of those with one id is the one that was inserted.
            appended.push(Appended { is_repeat: !seqs.remove(&stored.seq), ..stored });
        }
        Ok(appended)
    }

    async fn repeat(&mut self, message: &NewMessage) -> Result<Appended, Failure> {
        let row = query(
            "UPDATE messages SET state = max(state, ?) WHERE receiver = ? AND sender = ? AND id = ? AND kind = ?
            RETURNING seq, date",
        )
        .bind(message.state().number())
        .bind(&*message.receiver)
        .bind(&*message.sender)
        .bind(&*message.id)
        .bind(message.kind.number())
        .fetch_one(&mut self.connection)
        .await?;
        let [seq, date] = [row.try_get::<i64, _>(0)?, row.try_get(1)?].map(i64::cast_unsigned);
        Ok(Appended { seq, date, is_repeat: true })
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

    /// Deletes old messages, and says how many.
    pub(super) async fn forget(&mut self, date: u64, limit: usize) -> Result<u64, Failure> {
        if self.is_open {
            self.roll_back().await;
        }
        let done = query(
            "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages WHERE date < ? ORDER BY date LIMIT ?)",
        )
        .bind(signed(date))
        .bind(signed(limit as u64))
        .execute(&mut self.connection)
        .await?;
        Ok(done.rows_affected())
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
