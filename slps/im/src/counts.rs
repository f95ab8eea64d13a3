use std::collections::BTreeMap;

/// How many messages of each sender there are for a receiver.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    all: u64,
    by_sender: BTreeMap<String, u64>,
}

impl Counts {
    pub(crate) fn all(&self) -> u64 {
        self.all
    }

    pub(crate) fn of(&self, sender: &str) -> u64 {
        self.by_sender.get(sender).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, sender: &str) {
        self.all += 1;
        *self.by_sender.entry(sender.to_owned()).or_default() += 1;
    }

    /// One less, if there is one.
    pub(crate) fn take(&mut self, sender: &str) {
        let Some(count) = self.by_sender.get_mut(sender) else { return };
        self.all -= 1;
        *count -= 1;
        if *count == 0 {
            self.by_sender.remove(sender);
        }
    }
}

impl From<BTreeMap<String, u64>> for Counts {
    fn from(mut by_sender: BTreeMap<String, u64>) -> Self {
        by_sender.retain(|_, count| *count > 0);
        Self { all: by_sender.values().sum(), by_sender }
    }
}
