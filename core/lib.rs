//! rtcd.
