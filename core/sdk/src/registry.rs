use axum::Router;
use utoipa::openapi::OpenApi;

use crate::api::{Place, document};
use crate::host::{Loaded, load_slp};
use crate::{Api, ApiContext, Audience, Load, LoadError, Slp};

/// A compiled-in service implementation. [`register_slp!`](crate::register_slp) makes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct SlpEntry {
    /// The name that `routes.yaml` binds.
    pub implementation: &'static str,
    /// The crate it is in.
    pub package: &'static str,
    load: fn(Load) -> Result<Box<dyn Loaded>, LoadError>,
}

impl SlpEntry {
    #[doc(hidden)]
    pub const fn new<P: Slp>(implementation: &'static str, package: &'static str) -> Self {
        Self { implementation, package, load: load_slp::<P> }
    }

    /// Makes the service's shared context.
    ///
    /// # Errors
    /// If the service refuses.
    pub fn load(&self, load: Load) -> Result<Box<dyn Loaded>, LoadError> {
        (self.load)(load)
    }
}

/// A compiled-in API implementation. [`register_api!`](crate::register_api) makes it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ApiEntry {
    /// The name that `routes.yaml` binds.
    pub implementation: &'static str,
    /// The crate it is in.
    pub package: &'static str,
    /// For whom it is.
    pub audience: Audience,
    load: fn(ApiContext) -> Result<(Router, OpenApi), LoadError>,
}

impl ApiEntry {
    #[doc(hidden)]
    pub const fn new<A: Api>(implementation: &'static str, package: &'static str) -> Self {
        Self { implementation, package, audience: A::AUDIENCE, load: load_api::<A> }
    }

    /// Makes the API's routes and their documentation.
    ///
    /// # Errors
    /// If the API refuses.
    pub fn load(&self, cx: ApiContext) -> Result<(Router, OpenApi), LoadError> {
        (self.load)(cx)
    }
}

/// The routes of an API, and their documentation with the system's answers in it.
pub(crate) fn load_api<A: Api>(cx: ApiContext) -> Result<(Router, OpenApi), LoadError> {
    let (router, mut openapi) = A::router(cx)?.split_for_parts();
    let place = match A::AUDIENCE {
        Audience::Admin => Place::Plugin,
        Audience::User => Place::ForUsers,
    };
    document(&mut openapi, place)?;
    Ok((router, openapi))
}

inventory::collect!(SlpEntry);
inventory::collect!(ApiEntry);

/// All services that are linked into this program, by name.
pub fn registered_slps() -> Vec<&'static SlpEntry> {
    let mut entries: Vec<_> = inventory::iter::<SlpEntry>().collect();
    entries.sort_by_key(|entry| (entry.implementation, entry.package));
    entries
}

/// All APIs that are linked into this program, by name.
pub fn registered_apis() -> Vec<&'static ApiEntry> {
    let mut entries: Vec<_> = inventory::iter::<ApiEntry>().collect();
    entries.sort_by_key(|entry| (entry.implementation, entry.package));
    entries
}

/// Registers a service under the name that `routes.yaml` binds: `register_slp!("hello", Hello);`.
#[macro_export]
macro_rules! register_slp {
    ($name:literal, $slp:ty) => {
        $crate::__private::inventory::submit! {
            $crate::SlpEntry::new::<$slp>($name, env!("CARGO_PKG_NAME"))
        }
    };
}

/// Registers an API under the name that `routes.yaml` binds: `register_api!("echo", Echo);`.
#[macro_export]
macro_rules! register_api {
    ($name:literal, $api:ty) => {
        $crate::__private::inventory::submit! {
            $crate::ApiEntry::new::<$api>($name, env!("CARGO_PKG_NAME"))
        }
    };
}
