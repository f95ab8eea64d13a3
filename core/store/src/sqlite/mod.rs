//! SQLite: one file, one connection that writes, some that read.

mod file;
mod read;
mod room;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, SqlSafeStr, SqlitePool, query};
use tokio::sync::Mutex;

use self::file::Files;
use self::write::Pen;
use crate::backend::{Asked, Backend, Database, Write, Written};
use crate::writer::LONGEST;
use crate::{Conversation, ConversationSummary, Failure, Page, Settings, StoredMessage};

/// Each has a thread.
const MAX_READERS: u32 = 64;

/// The bytes of a page. They are fixed when the file is made.
const PAGE_SIZE: u32 = 4096;

/// The log, a file beside the database, holds what was committed last. When it has so many pages they are taken into the database;
/// a page that was written many times meanwhile is taken once.
const LOG_PAGES: &str = "8192";

/// The log is cut to so many bytes when it can be.
const LOG_SIZE: &str = "67108864";

/// KiB (negative, as SQLite wants it) that the connection that writes keeps in memory: what many batches change.
const WRITER_CACHE: &str = "-32768";

/// Messages in a SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    path: PathBuf,
    /// None: what the disk has.
    max_pages: Option<u32>,
    readers: u32,
    timeout: Duration,
}

impl Sqlite {
    /// Messages in this file. It, and the folder it is in, are made if they are not there.
    pub fn new(path: &Path, settings: &Settings) -> Self {
        Self {
            path: path.to_owned(),
            max_pages: (settings.max_size > 0).then(|| {
                let pages = settings.max_size / u64::from(PAGE_SIZE);
                u32::try_from(pages).unwrap_or(u32::MAX - 1).clamp(1, u32::MAX - 1)
            }),
            readers: u32::try_from(settings.readers.get())
                .map_or(MAX_READERS, |readers| readers.min(MAX_READERS)),
            timeout: settings.timeout.min(LONGEST),
        }
    }

    async fn connect(&self) -> Result<SqliteDatabase, Failure> {
        file::make_folder(&self.path).await?;
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(self.timeout)
            .thread_name(|id| format!("store-{id}"))
            .disable_statement_logging();
        let writing = options
            .clone()
            .create_if_missing(true)
            .page_size(PAGE_SIZE)
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk before it is answered.
            .synchronous(SqliteSynchronous::Full)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", LOG_PAGES)
            .pragma("journal_size_limit", LOG_SIZE);
        let writers = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(self.timeout)
            .connect_with(writing)
            .await?;
        migrations().run(&writers).await.map_err(|error| Failure::Dead(error.to_string()))?;
        let mut connection = writers.acquire().await?.detach();
        if let Some(pages) = self.max_pages {
            // Not before the tables are up to date: of a file that is full they would never be. One that has more already keeps
            // what it has; room is made then.
            query(AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).execute(&mut connection).await?;
        }
        let reading = options.read_only(true);
        let readers = |count| {
            SqlitePoolOptions::new()
                .max_connections(count)
                .acquire_timeout(self.timeout)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect_lazy_with(reading.clone())
        };
        Ok(SqliteDatabase {
            pen: Mutex::new(Some(Pen::new(connection, self.max_pages))),
            readers: readers(self.readers),
            postman: readers(1),
            files: Files::at(&self.path).await?,
        })
    }
}

impl Backend for Sqlite {
    fn open(&self) -> Asked<'_, Arc<dyn Database>> {
        Box::pin(async {
            let database: Arc<dyn Database> = Arc::new(self.connect().await?);
            Ok(database)
        })
    }
}

/// What made the tables as they are. A step that went out is never changed: another one follows.
fn migrations() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        step(1, "messages", include_str!("../../migrations/0001_messages.sql")),
        step(2, "room", include_str!("../../migrations/0002_room.sql")),
    ])
}

/// A SQLite file that is open.
#[derive(Debug)]
struct SqliteDatabase {
    /// None: closed.
    pen: Mutex<Option<Pen>>,
    /// For histories, whoever asks for them.
    readers: SqlitePool,
    /// One for what waits: its delivery does not queue behind those.
    postman: SqlitePool,
    files: Files,
}

impl SqliteDatabase {
    /// Reads what waits: by one that is free, or when it is its turn with its own.
    async fn postman(&self) -> Result<PoolConnection<sqlx::Sqlite>, Failure> {
        match self.postman.try_acquire().or_else(|| self.readers.try_acquire()) {
            Some(reader) => Ok(reader),
            None => Ok(self.postman.acquire().await?),
        }
    }
}

impl Database for SqliteDatabase {
    fn write<'a>(&'a self, batch: &'a [Write]) -> Asked<'a, Vec<Written>> {
        Box::pin(async {
            let mut pen = self.pen.lock().await;
            let pen = pen.as_mut().ok_or_else(closed)?;
            let written = pen.write(batch).await?;
            // What was committed to a file that nobody will find again is not kept.
            self.files.check().await?;
            Ok(written)
        })
    }

