//! The cases that existing JSIP test scripts drive.
