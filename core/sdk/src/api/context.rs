use std::any::TypeId;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::host::{Settings, World, shared};
use crate::{LoadError, Service};

/// What an API can reach. Put it, or what it gives, into the router's state.
#[derive(Clone)]
pub struct ApiContext {
    world: Arc<dyn World>,
    settings: Settings,
}

impl ApiContext {
    #[doc(hidden)]
    pub fn new(world: Arc<dyn World>, settings: Settings) -> Self {
        Self { world, settings }
    }

    /// The API's settings, from `conf/NAME.yaml`, where NAME is the implementation. Use `#[serde(deny_unknown_fields, default)]`.
    ///
    /// # Errors
    /// If the file does not fit the type; the error names the file, the field and the line.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, LoadError> {
        self.settings.read()
    }

    /// What the tasks of a service share. `None` while the service is not loaded.
    pub fn service<S: Service>(&self) -> Option<Arc<S>> {
        self.world.service(TypeId::of::<S>())?.downcast().ok()
    }

    /// The value of this type that all plugins of the process share, as [`Load::shared`](crate::Load::shared).
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        shared(&*self.world)
    }

    /// A client for other HTTP servers. It follows no redirects: where they lead is not what was asked.
    pub fn http(&self) -> reqwest::Client {
        self.world.http()
    }

    /// The realm of this server.
    pub fn realm(&self) -> &str {
        self.world.realm()
    }
}

impl std::fmt::Debug for ApiContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiContext").finish_non_exhaustive()
    }
}