    fn forget(&self, date: u64, limit: usize) -> Asked<'_, u64> {
        Box::pin(async move {
            let mut pen = self.pen.lock().await;
            pen.as_mut().ok_or_else(closed)?.forget(date, limit).await
        })
    }

    fn make_room(&self, bytes: u64, limit: usize) -> Asked<'_, u64> {
        Box::pin(async move {
            let mut pen = self.pen.lock().await;
            pen.as_mut().ok_or_else(closed)?.make_room(bytes, limit).await
        })
    }

    fn check(&self) -> Asked<'_, ()> {
        Box::pin(self.files.check())
    }

    fn close(&self) -> Asked<'_, ()> {
        Box::pin(async {
            // The writer last: it takes the log into the file.
            self.readers.close().await;
            self.postman.close().await;
            match self.pen.lock().await.take() {
                Some(pen) => pen.close().await,
                None => Ok(()),
            }
        })
    }

    fn pending<'a>(&'a self, receiver: &'a str, after: u64, limit: usize) -> Asked<'a, Vec<StoredMessage>> {
        Box::pin(async move { read::pending(&mut *self.postman().await?, receiver, after, limit).await })
    }

    fn pending_counts<'a>(&'a self, receiver: &'a str) -> Asked<'a, BTreeMap<String, u64>> {
        Box::pin(async move { read::pending_counts(&mut *self.postman().await?, receiver).await })
    }

    fn history<'a>(&'a self, conversation: &'a Conversation, page: Page) -> Asked<'a, Vec<StoredMessage>> {
        Box::pin(read::history(&self.readers, conversation, page))
    }

    fn conversations<'a>(
        &'a self,
        user: &'a str,
        before: Option<u64>,
        limit: usize,
    ) -> Asked<'a, Vec<ConversationSummary>> {
        Box::pin(read::conversations(&self.readers, user, before, limit))
    }
}

fn closed() -> Failure {
    Failure::Dead("the database is closed".to_owned())
}

/// A number as SQLite has it. No place and no date is near its end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The primary result code of SQLite when there is no room.
const FULL: i32 = 13;

/// The primary result codes of SQLite after which the connection is of no use any more: a general error (such as a missing
/// table), no right, read only, corrupt, cannot be opened, no right, no database.
const DEAD: [i32; 7] = [1, 3, 8, 11, 14, 23, 26];

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match error {
            sqlx::Error::Database(database) => {
                let code = database.code().and_then(|code| code.parse::<i32>().ok());
                // The lowest byte is the primary code.
                match code.map(|code| code & 0xff) {
                    Some(FULL) => Self::Full(text),
                    Some(primary) if !DEAD.contains(&primary) => Self::Passing(text),
                    Some(_) | None => Self::Dead(text),
                }
            }
            sqlx::Error::PoolTimedOut => Self::Passing(text),
            _ => Self::Dead(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    /// However many read histories.
    #[tokio::test]
    async fn what_waits_has_a_reader_of_its_own() {
        let folder = std::env::temp_dir().join(format!("rtcd-store-readers-{}", std::process::id()));
        let database =
            Sqlite::new(&folder.join("messages.db"), &Settings::default()).connect().await.unwrap();
        let mut held = Vec::new();
        while let Some(reader) = database.readers.try_acquire() {
            held.push(reader);
        }
        while held.len() < Settings::default().readers.get() {
            held.push(database.readers.acquire().await.unwrap());
        }
        assert!(database.readers.try_acquire().is_none());
        assert_eq!(database.pending("bob", 0, 10).await, Ok(Vec::new()));
        assert_eq!(database.pending_counts("bob").await, Ok(BTreeMap::new()));
        drop(held);
        database.close().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// What a commit promises hangs on these. No test can cut the power.
    #[tokio::test]
    async fn a_commit_is_synchronised_with_the_disk() {
        let folder = std::env::temp_dir().join(format!("rtcd-store-{}", std::process::id()));
        let database =
            Sqlite::new(&folder.join("messages.db"), &Settings::default()).connect().await.unwrap();
        let mut seen = Vec::new();
        if let Some(pen) = &mut *database.pen.lock().await {
            for pragma in ["PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA wal_autocheckpoint"] {
                let row = query(pragma).fetch_one(pen.connection()).await.unwrap();
                seen.push(
                    row.try_get(0).or_else(|_| row.try_get::<i64, _>(0).map(|n| n.to_string())).unwrap(),
                );
            }
        }
        database.close().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        // 2 is FULL.
        assert_eq!(seen, ["wal", "2", LOG_PAGES]);
    }

    /// A file that the first version filled up to `max_size`.
    #[tokio::test]
    async fn a_full_file_of_the_first_version_is_taken_over() {
        use sqlx::Connection;
        const PAGES: u32 = 2000;
        let folder = std::env::temp_dir().join(format!("rtcd-store-full-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("messages.db");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true)
            .page_size(PAGE_SIZE)
            .synchronous(SqliteSynchronous::Off)
            .pragma("max_page_count", PAGES.to_string());
        let mut connection = options.connect().await.unwrap();
        let first = include_str!("../../migrations/0001_messages.sql").into_sql_str();
        let first = Migration::new(1, "messages".into(), MigrationType::Simple, first, false);
        Migrator::with_migrations(vec![first]).run(&mut connection).await.unwrap();
        let (mut n, mut refused) = (0i64, 0);
        // What does not fit is refused, and less may still fit.
        while refused < 30 {
            n += 1;
            let insert = query(
                "INSERT INTO messages (conversation, id, sender, receiver, kind, date, headers, body, state)
                VALUES ('c' || (? * 7919 % 997), ?, (? * 7919 % 997) || '@rtc.test.com', (? % 31) || '@rtc.test.com', 0,
                1700000000000 + ?, '{}', '\"' || hex(zeroblob(25)) || '\"', ? % 3)",
            );
            let insert = insert.bind(n).bind(format!("id{n}")).bind(n).bind(n).bind(n).bind(n);
            refused += u32::from(insert.execute(&mut connection).await.is_err());
        }
        connection.close().await.unwrap();
        let settings = Settings { max_size: u64::from(PAGES * PAGE_SIZE), ..Settings::default() };
        let database = Sqlite::new(&file, &settings).connect().await.unwrap();
        assert_eq!(database.make_room(0, 10).await, Ok(10));
        database.close().await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
