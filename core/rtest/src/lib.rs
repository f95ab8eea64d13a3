//! rtest.
