//! A disk that is full, a file that is gone or broken: SQLite and the writer together.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::env;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Folder, message, newest};
use rtcd_store::{
    Backend, Conversation, Kind, NewMessage, Page, Settings, Sqlite, Store, StoreError, StoredMessage, Write,
};

const ALICE: &str = "alice@t.com";
const BOB: &str = "bob@t.com";

fn settings(yaml: &str) -> Settings {
    serde_yaml::from_str(yaml).unwrap()
}

fn large(n: usize) -> NewMessage {
    NewMessage { body: format!("\"{}\"", "x".repeat(20_000)), ..message(&format!("m{n}"), ALICE, BOB) }
}

/// Appends until it does not go any more, and says how many went.
async fn fill(store: &Store) -> usize {
    let mut count = 0;
    loop {
        match store.append(large(count)).await {
            Ok(_) => count += 1,
            Err(StoreError::Unavailable(_)) => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Appends again and again until it goes: each try gets its answer from the store, so this waits for the store alone.
async fn append_when_it_can(store: &Store, message: NewMessage) {
    while let Err(error) = store.append(message.clone()).await {
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn ids(messages: &[StoredMessage]) -> Vec<&str> {
    messages.iter().map(|message| &*message.id).collect()
}

async fn count(store: &Store) -> u64 {
    store.pending_count(BOB).await.unwrap()
}

#[tokio::test]
async fn a_full_database_refuses_what_does_not_fit_and_all_else_goes_on() {
    let folder = Folder::new("full");
    let limit = settings("max_size: 1000000");
    let store = Store::open(&folder.file(), &limit);
    let kept = fill(&store).await;
    assert!(kept > 10, "{kept}");
    // It is read as before. What is refused leaves nothing behind.
    assert_eq!(count(&store).await, kept as u64);
    assert!(store.append(large(0)).await.unwrap().is_repeat);
    assert!(matches!(store.append(large(kept)).await, Err(StoreError::Unavailable(_))));
    // Marks need no room.
    let waiting = store.pending(BOB, 0, 1000).await.unwrap();
    store.mark_delivered(BOB, vec![waiting[0].name()]).await.unwrap();
    assert_eq!(count(&store).await, kept as u64 - 1);
    drop(store);

    // Old messages make room, as the retention takes them.
    let database = Sqlite::new(&folder.file(), &limit).open().await.unwrap();
    assert_eq!(database.forget(u64::MAX, 5).await.unwrap(), 5);
    database.close().await.unwrap();
    let store = Store::open(&folder.file(), &limit);
    store.append(large(kept)).await.unwrap();
    // The first one was delivered.
    assert_eq!(count(&store).await, kept as u64 - 5 + 1);
    drop(store);

    let store = Store::open(&folder.file(), &Settings::default());
    for n in 0..10 {
        store.append(large(kept + 1 + n)).await.unwrap();
    }
}

/// What was delivered, or said in a room, goes when there is no room any more, the oldest first. What waits stays.
#[tokio::test]
async fn a_full_database_forgets_the_oldest_history_and_takes_what_is_new() {
    let folder = Folder::new("bounded");
    let store = Store::open(&folder.file(), &settings("max_size: 1000000"));
    let room = Conversation::room("room:1");
    for n in 0..5 {
        store.append(large(n)).await.unwrap();
    }
    for n in 5..200 {
        let kind = if n % 2 == 0 { Kind::Room } else { Kind::Message };
        let conversation = if n % 2 == 0 { room.clone() } else { Conversation::between(ALICE, BOB) };
        // The clock goes backwards, but for what is old by its date.
        let date = 4_102_444_800_000 + n as u64;
        store
            .append(NewMessage { kind, conversation, date, delivered: n % 2 == 1, ..large(n) })
            .await
            .unwrap();
    }
    let waiting = store.pending(BOB, 0, 100).await.unwrap();
    assert_eq!(ids(&waiting), ["m0", "m1", "m2", "m3", "m4"]);
    let history = store.history(&room, newest(100)).await.unwrap();
    // The newest without a gap.
    let expected: Vec<_> = (200 - 2 * history.len()..200).step_by(2).map(|n| format!("m{n}")).collect();
    assert!((8..30).contains(&history.len()), "{}", history.len());
    assert_eq!(ids(&history), expected);
    // What waits takes its place in the end, and then there is none.
    let kept = fill(&store).await;
    assert!(kept > 30, "{kept}");
    assert_eq!(count(&store).await, kept as u64);
    assert!(store.history(&room, newest(100)).await.unwrap().is_empty());
}

/// Whoever has many names: what waits leaves room for the rest.
#[tokio::test]
async fn what_waits_of_all_senders_takes_half_of_it_at_most() {
    let folder = Folder::new("half");
    let store = Store::open(&folder.file(), &settings("max_size: 4000000"));
    let from = |n: usize| {
        let sender = format!("mallory{n}@t.com");
        NewMessage { sender, body: "x".repeat(20_000), ..message("m", ALICE, &format!("nobody{n}@t.com")) }
    };
    let mut kept = 0;
    while store.append_within(from(kept), 100_000).await.is_ok() {
        kept += 1;
    }
    assert!((90..=100).contains(&kept), "{kept}");
    let refused = store.append_within(from(kept), 100_000).await;
    assert_eq!(refused, Err(StoreError::Unavailable("too much waits".to_owned())));
    assert!(store.append_within(from(0), 100_000).await.unwrap().is_repeat);
    // What does not wait is kept, and its oldest makes room.
    for n in 0..200 {
        let delivered = NewMessage { delivered: true, ..large(n) };
        store.append_within(delivered, 100_000).await.unwrap();
    }
    // There is room again when some has been delivered.
    store.mark_delivered("nobody0@t.com", vec![from(0).name()]).await.unwrap();
    store.append_within(from(kept), 100_000).await.unwrap();
}

#[tokio::test]
async fn room_is_made_when_nearly_all_is_taken_and_no_more_than_it_takes() {
    let folder = Folder::new("nearly");
    let database = Sqlite::new(&folder.file(), &settings("max_size: 10000000")).open().await.unwrap();
    let delivered = |n| Write::Append(NewMessage { delivered: true, ..large(n) });
    let batch: Vec<_> = (0..200).map(delivered).collect();
    database.write(&batch).await.unwrap();
    assert_eq!(database.make_room(0, 500).await.unwrap(), 0);
    let mut next = 200;
    while database.write(&[delivered(next)]).await.is_ok() {
        next += 1;
    }
    let mut deleted = 0;
    while let count @ 1.. = database.make_room(0, 10).await.unwrap() {
        assert!(count <= 10);
        deleted += count;
    }
    assert!((10..=40).contains(&deleted), "{deleted} of {next}");
    // For a batch that is larger than what is left by then.
    assert_eq!(database.make_room(500_000, 10).await.unwrap(), 10);
    // As much as some large ones, if they are large.
    assert!((190..250).contains(&database.make_room(5_000_000, 500).await.unwrap()));
}

/// A child whose files must not grow beyond a limit, as on a disk that is full; then the limit is lifted.
#[test]
fn a_full_disk_is_survived() {
    let folder = Folder::new("disk");
    let child = Command::new("sh")
        // The signal that comes with the limit would end it.
        .args(["-c", "trap '' XFSZ; ulimit -S -f 4000; exec \"$0\" --exact child --nocapture"])
        .arg(env::current_exe().unwrap())
        .env("STORE_DISK_FILE", folder.file())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let out = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{out}");
    assert!(out.contains("all is well"), "{out}");
}

/// What the other test starts. By itself it does nothing.
#[tokio::test]
async fn child() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Ok(file) = env::var("STORE_DISK_FILE") else { return };
    let store = Store::open(file.as_ref(), &Settings::default());
    let kept = fill(&store).await;
    assert!(kept > 10, "{kept}");
    assert_eq!(count(&store).await, kept as u64);
    let refused = store.append(large(kept)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    setrlimit(Resource::Fsize, Rlimit { current: None, maximum: getrlimit(Resource::Fsize).maximum })
        .unwrap();
    append_when_it_can(&store, large(kept)).await;
    for n in 0..100 {
        store.append(large(kept + 1 + n)).await.unwrap();
    }
    assert_eq!(count(&store).await, kept as u64 + 101);
    let mut history = Vec::new();
    loop {
        let after = history.last().map_or(0, |message: &StoredMessage| message.seq);
        let page = Page { after: Some(after), ..newest(1000) };
        let part = store.history(&Conversation::between(ALICE, BOB), page).await.unwrap();
        if part.is_empty() {
            break;
        }
        history.extend(part);
    }
    assert_eq!(ids(&history), (0..kept + 101).map(|n| format!("m{n}")).collect::<Vec<_>>());
    writeln!(std::io::stdout().lock(), "all is well").unwrap();
}

#[tokio::test]
async fn a_file_that_was_moved_away_is_noticed_before_anything_more_is_acknowledged() {
    let folder = Folder::new("moved");
    let store = Store::open(&folder.file(), &settings("retry: 20ms"));
    store.append(message("m1", ALICE, BOB)).await.unwrap();
    let away = folder.path().join("away.db");
    fs::rename(folder.file(), &away).unwrap();
    append_when_it_can(&store, message("m2", ALICE, BOB)).await;
    // It is in the file that stands there now, and m1 in the one that was moved.
    assert_eq!(count(&store).await, 1);
    drop(store);
    let there = Store::open(&folder.file(), &Settings::default());
    assert_eq!(there.pending(BOB, 0, 9).await.unwrap()[0].id, "m2");
    let moved = Store::open(&away, &Settings::default());
    assert_eq!(moved.pending(BOB, 0, 9).await.unwrap()[0].id, "m1");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone_until_it_is_one() {
    let folder = Folder::new("broken");
    fs::write(folder.file(), "not a database ".repeat(1000)).unwrap();
    let store = Store::open(&folder.file(), &settings("retry: 20ms"));
    let refused = store.append(message("m1", ALICE, BOB)).await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(reason)) if reason.contains("not a database")),
        "{refused:?}"
    );
    let refused = store.pending_count(BOB).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(fs::read(folder.file()).unwrap().starts_with(b"not a database"));
    fs::remove_file(folder.file()).unwrap();
    append_when_it_can(&store, message("m1", ALICE, BOB)).await;
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_file_that_breaks_under_way_is_unavailable_until_it_is_put_right() {
    let folder = Folder::new("breaks");
    let whole = Sqlite::new(&folder.file(), &Settings::default()).open().await.unwrap();
    let batch: Vec<_> = (0..100).map(|n| Write::Append(large(n))).collect();
    whole.write(&batch).await.unwrap();
    whole.close().await.unwrap();
    let copy = folder.path().join("copy.db");
    fs::copy(folder.file(), &copy).unwrap();
    let store = Store::open(&folder.file(), &settings("retry: 20ms"));
    assert_eq!(count(&store).await, 100);
    let broken = folder.path().join("broken.db");
    fs::write(&broken, "not a database ".repeat(1000)).unwrap();
    fs::rename(&broken, folder.file()).unwrap();
    let refused = store.append(large(100)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    fs::rename(&copy, folder.file()).unwrap();
    append_when_it_can(&store, large(100)).await;
    assert_eq!(count(&store).await, 101);
}

#[tokio::test]
async fn a_database_that_is_not_there_at_start_is_there_when_it_can_be() {
    let folder = Folder::new("start");
    // A file where the folder of the database is to be.
    let place = folder.path().join("state");
    fs::write(&place, "").unwrap();
    let store = Store::open(&place.join("messages.db"), &settings("retry: 20ms"));
    let refused = store.append(message("m1", ALICE, BOB)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    fs::remove_file(&place).unwrap();
    append_when_it_can(&store, message("m1", ALICE, BOB)).await;
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_database_of_a_later_version_is_not_touched() {
    let folder = Folder::new("later");
    let store = Store::open(&folder.file(), &Settings::default());
    store.append(message("m1", ALICE, BOB)).await.unwrap();
    drop(store);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.file());
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (999, 'later', true, x'00', 0)";
    sqlx::query(later).execute(&pool).await.unwrap();
    let store = Store::open(&folder.file(), &settings("retry: 20ms"));
    let refused = store.append(message("m2", ALICE, BOB)).await;
    assert!(
        matches!(&refused, Err(StoreError::Unavailable(reason)) if reason.contains("999")),
        "{refused:?}"
    );
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 999").execute(&pool).await.unwrap();
    append_when_it_can(&store, message("m2", ALICE, BOB)).await;
    assert_eq!(count(&store).await, 2);
}
