//! What is deleted: what is too old, and, when the database has nearly all that it may take, the oldest that waits for nobody.

use rtcd_sdk::serde_json::json;
use sqlx::{Row, query};

use super::write::Pen;
use super::{PAGE_SIZE, signed};
use crate::Failure;

/// So much of what it may take the database takes, in percent. The rest is for what comes while room is made.
const NEARLY_FULL: u64 = 95;

/// So many bytes are deleted at once to make room, if they are more than one message.
const CHUNK_BYTES: u64 = 4 << 20;

/// So much of what it may take is for what waits, in percent. The rest is left to rooms and to what is delivered, however much waits.
const WAITING: u64 = 50;

impl Pen {
    /// So many bytes may wait.
    pub(super) fn max_waiting(&self) -> Option<u64> {
        Some(u64::from(self.max_pages?) * u64::from(PAGE_SIZE) * WAITING / 100)
    }

    /// Deletes old messages, those first that wait for nobody, and says how many.
    pub(super) async fn forget(&mut self, date: u64, limit: usize) -> Result<u64, Failure> {
        let done = query(
            "DELETE FROM messages WHERE seq IN
            (SELECT seq FROM messages WHERE (state = 0 AND kind < 2) IN (0, 1) AND date < ? LIMIT ?)",
        )
        .bind(signed(date))
        .bind(signed(limit as u64))
        .execute(self.at_rest().await)
        .await?;
        Ok(done.rows_affected())
    }

    /// See [`Database::make_room`](crate::Database::make_room).
    pub(super) async fn make_room(&mut self, bytes: u64, limit: usize) -> Result<u64, Failure> {
        let Some(max) = self.max_pages else { return Ok(0) };
        let used = self.used_pages().await?;
        // In the indexes a message has its names once more, and its last page is not full.
        let needed = if bytes > 0 { bytes.saturating_mul(2) / u64::from(PAGE_SIZE) + 16 } else { 0 };
        if used.saturating_add(needed) <= u64::from(max) * NEARLY_FULL / 100 {
            return Ok(0);
        }
        let oldest = self.oldest(limit).await?;
        if oldest.is_empty() {
            return Ok(0);
        }
        let done = query("DELETE FROM messages WHERE seq IN (SELECT value FROM json_each(?))")
            .bind(json!(oldest).to_string())
            .execute(self.at_rest().await)
            .await?;
        Ok(done.rows_affected())
    }

    async fn used_pages(&mut self) -> Result<u64, Failure> {
        let row = query("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count")
            .fetch_one(self.at_rest().await)
            .await?;
        Ok(row.try_get::<i64, _>(0)?.cast_unsigned())
    }

    /// The oldest that wait for nobody.
    async fn oldest(&mut self, limit: usize) -> Result<Vec<i64>, Failure> {
        let rows = query(
            "SELECT seq, octet_length(headers) + octet_length(body) FROM messages
            WHERE (state = 0 AND kind < 2) = 0 ORDER BY date LIMIT ?",
        )
        .bind(signed(limit as u64))
        .fetch_all(self.at_rest().await)
        .await?;
        let (mut oldest, mut bytes) = (Vec::with_capacity(rows.len()), 0);
        for row in rows {
            oldest.push(row.try_get(0)?);
            bytes += row.try_get::<i64, _>(1)?.cast_unsigned();
            if bytes >= CHUNK_BYTES {
                break;
            }
        }
        Ok(oldest)
    }
}
