//! Which APIs and services are on.

use std::sync::Arc;

use super::overlay::Overlay;
use super::{BUILT_IN, Control};
use crate::routes::{ApiBinding, RouteTable, is_api_name, is_name};
use crate::services::BindError;

/// A switch cannot be made; nothing has changed.
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
    #[error("the switch cannot be kept over a restart, so it was not made: {0}")]
    State(#[from] std::io::Error),
}

impl From<BindError> for SwitchError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Unknown(implementation) => Self::UnknownImplementation(implementation),
            BindError::Load { .. } | BindError::Settings { .. } => Self::Failed(error.to_string()),
        }
    }
}

impl Control {
    /// Makes a switch on a thread that may block. It is made even if who asked for it goes away.
    pub(crate) async fn switch<F>(self: &Arc<Self>, switch: F) -> Result<(), SwitchError>
    where
        F: FnOnce(&Self) -> Result<(), SwitchError> + Send + 'static,
    {
        let control = self.clone();
        match tokio::task::spawn_blocking(move || switch(&control)).await {
            Ok(result) => result,
            // A panic of a plugin is caught nearer to it; this is the server going down.
            Err(error) => Err(SwitchError::Failed(error.to_string())),
        }
    }

    /// Enables an API, or gives its name to another implementation.
    pub(crate) fn enable_api(&self, name: &str, implementation: &str) -> Result<(), SwitchError> {
        not_built_in(name)?;
        if !is_api_name(name) {
            return Err(SwitchError::BadName(name.to_owned()));
        }
        self.change(|table, overlay, base| {
            // Within the change, so that a reload beside it does not get older settings of the API over its own.
            let binding = ApiBinding::new(name, implementation, self.node.services())?;
            let in_table = base.apis.get(name);
            let as_it_was = in_table.is_some_and(|api| api.enabled && api.implementation == implementation);
            set(&mut overlay.apis, name, Some(implementation), as_it_was);
            table.apis.insert(name.to_owned(), binding);
            Ok(())
        })
    }

    /// Disables an API.
    pub(crate) fn disable_api(&self, name: &str) -> Result<(), SwitchError> {
        not_built_in(name)?;
        self.change(|table, overlay, base| {
            let as_it_was = base.apis.get(name).is_none_or(|api| !api.enabled);
            // It may have been switched on and be left out, because it is not compiled in any more.
            let was_switched_on = matches!(overlay.apis.get(name), Some(Some(_)));
            set(&mut overlay.apis, name, None, as_it_was);
            if table.apis.remove(name).is_some() || was_switched_on {
                Ok(())
            } else {
                Err(SwitchError::NotEnabled(name.to_owned()))
            }
        })
    }

    /// Enables a service, or gives its name to another implementation. Live tasks go on.
    pub(crate) fn enable_slp(&self, name: &str, implementation: &str) -> Result<(), SwitchError> {
        if !is_name(name) {
            return Err(SwitchError::BadName(name.to_owned()));
        }
        self.change(|table, overlay, base| {
            let binding = self.node.services().bind(name, implementation)?;
            let as_it_was = base.slps.get(name).is_some_and(|bound| bound == implementation);
            set(&mut overlay.slps, name, Some(implementation), as_it_was);
            table.slps.insert(name.to_owned(), binding);
            Ok(())
        })
    }

    /// Disables a service: new dialogs get 404, live tasks go on.
    pub(crate) fn disable_slp(&self, name: &str) -> Result<(), SwitchError> {
        self.change(|table, overlay, base| {
            let was_switched_on = matches!(overlay.slps.get(name), Some(Some(_)));
            set(&mut overlay.slps, name, None, !base.slps.contains_key(name));
            if table.slps.remove(name).is_some() || was_switched_on {
                Ok(())
            } else {
                Err(SwitchError::NotEnabled(name.to_owned()))
            }
        })
    }

    /// Makes one change: on disk, then in force.
    fn change(
        &self,
        change: impl FnOnce(&mut RouteTable, &mut Overlay, &crate::routes::RawTable) -> Result<(), SwitchError>,
    ) -> Result<(), SwitchError> {
        let _writer = self.lock();
        let in_force = self.node.routes().load_full();
        let mut table = RouteTable::clone(&in_force);
        let mut overlay = Overlay::clone(&in_force.overlay);
        change(&mut table, &mut overlay, &in_force.raw)?;
        if overlay != *in_force.overlay {
            self.file.write(&overlay)?;
        }
        table.overlay = Arc::new(overlay);
        self.node.routes().store(Arc::new(table));
        Ok(())
    }
}

/// A switch back to what the table says needs no keeping.
fn set(
    switches: &mut std::collections::BTreeMap<String, Option<String>>,
    name: &str,
    implementation: Option<&str>,
    as_it_was: bool,
) {
    if as_it_was {
        switches.remove(name);
    } else {
        switches.insert(name.to_owned(), implementation.map(ToOwned::to_owned));
    }
}

fn not_built_in(name: &str) -> Result<(), SwitchError> {
    if BUILT_IN.contains(&name) { Err(SwitchError::BuiltIn(name.to_owned())) } else { Ok(()) }
}
