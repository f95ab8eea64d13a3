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

/// A warning is told no more often.
const SELDOM: Duration = Duration::from_hours(1);

/// When a warning was told last.
#[derive(Debug, Default)]
pub(crate) struct Warning(Option<Instant>);

impl Warning {
    /// Whether it is to be told, once more.
    pub(crate) fn is_due(&mut self) -> bool {
        let is_due = self.0.is_none_or(|last| last.elapsed() >= SELDOM);
        if is_due {
            self.0 = Some(Instant::now());
        }
        is_due
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

    #[tokio::test(start_paused = true)]
    async fn a_warning_is_told_once_an_hour() {
        let mut warning = Warning::default();
        assert!(warning.is_due());
        tokio::time::advance(SELDOM - Duration::from_millis(1)).await;
        assert!(!warning.is_due());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(warning.is_due());
        assert!(!warning.is_due());
    }
}
