//! The table, checked: everything that it names exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use jsip::{Method, Request};
use rtcd_sdk::{Audience, Glob, registered_apis, registered_slps};

use super::raw::{RawApi, RawRule, RawTable, RawWhen};
use crate::api::{ACCESS, Description, gate_that_failed};
use crate::config::{Problem, hint};
use crate::control::{BUILT_IN, Overlay};
use crate::services::{BindError, Binding, Services};

/// What is in force. Never changed: a new one takes its place.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable {
    pub(crate) slps: BTreeMap<String, Arc<Binding>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) apis: BTreeMap<String, ApiBinding>,
    pub(crate) hops: Vec<HopRule>,
    /// The file that it was made from.
    pub(crate) raw: Arc<RawTable>,
    /// What was switched at run time; it is in the fields above already.
    pub(crate) overlay: Arc<Overlay>,
}

/// One line of `routes`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    method: Option<Method>,
    request_uri: Option<Glob>,
    from: Option<Glob>,
    to: Option<Glob>,
    event: Option<Glob>,
    /// Whether the host names a service.
    service_host: Option<bool>,
    pub(crate) slp: String,
}

/// One line of `hops`.
#[derive(Debug, Clone)]
pub(crate) struct HopRule(Glob);

/// An API that is on.
#[derive(Debug, Clone)]
pub(crate) struct ApiBinding {
    pub(crate) implementation: &'static str,
    pub(crate) audience: Audience,
    pub(crate) router: Router,
    /// What `/openapi.json` says of it.
    pub(crate) description: Arc<Description>,
}

impl RouteTable {
    /// Checks a table and what was switched over it, then loads the services that it names.
    pub(crate) fn build(
        raw: &RawTable,
        overlay: &Overlay,
        services: &Services,
    ) -> Result<Self, Vec<Problem>> {
        let (rules, problems) = check(raw);
        if !problems.is_empty() {
            return Err(problems);
        }
        let (slps, apis) = load(raw, services)?;
        let hops = raw.hops.iter().map(|pattern| HopRule(Glob::new(pattern))).collect();
        let mut table =
            Self { slps, rules, apis, hops, raw: Arc::new(raw.clone()), overlay: Arc::new(overlay.clone()) };
        table.apply(overlay, services);
        Ok(table)
    }

    /// Puts what was switched at run time over the table. What cannot be done any more, because the program has changed, is left
    /// out and told.
    fn apply(&mut self, overlay: &Overlay, services: &Services) {
        for (name, switch) in &overlay.slps {
            let bound = switch.as_ref().map(|implementation| services.bind(name, implementation));
            match bound {
                None => drop(self.slps.remove(name)),
                Some(Ok(binding)) => drop(self.slps.insert(name.clone(), binding)),
                Some(Err(problem)) => tracing::error!(slp = name, %problem, "a switched service is left out"),
            }
        }
        for (name, switch) in &overlay.apis {
            let bound = switch.as_ref().map(|implementation| ApiBinding::new(name, implementation, services));
            match bound {
                None => drop(self.apis.remove(name)),
                Some(Ok(binding)) => drop(self.apis.insert(name.clone(), binding)),
                // Without its gate the API port would be open to all.
                Some(Err(problem)) if name == ACCESS => {
                    tracing::error!(%problem, "access.v1 cannot be enabled: nobody but the admin is let in");
                    self.apis.insert(name.clone(), gate_that_failed());
                }
                Some(Err(problem)) => tracing::error!(api = name, %problem, "a switched API is left out"),
            }
        }
    }

    /// Whether a next hop may be dialled.
    pub(crate) fn allows_hop(&self, host: &str, port: u16) -> bool {
        let place = format!("{host}:{port}");
        self.hops.iter().any(|rule| rule.0.matches(&place))
    }
}

/// Services by name, APIs by `NAME.vN`.
type Bound = (BTreeMap<String, Arc<Binding>>, BTreeMap<String, ApiBinding>);

/// Loads all that a table names. What is not compiled in is told by [`check`].
pub(crate) fn load(raw: &RawTable, services: &Services) -> Result<Bound, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut failed = |field: String, error: BindError| {
        let problem = match error {
            BindError::Unknown(_) => return,
            BindError::Settings { problem, .. } => problem,
            BindError::Load { .. } => raw.document.problem(field, error.to_string()),
        };
        // Two names may be bound to one implementation.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    };
    let mut slps = BTreeMap::new();
    for (name, implementation) in &raw.slps {
        match services.bind(name, implementation) {
            Ok(binding) => drop(slps.insert(name.clone(), binding)),
            Err(error) => failed(format!("slps.{name}"), error),
        }
    }
    let mut apis = BTreeMap::new();
    // One that is off need not be ready to be on.
    for (name, api) in raw.apis.iter().filter(|(_, api)| api.enabled) {
        match ApiBinding::new(name, &api.implementation, services) {
            Ok(binding) => drop(apis.insert(name.clone(), binding)),
            Err(error) => failed(format!("apis.{name}"), error),
        }
    }
    if problems.is_empty() { Ok((slps, apis)) } else { Err(problems) }
}

