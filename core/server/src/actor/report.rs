//! What an actor tells to people.

use jsip::{Counts, DialogKey};
use tokio::time::Instant;

use super::mail::Name;
use super::tasks::{Kind, TaskKey};
use super::{Actor, Tag};
use crate::inspect::Question;

/// What an actor has, as `/runtime` shows it. Lists are cut at [`SHOWN`]; the counts are not.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) peer: String,
    /// `peer`, `hop` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) remote: Option<String>,
    /// How long it has been connected, or away.
    pub(crate) age_seconds: u64,
    pub(crate) counts: Counts,
    /// Some list is longer than it is shown.
    pub(crate) cut: bool,
    pub(crate) sessions: Vec<String>,
    pub(crate) transactions: Vec<String>,
    /// Dialog → task.
    pub(crate) dialogs: Vec<(String, String)>,
    /// Related id → task.
    pub(crate) related: Vec<(String, String)>,
    pub(crate) tasks: Vec<TaskReport>,
}

/// A task, as `/runtime` shows it.
#[derive(Debug, Clone)]
pub(crate) struct TaskReport {
    pub(crate) name: String,
    pub(crate) legs: usize,
    pub(crate) age_seconds: u64,
    pub(crate) waits_for: &'static str,
}

/// Lists are cut here.
const SHOWN: usize = 1000;

impl Report {
    /// How long it is.
    pub(crate) fn lines(&self) -> usize {
        1 + self.sessions.len()
            + self.transactions.len()
            + self.dialogs.len()
            + self.related.len()
            + self.tasks.len()
    }
}

impl Actor {
    pub(super) fn report(&self, question: Question) {
        let report = match &question.dialog {
            None => Some(self.report_about(None)),
            Some(dialog) => self.stack.dialog(dialog).map(|key| self.report_about(Some((key, dialog)))),
        };
        // Who asked may have gone.
        let _ = question.reply.send(report);
    }

    /// About all, or about one dialog.
    fn report_about(&self, one: Option<(DialogKey, &str)>) -> Report {
        let address = self.mailbox.address();
        let name = address.name().to_string();
        let shown = |dialog: &str| one.is_none_or(|(_, id)| id == dialog);
        let its_task = one.and_then(|(key, _)| match self.stack.tag(key)? {
            Tag::Local { task, .. } => Some(*task),
            Tag::Remote(_) => None,
        });
        let task_shown = |task: &TaskKey| one.is_none() || its_task == Some(*task);
        let tasks = || self.tasks.iter().filter(|(task, _)| task_shown(task));
        let since = if self.socket.is_some() { self.attached_at } else { self.away_since };
        Report {
            kind: match address.name() {
                Name::User(_) => "peer",
                Name::Hop(_) => "hop",
                Name::Service(..) => "service",
            },
            remote: self.socket.as_ref().map(|socket| socket.remote.to_string()),
            age_seconds: since.elapsed().as_secs(),
            counts: self.stack.counts(),
            cut: [self.stack.counts().dialogs, self.stack.counts().transactions, self.tasks.len()]
                .into_iter()
                .any(|count| one.is_none() && count > SHOWN),
            sessions: self
                .stack
                .sessions()
                .filter(|session| shown(session.dialog))
                .take(SHOWN)
                .map(|session| {
                    let age = age(Instant::from_std(session.since));
                    format!("{} {} {age} s", session.dialog, session.state)
                })
                .collect(),
            transactions: self
                .stack
                .transactions()
                .filter(|transaction| shown(transaction.dialog))
                .take(SHOWN)
                .map(|transaction| {
                    format!(
                        "{} {} {} {} {} s",
                        transaction.dialog,
                        transaction.cseq,
                        transaction.method,
                        transaction.state,
                        age(Instant::from_std(transaction.since))
                    )
                })
                .collect(),
            dialogs: self
                .stack
                .dialogs()
                .filter(|dialog| shown(dialog.id))
                .take(SHOWN)
                .map(|dialog| (dialog.id.to_owned(), self.task_of(dialog.key, &name)))
                .collect(),
            related: tasks()
                .flat_map(|(task, slot)| slot.related.iter().map(move |id| (id.clone(), task)))
                .take(SHOWN)
                .map(|(id, task)| (id, format!("{task} of {name}")))
                .collect(),
            tasks: tasks()
                .take(SHOWN)
                .map(|(task, slot)| TaskReport {
                    name: match &slot.kind {
                        Kind::Slp(_) => format!("{} {task}", slot.kind.name()),
                        Kind::Service(service) => format!("{service} service {task}"),
                    },
                    legs: slot.legs.len(),
                    age_seconds: age(slot.since),
                    waits_for: slot.waits_for(),
                })
                .collect(),
            peer: name,
        }
    }

    fn task_of(&self, dialog: DialogKey, name: &str) -> String {
        match self.stack.tag(dialog) {
            Some(Tag::Local { task, .. }) => format!("{task} of {name}"),
            Some(Tag::Remote(remote)) => format!("{} of {}", remote.task, remote.home.name()),
            None => "-".to_owned(),
        }
    }
}

fn age(since: Instant) -> u64 {
    since.elapsed().as_secs()
}
