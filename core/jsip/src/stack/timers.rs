//! When the stack has to be woken.
//!
//! Each dialog has one entry: its earliest deadline. The deadlines themselves lie in the states that they end, and a dialog
//! that was touched is looked at again when the driver asks for the next wake-up: what began and ended before that, as a
//! MESSAGE with its answer does, never comes here. A `BTreeSet`, not a lazy heap: an entry is taken out when its dialog ends,
//! so that an old call neither costs memory nor wakes the peer up.

use std::collections::BTreeSet;
use std::time::Instant;

use super::dialog::{DialogKey, Dialogs};

#[derive(Debug, Default)]
pub(super) struct Timers {
    armed: BTreeSet<(Instant, DialogKey)>,
    touched: Vec<DialogKey>,
}

impl Timers {
    /// The dialog's deadlines may have changed.
    pub(super) fn touch(&mut self, key: DialogKey) {
        self.touched.push(key);
    }

    pub(super) fn disarm(&mut self, deadline: Instant, key: DialogKey) {
        self.armed.remove(&(deadline, key));
    }

    /// Brings the entries up to date and returns the earliest.
    pub(super) fn earliest<T>(&mut self, dialogs: &mut Dialogs<T>) -> Option<Instant> {
        for key in self.touched.drain(..) {
            let Some(dialog) = dialogs.get_mut(key) else { continue };
            dialog.touched = false;
            let deadline = dialog.deadline();
            if deadline != dialog.armed {
                if let Some(old) = dialog.armed {
                    self.armed.remove(&(old, key));
                }
                if let Some(new) = deadline {
                    self.armed.insert((new, key));
                }
                dialog.armed = deadline;
            }
        }
        self.armed.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out the earliest dialog that is due.
    pub(super) fn pop<T>(&mut self, now: Instant, dialogs: &mut Dialogs<T>) -> Option<DialogKey> {
        if self.earliest(dialogs)? > now {
            return None;
        }
        let (_, key) = self.armed.pop_first()?;
        if let Some(dialog) = dialogs.get_mut(key) {
            dialog.armed = None;
        }
        Some(key)
    }

    pub(super) fn shrink(&mut self) {
        if self.touched.is_empty() {
            self.touched = Vec::new();
        }
    }
}
