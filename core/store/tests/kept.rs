//! What is kept, and how it is read again: by SQLite and by memory alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Folder, message, newest};
use rtcd_store::{
    Appended, Backend, Conversation, Database, Kind, Memory, Name, NewMessage, Page, Settings, Sqlite, State,
    Store, StoreError, StoredMessage, Write, Written, is_full_page,
};

const ALICE: &str = "alice@t.com";
const BOB: &str = "bob@t.com";
const CAROL: &str = "carol@t.com";

/// Runs a test with each kind of store.
async fn each(test: &str, run: impl AsyncFn(Store)) {
    run(Store::in_memory()).await;
    let folder = Folder::new(test);
    run(Store::open(&folder.file(), &Settings::default())).await;
}

fn ids(messages: &[StoredMessage]) -> Vec<&str> {
    messages.iter().map(|message| &*message.id).collect()
}

async fn append_all(store: &Store, messages: Vec<NewMessage>) {
    // All are queued before the first is answered.
    let answers: Vec<_> = messages.into_iter().map(|message| store.append(message)).collect();
    for answer in answers {
        answer.await.unwrap();
    }
}

#[tokio::test]
async fn messages_keep_their_order_and_all_that_is_in_them() {
    each("order", async |store| {
        let first = NewMessage {
            content_type: Some("text/plain".to_owned()),
            headers: "{\"Subject\":\"\u{1f600}\\u0000\"}".to_owned(),
            body: "\"it's; -- \\\"quoted\\\"\"".to_owned(),
            date: 4_102_444_800_007,
            ..message("m0", ALICE, BOB)
        };
        let appended = store.append(first.clone()).await.unwrap();
        assert!(appended.seq > 0 && appended.date == first.date && !appended.is_repeat);
        append_all(&store, (1..100).map(|n| message(&format!("m{n}"), ALICE, BOB)).collect()).await;

        let waiting = store.pending(BOB, 0, 1000).await.unwrap();
        assert_eq!(ids(&waiting), (0..100).map(|n| format!("m{n}")).collect::<Vec<_>>());
        assert!(waiting.windows(2).all(|two| two[0].seq < two[1].seq));
        let kept = StoredMessage {
            seq: appended.seq,
            conversation: Conversation::between(BOB, ALICE),
            id: first.id,
            sender: first.sender,
            receiver: first.receiver,
            kind: Kind::Message,
            date: first.date,
            content_type: first.content_type,
            headers: first.headers,
            body: first.body,
            state: State::Sent,
        };
        assert_eq!(waiting[0], kept);
        assert_eq!(store.pending_count(BOB).await.unwrap(), 100);
        assert_eq!(store.pending_count(ALICE).await.unwrap(), 0);
        append_all(&store, vec![message("m1", CAROL, BOB)]).await;
        let counts = [(ALICE.to_owned(), 100), (CAROL.to_owned(), 1)].into();
        assert_eq!(store.pending_counts(BOB).await.unwrap(), counts);
        let after = store.pending(BOB, waiting[49].seq, 3).await.unwrap();
        assert_eq!(ids(&after), ["m50", "m51", "m52"]);
    })
    .await;
}

