//! Whom lines are about, where a span would cost too much.
//!
//! A handler of a call runs in place, in its peer's turn, several times for each call. A span of tracing, made and entered each time,
//! took a sixth of all that a call costs, whether something was logged or not; so what a line would say is set aside instead, and
//! made into text only for a line. In the line it looks like a span, and stands behind those that there are.

use std::cell::RefCell;
use std::sync::Arc;

/// Whom lines are about.
pub(crate) trait Context: Send + Sync {
    /// Its name, in place of a span's.
    fn name(&self) -> &'static str;

    /// What it says.
    fn fields(&self) -> Vec<(&'static str, String)>;
}

thread_local! {
    static NOW: RefCell<Option<Arc<dyn Context>>> = const { RefCell::new(None) };
}

/// Runs something; what it logs is about this.
pub(crate) fn about<R>(context: Arc<dyn Context>, act: impl FnOnce() -> R) -> R {
    /// Puts back what was there before, also if a handler panics.
    struct Before(Option<Arc<dyn Context>>);
    impl Drop for Before {
        fn drop(&mut self) {
            NOW.set(self.0.take());
        }
    }
    let _before = Before(NOW.replace(Some(context)));
    act()
}

/// Whom the line that is written now is about.
pub(super) fn now() -> Option<Arc<dyn Context>> {
    NOW.with_borrow(Clone::clone)
}
