//! The table, checked: everything that it names exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use jsip::{Method, Request};
use rtcd_sdk::Glob;

use super::raw::{RawApi, RawRule, RawTable, RawWhen};
use crate::api::Description;
use crate::services::{BindError, Binding, Services};
use crate::settings::ConfigError;

/// What is in force. Never changed: a new one takes its place.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable {
    pub(crate) slps: BTreeMap<String, Arc<Binding>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) apis: BTreeMap<String, ApiBinding>,
    pub(crate) hops: Vec<HopRule>,
}

/// One line of `routes`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    method: Option<Method>,
    request_uri: Option<Glob>,
    from: Option<Glob>,
    to: Option<Glob>,
    pub(crate) slp: String,
}

/// One line of `hops`.
#[derive(Debug, Clone)]
pub(crate) struct HopRule(Glob);

/// An API that is on.
#[derive(Debug, Clone)]
pub(crate) struct ApiBinding {
    pub(crate) implementation: &'static str,
    pub(crate) router: Router,
    pub(crate) description: Arc<Description>,
}

impl RouteTable {
    /// Checks a table, and loads the services that it names.
    pub(crate) fn build(file: &str, raw: &RawTable, services: &Services) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut slps = BTreeMap::new();
        for (name, implementation) in &raw.slps {
            if !is_name(name) {
                problems.push(format!("slps.{name}: a name has only letters, digits, _ and -"));
            }
            match services.bind(name, implementation) {
                Ok(binding) => drop(slps.insert(name.clone(), binding)),
                Err(problem) => problems.push(format!("slps.{name}: {problem}")),
            }
        }
        let mut rules = Vec::new();
        for (index, rule) in raw.routes.iter().enumerate() {
            match Rule::new(rule) {
                Ok(rule) if raw.slps.contains_key(&rule.slp) => rules.push(rule),
                Ok(rule) => problems.push(format!("routes[{index}].slp: {} is not in slps", rule.slp)),
                Err(problem) => problems.push(format!("routes[{index}].{problem}")),
            }
        }
        let mut on = BTreeMap::new();
        for (name, RawApi { implementation, enabled }) in &raw.apis {
            if !is_api_name(name) {
                problems.push(format!("apis.{name}: an API is named NAME.vN"));
            }
            // One that is off need not be ready to be on, but it must be there.
            let bound = if *enabled {
                ApiBinding::new(name, implementation, services).map(Some)
            } else {
                services.api(implementation).map(|_| None)
            };
            match bound {
                Ok(Some(binding)) => drop(on.insert(name.clone(), binding)),
                Ok(None) => {}
                Err(problem) => problems.push(format!("apis.{name}: {problem}")),
            }
        }
        let hops = raw.hops.iter().map(|pattern| HopRule(Glob::new(pattern))).collect();
        if problems.is_empty() {
            Ok(Self { slps, rules, apis: on, hops })
        } else {
            Err(ConfigError { file: file.to_owned(), problem: problems.join("; ") })
        }
    }

    /// Whether a next hop may be dialled.
    pub(crate) fn allows_hop(&self, host: &str, port: u16) -> bool {
        let place = format!("{host}:{port}");
        self.hops.iter().any(|rule| rule.0.matches(&place))
    }
}

impl ApiBinding {
    /// Makes the routes of an implementation, for a name that is `NAME.vN`.
    pub(crate) fn new(name: &str, implementation: &str, services: &Services) -> Result<Self, BindError> {
        let entry = services.api(implementation)?;
        let (router, openapi) = services.load_api(entry)?;
        let description = Description::plugin(name, &openapi).map_err(|error| BindError::Load {
            implementation: implementation.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self { implementation: entry.implementation, router, description: Arc::new(description) })
    }
}

impl Rule {
    fn new(RawRule { when, slp }: &RawRule) -> Result<Self, String> {
        let RawWhen { method, request_uri, from, to } = when;
        let method = match method {
            Some(name) => {
                Some(Method::from_name(name).ok_or_else(|| format!("when.method: {name} is no method"))?)
            }
            None => None,
        };
        let glob = |pattern: &Option<String>| pattern.as_deref().map(Glob::new);
        Ok(Self { method, request_uri: glob(request_uri), from: glob(from), to: glob(to), slp: slp.clone() })
    }

    pub(crate) fn matches(&self, request: &Request) -> bool {
        let covers = |glob: &Option<Glob>, text: &str| glob.as_ref().is_none_or(|glob| glob.matches(text));
        self.method.is_none_or(|method| method == request.method)
            && covers(&self.request_uri, &request.uri)
            && covers(&self.from, &request.from)
            && covers(&self.to, &request.to)
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
