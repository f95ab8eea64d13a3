//! What operators switch: which APIs and services are on. (In memory; a state file will keep it.)

use std::sync::{Arc, Mutex, PoisonError};

use crate::node::Node;
use crate::routes::{ApiBinding, RouteTable, is_api_name, is_name};
use crate::services::BindError;

/// APIs that are always there.
pub(crate) const BUILT_IN: [&str; 3] = ["apim.v1", "runtime.v1", "slpm.v1"];

/// The one that changes the routing table.
pub(crate) struct Control {
    node: Arc<Node>,
    /// Writers come one by one; readers never wait.
    writer: Mutex<()>,
}

/// A switch cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwitchError {
    #[error("{0}: a service's name has letters, digits, _ and -; an API's is NAME.vN")]
    BadName(String),
    #[error("no implementation {0} is compiled in")]
    UnknownImplementation(String),
    #[error("{0} is not enabled")]
    NotEnabled(String),
    #[error("{0} is built in")]
    BuiltIn(String),
    #[error("{0}")]
    Failed(String),
}

impl From<BindError> for SwitchError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Unknown(implementation) => Self::UnknownImplementation(implementation),
            BindError::Load { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl Control {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self { node, writer: Mutex::new(()) }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Enables an API, or gives its name to another implementation.
    pub(crate) fn enable_api(&self, name: &str, implementation: &str) -> Result<(), SwitchError> {
        not_built_in(name)?;
        if !is_api_name(name) {
            return Err(SwitchError::BadName(name.to_owned()));
        }
        let binding = ApiBinding::new(name, implementation, self.node.services())?;
        self.change(|table| drop(table.apis.insert(name.to_owned(), binding)));
        Ok(())
    }

    /// Disables an API.
    pub(crate) fn disable_api(&self, name: &str) -> Result<(), SwitchError> {
        not_built_in(name)?;
        match self.change(|table| table.apis.remove(name)) {
            Some(_) => Ok(()),
            None => Err(SwitchError::NotEnabled(name.to_owned())),
        }
    }

    /// Enables a service, or gives its name to another implementation. Live tasks go on.
    pub(crate) fn enable_slp(&self, name: &str, implementation: &str) -> Result<(), SwitchError> {
        if !is_name(name) {
            return Err(SwitchError::BadName(name.to_owned()));
        }
        let binding = self.node.services().bind(name, implementation)?;
        self.change(|table| drop(table.slps.insert(name.to_owned(), binding)));
        Ok(())
    }

    /// Disables a service: new dialogs get 404, live tasks go on.
    pub(crate) fn disable_slp(&self, name: &str) -> Result<(), SwitchError> {
        match self.change(|table| table.slps.remove(name)) {
            Some(_) => Ok(()),
            None => Err(SwitchError::NotEnabled(name.to_owned())),
        }
    }

    fn change<R>(&self, change: impl FnOnce(&mut RouteTable) -> R) -> R {
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = RouteTable::clone(&self.node.routes().load());
        let result = change(&mut table);
        self.node.routes().store(Arc::new(table));
        result
    }
}

fn not_built_in(name: &str) -> Result<(), SwitchError> {
    if BUILT_IN.contains(&name) { Err(SwitchError::BuiltIn(name.to_owned())) } else { Ok(()) }
}