#[tokio::test]
async fn a_repeat_is_kept_once_and_what_it_brings_is_that_it_was_delivered() {
    each("repeat", async |store| {
        let first = store.append(message("m1", ALICE, BOB)).await.unwrap();
        let changed = NewMessage { body: "2".to_owned(), date: 2, ..message("m1", ALICE, BOB) };
        let again = store.append(changed.clone()).await.unwrap();
        assert_eq!((again.seq, again.date, again.is_repeat), (first.seq, first.date, true));
        // Both in one batch.
        append_all(&store, vec![message("m2", ALICE, BOB), message("m2", ALICE, BOB)]).await;
        // The same id of another sender, or for another receiver, is another message.
        assert!(!store.append(message("m1", CAROL, BOB)).await.unwrap().is_repeat);
        assert!(!store.append(message("m1", ALICE, CAROL)).await.unwrap().is_repeat);

        let waiting = store.pending(BOB, 0, 10).await.unwrap();
        assert_eq!(ids(&waiting), ["m1", "m2", "m1"]);
        assert_eq!(waiting[0].body, "{\"text\":\"m1\"}");

        store.append(NewMessage { delivered: true, ..changed }).await.unwrap();
        assert_eq!(ids(&store.pending(BOB, 0, 10).await.unwrap()), ["m2", "m1"]);
        // It does not go back.
        store.append(message("m1", ALICE, BOB)).await.unwrap();
        assert_eq!(store.pending_count(BOB).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_history_is_walked_by_cursors_in_both_directions() {
    each("history", async |store| {
        for n in 0..25 {
            let (sender, receiver) = if n % 2 == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
            drop(store.append(message(&format!("m{n}"), sender, receiver)));
            drop(store.append(message(&format!("other{n}"), ALICE, CAROL)));
            let receipt = message(&format!("receipt{n}"), receiver, sender);
            store.append(NewMessage { kind: Kind::Receipt, ..receipt }).await.unwrap();
        }
        let conversation = Conversation::between(BOB, ALICE);
        let expected: Vec<_> = (0..25).map(|n| format!("m{n}")).collect();

        let mut back = Vec::new();
        let mut page = newest(10);
        loop {
            let part = store.history(&conversation, page).await.unwrap();
            let Some(oldest) = part.first() else { break };
            page.before = Some(oldest.seq);
            back.splice(0..0, part.iter().map(|message| message.id.clone()));
        }
        assert_eq!(back, expected);

        let mut forth = Vec::new();
        let mut page = Page { before: None, after: Some(0), limit: 10 };
        loop {
            let part = store.history(&conversation, page).await.unwrap();
            let Some(newest) = part.last() else { break };
            page.after = Some(newest.seq);
            forth.extend(part.iter().map(|message| message.id.clone()));
        }
        assert_eq!(forth, expected);

        let all = store.history(&conversation, newest(1000)).await.unwrap();
        let between = Page { after: Some(all[3].seq), before: Some(all[7].seq), limit: 10 };
        assert_eq!(ids(&store.history(&conversation, between).await.unwrap()), ["m4", "m5", "m6"]);
        assert!(store.history(&conversation, newest(0)).await.unwrap().is_empty());
        assert!(store.history(&Conversation::room(ALICE), newest(9)).await.unwrap().is_empty());
    })
    .await;
}

/// Whatever is asked for, it is not more than can be sent at once.
#[tokio::test]
async fn a_page_ends_when_it_is_large() {
    each("pages", async |store| {
        let large = |n: usize| NewMessage {
            body: format!("\"{}\"", "x".repeat(60_000)),
            ..message(&format!("m{n}"), ALICE, &format!("user{n}@t.com"))
        };
        for n in 0..11 {
            let NewMessage { id, body, .. } = large(n);
            store.append(NewMessage { id, body, ..message("", ALICE, BOB) }).await.unwrap();
            store.append(large(n)).await.unwrap();
        }
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let conversation = Conversation::between(ALICE, BOB);
        let before = async |before| {
            let page = Page { before, after: None, limit: 200 };
            let part = store.history(&conversation, page).await.unwrap();
            (part.iter().map(|m| m.id.clone()).collect::<Vec<_>>(), part[0].seq, is_full_page(&part, 200))
        };
        let (newest, seq, is_full) = before(None).await;
        assert_eq!((newest, is_full), (texts(&["m6", "m7", "m8", "m9", "m10"]), true));
        let (middle, seq, is_full) = before(Some(seq)).await;
        assert_eq!((middle, is_full), (texts(&["m1", "m2", "m3", "m4", "m5"]), true));
        let (oldest, _, is_full) = before(Some(seq)).await;
        assert_eq!((oldest, is_full), (texts(&["m0"]), false));

        let forth = Page { before: None, after: Some(0), limit: 200 };
        let forth = store.history(&conversation, forth).await.unwrap();
        assert_eq!(ids(&forth), ["m0", "m1", "m2", "m3", "m4"]);
        let two = store.history(&conversation, self::newest(2)).await.unwrap();
        assert_eq!((ids(&two), is_full_page(&two, 2)), (vec!["m9", "m10"], true));

        let list = store.conversations(ALICE, None, 200).await.unwrap();
        assert_eq!(list.iter().map(|c| &*c.last.id).collect::<Vec<_>>(), ["m10", "m10", "m9", "m8", "m7"]);
        assert!(is_full_page(list.iter().map(|c| &c.last), 200));
        let rest = store.conversations(ALICE, Some(list[4].last.seq), 200).await.unwrap();
        assert_eq!(rest[0].last.id, "m6");

        // One that is larger than a page is one.
        let huge = NewMessage { body: format!("\"{}\"", "x".repeat(600_000)), ..message("huge", ALICE, BOB) };
        store.append(huge).await.unwrap();
        assert_eq!(before(None).await.0, ["huge"]);
    })
    .await;
}

#[tokio::test]
async fn what_waits_of_one_sender_is_bounded_over_all_receivers() {
    each("quota", async |store| {
        // 256, four times the names, and what is in it.
        let sized = |id: &str, receiver: &str| {
            let names = id.len() + ALICE.len() + receiver.len();
            NewMessage { body: "x".repeat(1000 - 256 - 4 * names - 2), ..message(id, ALICE, receiver) }
        };
        let within =
            async |message| store.append_within(message, 5000).await.map(|appended| appended.is_repeat);
        for n in 0..4 {
            assert_eq!(within(sized("m1", &format!("user{n}@t.com"))).await, Ok(false));
        }
        assert_eq!(within(sized("m1", BOB)).await, Ok(false));
        assert_eq!(within(sized("m2", BOB)).await, Err(StoreError::TooMuch));
        // What is there is there, and others have bounds of their own.
        assert_eq!(within(sized("m1", BOB)).await, Ok(true));
        assert_eq!(within(message("m1", CAROL, BOB)).await, Ok(false));
        // What does not wait is not bounded.
        let in_room =
            NewMessage { kind: Kind::Room, conversation: Conversation::room("r"), ..sized("m3", "r") };
        assert_eq!(within(in_room).await, Ok(false));
        assert_eq!(within(NewMessage { delivered: true, ..sized("m3", BOB) }).await, Ok(false));
        // By one that is delivered there is room for one more; by one that is read, too; by a repeat that says so, too.
        let name = Name { sender: ALICE.to_owned(), id: "m1".to_owned(), kind: Kind::Message };
        for _ in 0..2 {
            store.mark_delivered(BOB, vec![name.clone()]).await.unwrap();
            store.mark_read(BOB, ALICE, vec!["m1".to_owned()]).await.unwrap();
        }
        assert_eq!(within(sized("m4", BOB)).await, Ok(false));
        store.mark_read(BOB, ALICE, vec!["m4".to_owned()]).await.unwrap();
        assert_eq!(within(sized("m5", BOB)).await, Ok(false));
        store.append(NewMessage { delivered: true, ..sized("m5", BOB) }).await.unwrap();
        // In one batch each counts, in order.
        let answers = ["m6", "m7", "m6"].map(|id| store.append_within(sized(id, BOB), 5000));
        let mut seen = Vec::new();
        for answer in answers {
            seen.push(answer.await.map(|appended| appended.is_repeat));
        }
        assert_eq!(seen, [Ok(false), Err(StoreError::TooMuch), Ok(true)]);
        // Receipts count by themselves.
        let receipt = |id: &str| NewMessage { kind: Kind::Receipt, ..sized(id, BOB) };
        for id in ["r1", "r2", "r3", "r4", "r5"] {
            assert_eq!(within(receipt(id)).await, Ok(false));
        }
        assert_eq!(within(receipt("r6")).await, Err(StoreError::TooMuch));
        let name = Name { sender: ALICE.to_owned(), id: "r1".to_owned(), kind: Kind::Receipt };
        store.mark_delivered(BOB, vec![name]).await.unwrap();
        assert_eq!(within(receipt("r6")).await, Ok(false));
        assert_eq!(within(sized("m7", BOB)).await, Err(StoreError::TooMuch));
    })
    .await;
}

/// Plain memory has a bound too.
#[tokio::test]
async fn memory_forgets_what_waits_for_nobody() {
    let memory = Memory::default();
    let all = (0..100_005).map(|n| message(&format!("m{n}"), ALICE, BOB));
    let all = all.enumerate().map(|(n, message)| NewMessage { delivered: n >= 3, ..message });
    memory.write(&all.map(Write::Append).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(ids(&memory.pending(BOB, 0, 10).await.unwrap()), ["m0", "m1", "m2"]);
    let page = Page { before: None, after: Some(0), limit: 4 };
    let history = memory.history(&Conversation::between(ALICE, BOB), page).await.unwrap();
    assert_eq!(ids(&history), ["m0", "m1", "m2", "m8"]);
}

#[tokio::test]
async fn what_is_deleted_does_not_wait_any_more() {
    let folder = Folder::new("counted");
    let sqlite = Sqlite::new(&folder.file(), &Settings::default()).open().await.unwrap();
    for database in [sqlite, Arc::new(Memory::default())] {
        let append = |id| Write::AppendWithin(NewMessage { date: 1, ..message(id, ALICE, BOB) }, 500);
        let write = async |id| database.write(&[append(id)]).await.unwrap().remove(0);
        assert!(matches!(write("m1").await, Written::Appended(_)));
        assert_eq!(write("m2").await, Written::TooMuch);
        assert_eq!(database.forget(2, 10).await, Ok(1));
        assert!(matches!(write("m2").await, Written::Appended(_)));
        assert_eq!(write("m1").await, Written::TooMuch);
    }
}

/// What waited before it was counted is counted.
#[tokio::test]
async fn a_file_of_the_first_version_is_taken_over() {
    use sqlx::migrate::{Migration, MigrationType, Migrator};
    use sqlx::{ConnectOptions, Connection, SqlSafeStr};
    let folder = Folder::new("first-version");
    let first = include_str!("../migrations/0001_messages.sql").into_sql_str();
    let first = Migration::new(1, "messages".into(), MigrationType::Simple, first, false);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.file()).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    Migrator::with_migrations(vec![first]).run(&mut connection).await.unwrap();
    let insert = "INSERT INTO messages (conversation, id, sender, receiver, kind, date, headers, body, state)
        VALUES (?, ?, ?, ?, 0, 1, '{}', '1', 0)";
    for id in ["m1", "m2"] {
        let conversation = Conversation::between(ALICE, BOB);
        sqlx::query(insert)
            .bind(conversation.key())
            .bind(id)
            .bind(ALICE)
            .bind(BOB)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
    let store = Store::open(&folder.file(), &Settings::default());
    assert_eq!(store.pending_count(BOB).await, Ok(2));
    let third = message("m3", ALICE, BOB);
    let bytes = 2 * (256 + 4 * ("m1".len() + ALICE.len() + BOB.len()) as u64 + 3);
    assert_eq!(store.append_within(third.clone(), bytes + 100).await, Err(StoreError::TooMuch));
    let own = 256 + 4 * ("m3".len() + ALICE.len() + BOB.len()) as u64 + 2 + third.body.len() as u64;
    assert!(store.append_within(third, bytes + own).await.is_ok());
}

#[tokio::test]
async fn a_room_has_a_history_and_waits_for_nobody() {
    each("room", async |store| {
        let room = |id, sender| NewMessage {
            conversation: Conversation::room("room:r1"),
            kind: Kind::Room,
            ..message(id, sender, "room:r1")
        };
        append_all(&store, vec![room("m1", ALICE), room("m2", BOB), room("m3", ALICE)]).await;
        let history = store.history(&Conversation::room("room:r1"), newest(2)).await.unwrap();
        assert_eq!(ids(&history), ["m2", "m3"]);
        assert_eq!(store.pending_count("room:r1").await.unwrap(), 0);
        assert!(store.conversations(ALICE, None, 10).await.unwrap().is_empty());
        // A room may have the name of a user: the same id there is another message.
        let in_room = NewMessage { kind: Kind::Room, ..message("m9", ALICE, BOB) };
        assert!(!store.append(in_room).await.unwrap().is_repeat);
        assert!(!store.append(message("m9", ALICE, BOB)).await.unwrap().is_repeat);
        assert_eq!(ids(&store.pending(BOB, 0, 10).await.unwrap()), ["m9"]);
    })
    .await;
}

#[tokio::test]
async fn marks_go_forward_only_and_touch_what_is_the_receivers() {
    each("marks", async |store| {
        append_all(&store, (1..=4).map(|n| message(&format!("m{n}"), ALICE, BOB)).collect()).await;
        let name = |id: &str, sender: &str, kind| Name { id: id.to_owned(), sender: sender.to_owned(), kind };
        let [first, third] = ["m1", "m3"].map(|id| name(id, ALICE, Kind::Message));
        store.mark_delivered(CAROL, vec![first.clone(), third.clone()]).await.unwrap();
        let others = [name("m1", CAROL, Kind::Message), name("m2", ALICE, Kind::Receipt)];
        store.mark_delivered(BOB, others.into()).await.unwrap();
        assert_eq!(store.pending_count(BOB).await.unwrap(), 4);
        let none = name("none", ALICE, Kind::Message);
        store.mark_delivered(BOB, vec![first.clone(), none, third]).await.unwrap();
        assert_eq!(ids(&store.pending(BOB, 0, 10).await.unwrap()), ["m2", "m4"]);

        let of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(store.mark_read(BOB, CAROL, of(&["m1"])).await.unwrap(), of(&[]));
        assert_eq!(store.mark_read(ALICE, BOB, of(&["m1"])).await.unwrap(), of(&[]));
        let read = store.mark_read(BOB, ALICE, of(&["m2", "m1", "none"])).await.unwrap();
        assert_eq!(read, of(&["m2", "m1"]));
        assert_eq!(store.mark_read(BOB, ALICE, of(&["m1"])).await.unwrap(), of(&[]));
        store.mark_delivered(BOB, vec![first]).await.unwrap();

        let history = store.history(&Conversation::between(ALICE, BOB), newest(10)).await.unwrap();
        let states: Vec<_> = history.iter().map(|message| message.state).collect();
        assert_eq!(states, [State::Read, State::Read, State::Delivered, State::Sent]);
    })
    .await;
}

/// Clients choose ids.
#[tokio::test]
async fn an_id_is_any_text() {
    each("ids", async |store| {
        let ids = ["a\0b", "a", "\0", "\u{1f600}\"'\\\n", "a\0c"].map(str::to_owned);
        append_all(&store, ids.iter().map(|id| message(id, ALICE, BOB)).collect()).await;
        let [first, _, third, fourth, _] = &ids;
        let name = |id: &String| Name { sender: ALICE.to_owned(), id: id.clone(), kind: Kind::Message };
        store.mark_delivered(BOB, [first, third, fourth].map(name).to_vec()).await.unwrap();
        assert_eq!(self::ids(&store.pending(BOB, 0, 10).await.unwrap()), ["a", "a\0c"]);
        let read = store.mark_read(BOB, ALICE, vec![first.clone(), fourth.clone()]).await.unwrap();
        assert_eq!(read, [first.clone(), fourth.clone()]);
    })
    .await;
}

#[tokio::test]
async fn conversations_come_newest_first_with_what_is_unread() {
    each("conversations", async |store| {
        append_all(
            &store,
            vec![
                message("a1", ALICE, BOB),
                message("a2", ALICE, BOB),
                message("c1", CAROL, BOB),
                message("b1", BOB, ALICE),
                message("x1", ALICE, CAROL),
                message("self", BOB, BOB),
                NewMessage { kind: Kind::Receipt, ..message("r1", CAROL, BOB) },
            ],
        )
        .await;
        let seen = async |before, limit| {
            let list = store.conversations(BOB, before, limit).await.unwrap();
            list.into_iter().map(|c| (c.with, c.last.id, c.unread)).collect::<Vec<_>>()
        };
        let row = |with: &str, last: &str, unread| (with.to_owned(), last.to_owned(), unread);
        assert_eq!(seen(None, 10).await, [row(BOB, "self", 1), row(ALICE, "b1", 2), row(CAROL, "c1", 1)]);

        let first = store.conversations(BOB, None, 2).await.unwrap();
        assert_eq!(seen(Some(first[1].last.seq), 2).await, [row(CAROL, "c1", 1)]);

        store.mark_read(BOB, ALICE, vec!["a1".to_owned()]).await.unwrap();
        store.append(message("a3", ALICE, BOB)).await.unwrap();
        assert_eq!(seen(None, 2).await, [row(ALICE, "a3", 2), row(BOB, "self", 1)]);

        append_all(&store, (0..1100).map(|n| message(&format!("many{n}"), CAROL, BOB)).collect()).await;
        assert_eq!(seen(None, 1).await, [row(CAROL, "many1099", 1101)]);
    })
    .await;
}

/// Memory is the model: whatever is written, in whatever batches, SQLite answers the same.
#[tokio::test]
async fn sqlite_answers_as_memory_does_whatever_a_batch_holds() {
    let folder = Folder::new("model");
    let sqlite = Sqlite::new(&folder.file(), &Settings::default()).open().await.unwrap();
    // Their numbers are the same from here on.
    let first = [Write::Append(message("first", ALICE, BOB))];
    let Written::Appended(Appended { seq: base, .. }) = sqlite.write(&first).await.unwrap()[0] else {
        panic!()
    };
    let memory = Memory::after(base - 1);
    memory.write(&first).await.unwrap();
    let users = [ALICE, BOB, CAROL];
    let mut state: u64 = 1;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..60 {
        let mut batch = Vec::new();
        for _ in 0..=draw(200) {
            let (sender, receiver) = (users[draw(3) as usize], users[draw(3) as usize]);
            let id = format!("m{}", draw(40 * (round + 1)));
            batch.push(match draw(20) {
                0 => Write::Read { receiver: receiver.to_owned(), sender: sender.to_owned(), ids: vec![id] },
                1 => {
                    let mut name = || Name {
                        sender: users[draw(3) as usize].to_owned(),
                        id: format!("m{}", draw(40 * (round + 1))),
                        kind: [Kind::Message, Kind::Receipt][draw(2) as usize],
                    };
                    let names = (0..9).map(|_| name()).collect();
                    Write::Delivered { receiver: receiver.to_owned(), names }
                }
                kind => Write::Append(NewMessage {
                    kind: if kind == 2 { Kind::Receipt } else { Kind::Message },
                    delivered: kind == 3,
                    // Now and then the clock is put back.
                    date: if draw(4) == 0 { round.saturating_sub(draw(40)) } else { round },
                    ..message(&id, sender, receiver)
                }),
            });
        }
        assert_eq!(sqlite.write(&batch).await.unwrap(), memory.write(&batch).await.unwrap(), "{round}");
        if round % 20 == 19 {
            let (limit, oldest) = (100_000, round - 10);
            assert_eq!(sqlite.forget(oldest, limit).await, memory.forget(oldest, limit).await);
        }
        for user in users {
            assert_eq!(
                sqlite.pending(user, base + 100, 1000).await,
                memory.pending(user, base + 100, 1000).await
            );
            assert_eq!(sqlite.pending_counts(user).await, memory.pending_counts(user).await);
            assert_eq!(sqlite.conversations(user, None, 9).await, memory.conversations(user, None, 9).await);
            let conversation = Conversation::between(user, ALICE);
            let page = newest(50);
            assert_eq!(sqlite.history(&conversation, page).await, memory.history(&conversation, page).await);
        }
    }
}

#[tokio::test]
async fn what_is_kept_is_there_after_a_restart_and_numbers_go_on() {
    let folder = Folder::new("restart");
    let store = Store::open(&folder.file(), &Settings::default());
    let first = store.append(message("m1", ALICE, BOB)).await.unwrap();
    drop(store);
    let store = Store::open(&folder.file(), &Settings::default());
    assert!(store.append(message("m1", ALICE, BOB)).await.unwrap().is_repeat);
    assert!(store.append(message("m2", ALICE, BOB)).await.unwrap().seq > first.seq);
    assert_eq!(ids(&store.pending(BOB, 0, 10).await.unwrap()), ["m1", "m2"]);
}

/// Whoever remembers numbers of a file that is lost must not miss what a new one holds.
#[tokio::test]
async fn numbers_of_a_new_file_come_after_those_of_one_before() {
    let folder = Folder::new("lost");
    let mut last = 0;
    for file in ["first.db", "second.db"] {
        let store = Store::open(&folder.path().join(file), &Settings::default());
        for n in 0..2 {
            let Appended { seq, .. } = store.append(message(&format!("m{n}"), ALICE, BOB)).await.unwrap();
            assert!(seq > last, "{seq} after {last}");
            last = seq;
        }
    }
}

/// What was kept last may be the oldest by its date.
#[tokio::test]
async fn what_is_forgotten_in_another_order_leaves_the_counts_right() {
    let folder = Folder::new("order");
    let sqlite = Sqlite::new(&folder.file(), &Settings::default()).open().await.unwrap();
    for database in [sqlite, Arc::new(Memory::default())] {
        let unread = async |id: &str, count| {
            let [summary] = database.conversations(BOB, None, 9).await.unwrap().try_into().unwrap();
            assert_eq!((&*summary.last.id, summary.unread), (id, count));
        };
        let dated = |id, date| Write::Append(NewMessage { date, ..message(id, ALICE, BOB) });
        database.write(&[dated("m1", 20), dated("m2", 10)]).await.unwrap();
        database.forget(15, 9).await.unwrap();
        unread("m1", 1).await;
        database.write(&[dated("m3", 30)]).await.unwrap();
        database.forget(25, 9).await.unwrap();
        unread("m3", 1).await;
        let read =
            Write::Read { receiver: BOB.to_owned(), sender: ALICE.to_owned(), ids: vec!["m3".to_owned()] };
        database.write(&[read]).await.unwrap();
        unread("m3", 0).await;
        database.forget(35, 9).await.unwrap();
        assert!(database.conversations(BOB, None, 9).await.unwrap().is_empty());
    }
}

#[test]
fn the_file_of_settings_has_the_defaults() {
    let file: Settings = serde_yaml::from_str(include_str!("../../../conf/store.yaml")).unwrap();
    assert_eq!(format!("{file:?}"), format!("{:?}", Settings::default()));
    // A sender has an answer before the 5 s of `jsip.transtimer`; a stranger does not fill the disk.
    assert_eq!((file.timeout, file.max_size), (Duration::from_secs(2), 4 << 30));
}

#[tokio::test]
async fn the_largest_settings_are_taken() {
    let folder = Folder::new("largest");
    let yaml = "{queue: 18446744073709551615, queue_bytes: 18446744073709551615, batch: 18446744073709551615, timeout: 500000y,
        retry: 500000y, retention: 500000y, max_size: 18446744073709551615, readers: 18446744073709551615}";
    let store = Store::open(&folder.file(), &serde_yaml::from_str(yaml).unwrap());
    store.append(message("m1", ALICE, BOB)).await.unwrap();
    assert_eq!(store.pending_count(BOB).await, Ok(1));
}

#[test]
fn two_users_have_one_conversation_and_no_other() {
    assert_eq!(Conversation::between("a", "b"), Conversation::between("b", "a"));
    let keys = [
        Conversation::between("a b", "c"),
        Conversation::between("a", "b c"),
        Conversation::between("a", "c"),
        Conversation::room("a b"),
        Conversation::room("1:a c"),
    ];
    for (index, key) in keys.iter().enumerate() {
        assert!(!keys[..index].contains(key), "{key:?}");
    }
}

#[test]
fn a_store_in_memory_needs_no_runtime() {
    use std::task::{Context, Poll, Waker};
    let store = Store::in_memory();
    let mut cx = Context::from_waker(Waker::noop());
    let mut append = Box::pin(store.append(message("m1", ALICE, BOB)));
    assert!(matches!(append.as_mut().poll(&mut cx), Poll::Ready(Ok(_))));
    let mut count = Box::pin(store.pending_count(BOB));
    assert_eq!(count.as_mut().poll(&mut cx), Poll::Ready(Ok::<_, StoreError>(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_from_which_messages_are_deleted_is_not_the_last_one() {
    let folder = Folder::new("pages_deleted");
    let database = Sqlite::new(&folder.file(), &Settings::default()).open().await.unwrap();
    for k in 0..10u64 {
        let one = |n: u64| NewMessage {
            delivered: true,
            date: k * 1000 + n,
            ..message(&format!("m{k}-{n}"), "alice@t.com", "bob@t.com")
        };
        database.write(&(0..1000).map(|n| Write::Append(one(n))).collect::<Vec<_>>()).await.unwrap();
    }
    let sweeper = database.clone();
    let sweeping = tokio::spawn(async move {
        for date in (0..8_000u64).step_by(20) {
            sweeper.forget(date, 500).await.unwrap();
        }
    });
    while !sweeping.is_finished() {
        let page = Page { before: None, after: Some(0), limit: 200 };
        let page = database.history(&Conversation::between("alice@t.com", "bob@t.com"), page).await.unwrap();
        assert!(is_full_page(&page, 200), "{}", page.len());
    }
}
