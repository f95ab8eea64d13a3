//! JSIP.
