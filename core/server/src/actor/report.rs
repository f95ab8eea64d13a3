//! What an actor tells to people.

use tokio::sync::oneshot;

use super::{Actor, Tag};

/// What an actor has, as `/runtime` shows it. Lists are cut at [`SHOWN`].
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) peer: String,
    pub(crate) remote: Option<String>,
    pub(crate) sessions: Vec<String>,
    pub(crate) transactions: Vec<String>,
    /// Dialog → task.
    pub(crate) dialogs: Vec<(String, String)>,
    pub(crate) tasks: Vec<TaskReport>,
}

/// A task, as `/runtime` shows it.
#[derive(Debug, Clone)]
pub(crate) struct TaskReport {
    pub(crate) name: String,
    pub(crate) legs: usize,
    pub(crate) age_seconds: u64,
    pub(crate) doing: &'static str,
}

/// Lists are cut here.
const SHOWN: usize = 1000;

impl Actor {
    pub(super) fn report(&self, reply: oneshot::Sender<Report>) {
        let name = self.mailbox.address().name().to_string();
        let report = Report {
            remote: self.socket.as_ref().map(|socket| socket.remote.to_string()),
            sessions: self
                .stack
                .sessions()
                .take(SHOWN)
                .map(|session| format!("{} {}", session.dialog, session.state))
                .collect(),
            transactions: self
                .stack
                .transactions()
                .take(SHOWN)
                .map(|transaction| {
                    format!(
                        "{} {} {} {}",
                        transaction.dialog, transaction.cseq, transaction.method, transaction.state
                    )
                })
                .collect(),
            dialogs: self
                .stack
                .dialogs()
                .take(SHOWN)
                .map(|dialog| {
                    let task = match self.stack.tag(dialog.key) {
                        Some(Tag::Local { task, .. }) => format!("{task} of {name}"),
                        Some(Tag::Remote(remote)) => format!("{} of {}", remote.task, remote.home.name()),
                        None => "-".to_owned(),
                    };
                    (dialog.id.to_owned(), task)
                })
                .collect(),
            tasks: self
                .tasks
                .iter()
                .take(SHOWN)
                .map(|(task, slot)| TaskReport {
                    name: format!("{} {task}", slot.kind.name()),
                    legs: slot.legs.len(),
                    age_seconds: slot.since.elapsed().as_secs(),
                    doing: slot.doing(),
                })
                .collect(),
            peer: name,
        };
        // Who asked may have gone.
        let _ = reply.send(report);
    }
}
