//! Questions to actors, page by page: a page asks at most so many of them, one after the other, so that a question never weighs
//! more than one actor, however many there are.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::actor::{Address, Mail, Report};
use crate::node::Node;

/// What is asked of an actor.
pub(crate) struct Question {
    /// Only what belongs to this dialog; nothing if the actor does not have it.
    pub(crate) dialog: Option<Arc<str>>,
    pub(crate) reply: oneshot::Sender<Option<Report>>,
}

/// Which actors are asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// Those that came after the one of this number.
    pub(crate) after: u64,
    /// So many at most.
    pub(crate) limit: usize,
    /// The one of this user alone.
    pub(crate) user: Option<String>,
    /// Only what belongs to this dialog.
    pub(crate) dialog: Option<String>,
}

/// What they said.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) reports: Vec<Report>,
    /// Who gave no answer in time.
    pub(crate) busy: Vec<String>,
    /// Where the next page begins; `None` if this is the last.
    pub(crate) next: Option<u64>,
}

/// How long one actor may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a page may take: it ends earlier than it could, when many actors are busy.
const PAGE: Duration = Duration::from_secs(3);
/// Lines that a page may have, or a little more.
const LINES: usize = 20_000;

/// Asks for one page.
pub(crate) async fn page(node: &Node, ask: &Ask) -> Page {
    let mut page = Page::default();
    let dialog: Option<Arc<str>> = ask.dialog.as_deref().map(Arc::from);
    if let Some(user) = &ask.user {
        for address in node.directory.all_of(user) {
            put(&mut page, &address, dialog.clone(), Instant::now() + PATIENCE).await;
        }
        return page;
    }
    let end = Instant::now() + PAGE;
    let (mut last, mut lines) = (ask.after, 0);
    for _ in 0..ask.limit {
        if lines >= LINES || Instant::now() >= end {
            break;
        }
        let Some(address) = node.directory.after(last) else { return page };
        last = address.number();
        put(&mut page, &address, dialog.clone(), end.min(Instant::now() + PATIENCE)).await;
        lines += page.reports.last().map_or(0, Report::lines);
    }
    page.next = node.directory.after(last).map(|_| last);
    page
}

/// Puts the question to one actor. One that has ended meanwhile has nothing to say.
async fn put(page: &mut Page, address: &Address, dialog: Option<Arc<str>>, until: Instant) {
    let (reply, answer) = oneshot::channel();
    if address.send(Mail::Inspect(Box::new(Question { dialog, reply }))).is_err() {
        return;
    }
    match timeout_at(until, answer).await {
        Ok(Ok(Some(report))) => page.reports.push(report),
        Ok(Ok(None) | Err(_)) => {}
        Err(_) => page.busy.push(address.name().to_string()),
    }
}
