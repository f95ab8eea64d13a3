//! HTTP APIs: what a plugin implements, and what it makes its answers from.

mod audience;
mod context;
mod document;
mod envelope;
pub mod extract;
mod schema;

use utoipa_axum::router::OpenApiRouter;

use crate::LoadError;

pub use self::audience::Audience;
pub use self::context::ApiContext;
pub use self::document::{Place, document};
pub use self::envelope::{Answer, ApiError, ApiResult, Envelope};

/// An HTTP API: what lies below `/{name}/{version}/` while it is enabled, or, if it is for users, below `/api/{name}/{version}/`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP API",
    note = "implement `rtcd_sdk::Api` for it: one function that gives an OpenApiRouter"
)]
pub trait Api: 'static {
    /// For whom it is. One for users is called by users who are signed in, and by nobody else:
    /// [`SignedIn`](extract::SignedIn) tells who.
    const AUDIENCE: Audience = Audience::Admin;

    /// Its routes with their documentation, without name and version: `OpenApiRouter::new().routes(routes!(rooms))`. It is
    /// called each time the API is enabled and each time the routing table is read.
    ///
    /// # Errors
    /// The API is not enabled; the error is shown to the operator.
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError>;
}
