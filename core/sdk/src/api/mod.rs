//! HTTP APIs: what a plugin implements, and what it makes its answers from.

mod context;
mod document;
mod envelope;
pub mod extract;
mod schema;

use utoipa_axum::router::OpenApiRouter;

use crate::LoadError;

pub use self::context::ApiContext;
pub use self::document::{Place, document};
pub use self::envelope::{Answer, ApiError, ApiResult, Envelope};

/// An HTTP API: what lies below `/{name}/{version}/` while it is enabled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an HTTP API",
    note = "implement `rtcd_sdk::Api` for it: one function that gives an OpenApiRouter"
)]
pub trait Api: 'static {
    /// Its routes with their documentation, without name and version: `OpenApiRouter::new().routes(routes!(rooms))`. It is
    /// called each time the API is enabled and each time the routing table is read.
    ///
    /// # Errors
    /// The API is not enabled; the error is shown to the operator.
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError>;
}
