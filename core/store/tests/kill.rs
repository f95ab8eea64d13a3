//! A server that is killed in mid-write: what it acknowledged is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use common::{Folder, message, newest};
use rtcd_store::{Conversation, MAX_PAGE, Page, Settings, Store, StoredMessage};

const ALICE: &str = "alice@t.com";
const BOB: &str = "bob@t.com";

/// The file that the child writes to, and the number it begins with.
const FILE: &str = "STORE_KILL_FILE";
const BEGIN: &str = "STORE_KILL_BEGIN";

/// Each round kills a child at another point.
const ROUNDS: u64 = 12;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_there_twice_after_kills() {
    let folder = Folder::new("kill");
    let mut acknowledged = BTreeMap::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(FILE, folder.file())
            .env(BEGIN, (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
        let mut seen = 0;
        let mut take = |line: &[u8]| {
            let line = std::str::from_utf8(line).unwrap();
            // The test harness has lines of its own.
            if let Some((id, seq)) = line.strip_prefix("kept ").and_then(|rest| rest.split_once(' ')) {
                acknowledged.insert(id.to_owned(), seq.parse::<u64>().unwrap());
                seen += 1;
            }
            seen
        };
        // The child writes on while it is killed: some commits are never seen, none that was seen may be missing.
        while take(&lines.next().unwrap().unwrap()) <= 50 + round * 37 {}
        child.kill().unwrap();
        let mut rest: Vec<_> = lines.map(Result::unwrap).collect();
        // The last line may be a part of one.
        rest.pop();
        for line in &rest {
            take(line);
        }
        assert!(!child.wait().unwrap().success());
    }

    let kept = read_all(&folder);
    let ids: BTreeSet<_> = kept.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), kept.len(), "something is there twice");
    assert!(kept.windows(2).all(|two| two[0].seq < two[1].seq));
    let places: BTreeMap<_, _> = kept.iter().map(|message| (message.id.clone(), message.seq)).collect();
    for (id, seq) in &acknowledged {
        assert_eq!(places.get(id), Some(seq), "{id} was acknowledged");
    }
    assert!(acknowledged.len() as u64 > ROUNDS * 50);
}

#[tokio::main(flavor = "current_thread")]
async fn read_all(folder: &Folder) -> Vec<StoredMessage> {
    let store = Store::open(&folder.file(), &Settings::default());
    let conversation = Conversation::between(ALICE, BOB);
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |message: &StoredMessage| message.seq);
        let page = Page { after: Some(after), ..newest(MAX_PAGE) };
        let part = store.history(&conversation, page).await.unwrap();
        if part.is_empty() {
            break;
        }
        all.extend(part);
    }
    assert_eq!(store.pending_count(BOB).await.unwrap(), all.len() as u64);
    all
}

/// What the other test starts, and kills. By itself it does nothing.
#[tokio::test]
async fn child() {
    let (Ok(file), Ok(begin)) = (env::var(FILE), env::var(BEGIN)) else { return };
    let store = Store::open(file.as_ref(), &Settings::default());
    let mut next: u64 = begin.parse().unwrap();
    loop {
        // A few at a time, so that some are in the batch under way and some behind it.
        let answers: Vec<_> = (0..8)
            .map(|_| {
                next += 1;
                let id = format!("m{next}");
                (store.append(message(&id, ALICE, BOB)), id)
            })
            .collect();
        for (answer, id) in answers {
            let appended = answer.await.unwrap();
            let mut out = std::io::stdout().lock();
            writeln!(out, "kept {id} {}", appended.seq).unwrap();
            out.flush().unwrap();
        }
    }
}
