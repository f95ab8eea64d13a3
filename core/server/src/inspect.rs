//! Questions to all actors.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::actor::{Mail, Report};
use crate::node::Node;

/// A question to an actor: where to send the report.
pub(crate) type Question = oneshot::Sender<Report>;

/// Asks the actors one after the other, so that the question never weighs more than one of them; gives up on one that is busy
/// for long. At most `most` reports.
pub(crate) async fn reports(node: &Arc<Node>, most: usize) -> Vec<Report> {
    /// How long one actor may take.
    const PATIENCE: Duration = Duration::from_millis(500);
    let mut actors = node.directory.all();
    actors.sort_by_key(|address| address.name().to_string());
    let mut reports = Vec::new();
    for address in actors.into_iter().take(most) {
        let (question, answer) = oneshot::channel();
        if address.send(Mail::Inspect(Box::new(question))).is_ok()
            && let Ok(Ok(report)) = timeout(PATIENCE, answer).await
        {
            reports.push(report);
        }
    }
    reports
}
