//! Which service gets a new dialog: a pure function of the request and the table.

use std::sync::Arc;

use jsip::{Request, StatusCode, Uri};

use super::RouteTable;
use crate::services::Binding;

/// The answer to "who gets this".
#[derive(Debug)]
pub(crate) enum Decision {
    /// The task that made this related id.
    Related(String),
    /// A new task of this service.
    Slp(Arc<Binding>),
    /// Nobody.
    Refuse(StatusCode, String),
}

/// The service that a name without an owner goes to.
const DEFAULT: &str = "default";

/// Decides about the first request of a dialog.
pub(crate) fn decide(request: &Request, table: &RouteTable) -> Decision {
    let route = match request.first_route().map(Uri::parse) {
        Some(Ok(route)) => Some(route),
        Some(Err(error)) => return Decision::Refuse(StatusCode::BAD_REQUEST, format!("Router: {error}")),
        None => None,
    };
    if let Some(id) = route.as_ref().and_then(|route| route.param("relid")) {
        return Decision::Related(id.to_owned());
    }
    if let Some(name) = route.as_ref().and_then(|route| route.param("type")) {
        return slp(table, name);
    }
    // An unreadable Request-URI names nobody.
    let label = match &route {
        Some(route) => Some(route.first_label()),
        None => Uri::parse(&request.uri).ok().map(|uri| uri.first_label()),
    };
    let named = label.and_then(|label| table.slps.get(label));
    if let Some(rule) = table.rules.iter().find(|rule| rule.matches(request, named.is_some())) {
        return slp(table, &rule.slp);
    }
    match named {
        Some(binding) => Decision::Slp(binding.clone()),
        None => slp(table, DEFAULT),
    }
}

fn slp(table: &RouteTable, name: &str) -> Decision {
    match table.slps.get(name) {
        Some(binding) => Decision::Slp(binding.clone()),
        None => Decision::Refuse(StatusCode::NOT_FOUND, "No such service".to_owned()),
    }
}
