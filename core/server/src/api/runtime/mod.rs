//! `/runtime/v1`: what is going on.
//!
//! No listing looks at all peers at once: each is given page by page, and a page asks at most a thousand of them.

mod config;
mod distribute;
mod jstack;
mod paging;
mod stack;
mod version;

use std::sync::Arc;

use rtcd_sdk::utoipa;
use rtcd_sdk::utoipa_axum::router::OpenApiRouter;
use rtcd_sdk::utoipa_axum::routes;

use crate::control::Control;

pub(super) fn router() -> OpenApiRouter<Arc<Control>> {
    OpenApiRouter::default()
        .routes(routes!(stack::stack))
        .routes(routes!(jstack::jstack))
        .routes(routes!(distribute::distribute))
        .routes(routes!(config::config))
        .routes(routes!(version::version))
}
