//! Drives a service in a test, without a server.
