use sqlx::{Connection, Row, SqliteConnection, query};

use super::signed;
use crate::backend::{Write, Written};
use crate::message::Kind;
use crate::{Appended, Failure, NewMessage, State};

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

    pub(super) async fn close(self) -> Result<(), Failure> {
        Ok(self.connection.close().await?)
    }

    /// All of it or nothing.
    pub(super) async fn write(&mut self, batch: &[Write]) -> Result<Vec<Written>, Failure> {
        if self.is_open {
            self.roll_back().await;
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
        for write in batch {
            written.push(match write {
                Write::Append(message) => Written::Appended(self.append(message).await?),
                Write::Delivered { receiver, seqs } => {
                    self.delivered(receiver, seqs).await?;
                    Written::Delivered
                }
                Write::Read { receiver, sender, ids } => {
                    Written::Read(self.read(receiver, sender, ids).await?)
                }
            });
        }
        query("COMMIT").execute(&mut self.connection).await?;
        Ok(written)
    }

    /// It fails where SQLite has done so by itself, which is as good.
    async fn roll_back(&mut self) {
        let _ = query("ROLLBACK").execute(&mut self.connection).await;
        self.is_open = false;
    }

    async fn append(&mut self, message: &NewMessage) -> Result<Appended, Failure> {
        let new = query(
            "INSERT INTO messages (conversation, id, sender, receiver, kind, date, content_type, headers, body, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq",
        )
        .bind(message.conversation.key())
        .bind(&*message.id)
        .bind(&*message.sender)
        .bind(&*message.receiver)
        .bind(message.kind.number())
        .bind(signed(message.date))
        .bind(message.content_type.as_deref())
        .bind(&*message.headers)
        .bind(&*message.body)
        .bind(message.state().number())
        .fetch_optional(&mut self.connection)
        .await?;
        match new {
            Some(row) => Ok(Appended {
                seq: row.try_get::<i64, _>(0)?.cast_unsigned(),
                date: message.date,
                is_repeat: false,
            }),
            None => self.repeat(message).await,
        }
    }

    async fn repeat(&mut self, message: &NewMessage) -> Result<Appended, Failure> {
        let row = query(
            "UPDATE messages SET state = max(state, ?) WHERE receiver = ? AND sender = ? AND id = ? RETURNING seq, date",
        )
        .bind(message.state().number())
        .bind(&*message.receiver)
        .bind(&*message.sender)
        .bind(&*message.id)
        .fetch_one(&mut self.connection)
        .await?;
        let [seq, date] = [row.try_get::<i64, _>(0)?, row.try_get(1)?].map(i64::cast_unsigned);
        Ok(Appended { seq, date, is_repeat: true })
    }

    async fn delivered(&mut self, receiver: &str, seqs: &[u64]) -> Result<(), Failure> {
        for seq in seqs {
            query("UPDATE messages SET state = ? WHERE seq = ? AND receiver = ? AND state = 0")
                .bind(State::Delivered.number())
                .bind(signed(*seq))
                .bind(receiver)
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }

    /// The ids of those that were not read before.
    async fn read(&mut self, receiver: &str, sender: &str, ids: &[String]) -> Result<Vec<String>, Failure> {
        let mut read = Vec::new();
        for id in ids {
            let done = query(
                "UPDATE messages SET state = ? WHERE receiver = ? AND sender = ? AND id = ? AND kind = 0 AND state < 2",
            )
            .bind(State::Read.number())
            .bind(receiver)
            .bind(sender)
            .bind(&**id)
            .execute(&mut self.connection)
            .await?;
            if done.rows_affected() > 0 {
                read.push(id.clone());
            }
        }
        Ok(read)
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
