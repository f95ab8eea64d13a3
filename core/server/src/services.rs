//! Implementations that are loaded, and the names that are bound to them.

use std::any::{Any, TypeId};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use rtcd_sdk::host::{Hosted, Loaded, World};
use rtcd_sdk::utoipa::openapi::OpenApi;
use rtcd_sdk::{ApiContext, ApiEntry, Load, LoadError, registered_apis, registered_slps};

use crate::config::{Problem, Source};

/// A service's name, bound to an implementation: what new dialogs are routed to.
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) implementation: String,
    pub(crate) since: SystemTime,
    started: AtomicU64,
    ended: AtomicU64,
    loaded: Arc<dyn Loaded>,
}

impl Binding {
    /// A task for a new dialog, and what counts it while it lives. An error if the service panics.
    pub(crate) fn task(self: Arc<Self>) -> Result<(Box<dyn Hosted>, Live), Arc<Self>> {
        match catch_unwind(AssertUnwindSafe(|| self.loaded.task())) {
            Ok(task) => {
                self.started.fetch_add(1, Relaxed);
                Ok((task, Live(self)))
            }
            Err(_) => Err(self),
        }
    }

    /// How many tasks have ended, and how many are alive. None is missed between the two, whatever happens meanwhile.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let ended = self.ended.load(Acquire);
        (ended, self.started.load(Relaxed).saturating_sub(ended))
    }
}

/// One task of a service that is alive: it counts until this is dropped, whatever becomes of the task.
#[derive(Debug)]
pub(crate) struct Live(Arc<Binding>);

impl Live {
    pub(crate) fn binding(&self) -> &Arc<Binding> {
        &self.0
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Release);
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("name", &self.name)
            .field("implementation", &self.implementation)
            .finish()
    }
}

/// A service cannot be bound.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    #[error("no implementation {0} is compiled in")]
    Unknown(String),
    #[error("{implementation} cannot be loaded: {problem}")]
    Load { implementation: String, problem: String },
    #[error("{implementation} cannot be loaded: {problem}")]
    Settings { implementation: String, problem: Problem },
}

impl BindError {
    fn of(implementation: &str, error: LoadError) -> Self {
        let implementation = implementation.to_owned();
        match error {
            LoadError::Settings { file, line, problem } => {
                let problem = Problem { file, line, field: String::new(), text: problem };
                Self::Settings { implementation, problem }
            }
            other => Self::Load { implementation, problem: other.to_string() },
        }
    }
}

/// All implementations that have been enabled so far. Each is loaded once and kept for the process.
pub(crate) struct Services {
    loaded: Mutex<HashMap<&'static str, Arc<dyn Loaded>>>,
    bindings: Mutex<HashMap<(String, String), Arc<Binding>>>,
    contexts: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    source: Arc<dyn Source>,
    world: Arc<dyn World>,
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

impl Services {
    pub(crate) fn new(source: Arc<dyn Source>, world: Arc<dyn World>) -> Self {
        Self {
            loaded: Mutex::default(),
            bindings: Mutex::default(),
            contexts: Mutex::default(),
            source,
            world,
        }
    }

    /// Binds a name to an implementation, which is loaded if it is not yet. The same pair gives the same binding again, so that
    /// its counters go on over a reload.
    pub(crate) fn bind(&self, name: &str, implementation: &str) -> Result<Arc<Binding>, BindError> {
        let loaded = self.load(implementation)?;
        let mut bindings = self.bindings.lock().unwrap_or_else(PoisonError::into_inner);
        let binding = bindings.entry((name.to_owned(), implementation.to_owned())).or_insert_with(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "shown to people as the load time; no decision depends on it"
            )]
            let since = SystemTime::now();
            Arc::new(Binding {
                name: name.to_owned(),
                implementation: implementation.to_owned(),
                since,
                started: AtomicU64::new(0),
                ended: AtomicU64::new(0),
                loaded,
            })
        });
        Ok(binding.clone())
    }

    /// Bindings that are not in force any more and have tasks that are alive.
    pub(crate) fn replaced(&self, in_force: &BTreeMap<String, Arc<Binding>>) -> Vec<Arc<Binding>> {
        let bindings = self.bindings.lock().unwrap_or_else(PoisonError::into_inner);
        let is_replaced = |binding: &Arc<Binding>| {
            let current = in_force.get(&binding.name).is_some_and(|current| Arc::ptr_eq(current, binding));
            !current && binding.counts().1 > 0
        };
        let mut replaced: Vec<_> =
            bindings.values().filter(|binding| is_replaced(binding)).cloned().collect();
        replaced.sort_by(|a, b| (&a.name, &a.implementation).cmp(&(&b.name, &b.implementation)));
        replaced
    }

    /// All bindings so far, also those that are not in force any more.
    pub(crate) fn bindings(&self) -> Vec<Arc<Binding>> {
        self.bindings.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// What the tasks of a loaded service share, by its type.
    pub(crate) fn context(&self, context: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner).get(&context).cloned()
    }

    /// The text of `conf/NAME.yaml`.
    pub(crate) fn settings(&self, name: &str) -> rtcd_sdk::host::Settings {
        self.source.of_plugin(name)
    }

    /// A compiled-in API.
    pub(crate) fn api(&self, implementation: &str) -> Result<&'static ApiEntry, BindError> {
        registered_apis()
            .into_iter()
            .find(|entry| entry.implementation == implementation)
            .ok_or_else(|| BindError::Unknown(implementation.to_owned()))
    }

    /// Makes an API's routes and documentation, with its settings as they are now.
    pub(crate) fn load_api(&self, entry: &ApiEntry) -> Result<(Router, OpenApi), BindError> {
        let implementation = entry.implementation;
        let context = ApiContext::new(self.world.clone(), self.source.of_plugin(implementation));
        let failed = |problem: String| BindError::Load { implementation: implementation.to_owned(), problem };
        catch_unwind(AssertUnwindSafe(|| entry.load(context)))
            .map_err(|_| failed("it panicked".to_owned()))?
            .map_err(|error| BindError::of(implementation, error))
    }

    fn load(&self, implementation: &str) -> Result<Arc<dyn Loaded>, BindError> {
        let entries = registered_slps();
        let entry = entries
            .iter()
            .find(|entry| entry.implementation == implementation)
            .ok_or_else(|| BindError::Unknown(implementation.to_owned()))?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = loaded.get(entry.implementation) {
            return Ok(loaded.clone());
        }
        let load = Load::new(self.world.clone(), entry.implementation, self.source.of_plugin(implementation));
        let failed = |problem: String| BindError::Load { implementation: implementation.to_owned(), problem };
        let service: Arc<dyn Loaded> = catch_unwind(AssertUnwindSafe(|| entry.load(load)))
            .map_err(|_| failed("it panicked".to_owned()))?
            .map_err(|error| BindError::of(implementation, error))?
            .into();
        let context = service.context();
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner).insert((*context).type_id(), context);
        loaded.insert(entry.implementation, service.clone());
        Ok(service)
    }
}
