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
use rtcd_store::{Backend, Conversation, NewMessage, Settings, Sqlite, Store, StoreError, Write};

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
    // It is read as before, and marks need no room.
    assert_eq!(count(&store).await, kept as u64);
    let waiting = store.pending(BOB, 0, 1000).await.unwrap();
    store.mark_delivered(BOB, vec![waiting[0].name()]).await.unwrap();
    assert_eq!(count(&store).await, kept as u64 - 1);
    assert!(store.append(large(0)).await.unwrap().is_repeat);
    // What is refused leaves nothing behind, and its neighbours in the queue are kept if they fit.
    assert!(matches!(store.append(large(kept)).await, Err(StoreError::Unavailable(_))));
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
    let history = store.history(&Conversation::between(ALICE, BOB), newest(1000)).await.unwrap();
    let ids: Vec<_> = history.iter().map(|message| message.id.clone()).collect();
    assert_eq!(ids, (0..kept + 101).map(|n| format!("m{n}")).collect::<Vec<_>>());
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
