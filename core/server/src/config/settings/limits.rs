use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::types::time;

/// Bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How long a handler of a service may take.
    #[serde(with = "time")]
    pub handler_timeout: Duration,
    /// New requests that wait for a task whose handler waits; more get 503.
    pub away_queue: usize,
    /// New requests from other peers that wait for a peer's actor; more get 503.
    pub mailbox: usize,
    /// The same for a service task.
    pub service_mailbox: usize,
    /// Dialogs of one task; what would open one more gets 503.
    pub task_legs: usize,
    /// Open requests of one peer; more get 503.
    pub transactions: usize,
    /// Dialogs of one peer; what would open one more gets 503.
    pub dialogs: usize,
    /// How long what is ready may wait for its turn, before new dialogs get 503. 0: as long as it takes.
    #[serde(with = "humantime_serde")]
    pub overload: Duration,
    /// Connections of all clients; more get 503.
    pub connections: usize,
    /// Connections to the API side; more get 503.
    pub api_connections: usize,
    /// Connections of one client address; more get 429. 0: no limit.
    pub address_connections: usize,
    /// New connections of one client address a second; more get 429. 0: no limit.
    pub address_connects: u32,
    /// Requests of one client address a second, on all its sockets; more get 503. 0: no limit.
    pub address_requests: u32,
    /// New connections of one user a second; more get 429. 0: no limit.
    pub user_connects: u32,
    /// Requests of one user a second; more get 503. 0: no limit.
    pub user_requests: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            handler_timeout: Duration::from_secs(30),
            away_queue: 64,
            mailbox: 1024,
            service_mailbox: 65_536,
            task_legs: 1024,
            transactions: 4096,
            dialogs: 8192,
            overload: Duration::from_millis(200),
            connections: 100_000,
            api_connections: 128,
            address_connections: 0,
            address_connects: 0,
            address_requests: 0,
            user_connects: 0,
            user_requests: 0,
        }
    }
}
