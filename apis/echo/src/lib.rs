//! An HTTP API to copy: answers what it was sent.