/// Checks all of a table that can be checked without loading anything.
pub(crate) fn check(raw: &RawTable) -> (Vec<Rule>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut problem = |field: String, text: String| problems.push(raw.document.problem(field, text));
    let slps: Vec<&str> = registered_slps().iter().map(|entry| entry.implementation).collect();
    let apis: Vec<&str> = registered_apis().iter().map(|entry| entry.implementation).collect();
    let unknown = |name: &str, known: &[&str]| {
        let hint = hint(name, known.iter().map(|name| (*name).to_owned()));
        (!known.contains(&name)).then(|| format!("no implementation {name} is compiled in{hint}"))
    };
    for (name, implementation) in &raw.slps {
        if !is_name(name) {
            problem(format!("slps.{name}"), "a name has only letters, digits, _ and -".to_owned());
        }
        if let Some(text) = unknown(implementation, &slps) {
            problem(format!("slps.{name}"), text);
        }
    }
    let mut rules = Vec::new();
    for (index, rule) in raw.routes.iter().enumerate() {
        match Rule::new(rule) {
            Ok(rule) => rules.push(rule),
            Err(text) => problem(format!("routes[{index}].when.method"), text),
        }
        if !raw.slps.contains_key(&rule.slp) {
            let hint = hint(&rule.slp, raw.slps.keys().cloned());
            problem(format!("routes[{index}].slp"), format!("{} is not in slps{hint}", rule.slp));
        }
    }
    for (name, RawApi { implementation, .. }) in &raw.apis {
        if !is_api_name(name) {
            problem(format!("apis.{name}"), "an API is named NAME.vN".to_owned());
        } else if BUILT_IN.contains(&&**name) {
            problem(format!("apis.{name}"), "is built in and always there".to_owned());
        }
        if let Some(text) = unknown(implementation, &apis) {
            problem(format!("apis.{name}"), text);
        }
    }
    (rules, problems)
}

impl ApiBinding {
    /// Makes the routes of an implementation, for a name that is `NAME.vN`.
    pub(crate) fn new(name: &str, implementation: &str, services: &Services) -> Result<Self, BindError> {
        let entry = services.api(implementation)?;
        let audience = entry.audience;
        let (router, openapi) = services.load_api(entry)?;
        let description = Description::plugin(name, audience, &openapi).map_err(|error| BindError::Load {
            implementation: implementation.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self {
            implementation: entry.implementation,
            audience,
            router,
            description: Arc::new(description),
        })
    }
}

impl Rule {
    fn new(RawRule { when, slp }: &RawRule) -> Result<Self, String> {
        let RawWhen { method, request_uri, from, to, event, service_host } = when;
        let method = match method {
            Some(name) => Some(Method::from_name(name).ok_or_else(|| format!("{name} is no method"))?),
            None => None,
        };
        let glob = |pattern: &Option<String>| pattern.as_deref().map(Glob::new);
        Ok(Self {
            method,
            request_uri: glob(request_uri),
            from: glob(from),
            to: glob(to),
            event: glob(event),
            service_host: *service_host,
            slp: slp.clone(),
        })
    }

    /// `names_service`: the host's first label is the name of a service.
    pub(crate) fn matches(&self, request: &Request, names_service: bool) -> bool {
        let covers = |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|glob| glob.matches(text));
        self.method.is_none_or(|method| method == request.method)
            && covers(&self.request_uri, &request.uri)
            && covers(&self.from, &request.from)
            && covers(&self.to, &request.to)
            && self.service_host.is_none_or(|wanted| wanted == names_service)
            && self
                .event
                .as_ref()
                .is_none_or(|event| event.matches(&request.headers.text("Event").unwrap_or_default()))
    }
}

/// Whether a text may name a service or an API.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether a text is `NAME.vN`.
pub(crate) fn is_api_name(text: &str) -> bool {
    text.split_once('.').is_some_and(|(name, version)| is_name(name) && is_version(version))
}

/// Whether a text is `vN`.
pub(crate) fn is_version(text: &str) -> bool {
    text.strip_prefix('v')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
