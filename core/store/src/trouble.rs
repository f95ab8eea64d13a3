use std::time::Duration;

use tokio::time::Instant;

/// It is over when nothing has failed for so long: a full disk fails what is large, and small writes still fit.
const CALM: Duration = Duration::from_mins(1);

/// Whether the log says that the store cannot.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// It does, and this is when something failed last.
    last: Option<Instant>,
}

impl Trouble {
    /// Something failed.
    pub(crate) fn failed(&mut self, reason: &str) {
        if self.fails() {
            tracing::error!("the message store cannot: {reason}");
        }
    }

    /// Something was committed.
    pub(crate) fn went(&mut self) {
        if self.goes() {
            tracing::info!("the message store can again");
        }
    }

    /// The database is another one.
    pub(crate) const fn is_over(&mut self) {
        self.last = None;
    }

    /// Whether that is new.
    fn fails(&mut self) -> bool {
        self.last.replace(Instant::now()).is_none()
    }

    /// Whether it is over by this.
    fn goes(&mut self) -> bool {
        self.last.take_if(|last| last.elapsed() >= CALM).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large writes fail between small ones that go: one line, and one more when it is over.
    #[tokio::test(start_paused = true)]
    async fn it_is_told_once_and_over_when_nothing_has_failed_for_a_while() {
        let mut trouble = Trouble::default();
        assert!(!trouble.goes());
        assert!(trouble.fails());
        for _ in 0..100 {
            tokio::time::advance(Duration::from_secs(7)).await;
            assert!(!trouble.goes());
            assert!(!trouble.fails());
        }
        tokio::time::advance(CALM - Duration::from_millis(1)).await;
        assert!(!trouble.goes());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(trouble.goes());
        assert!(!trouble.goes());
        assert!(trouble.fails());
    }
}
