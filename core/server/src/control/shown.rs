//! The routing table in force, as people may see it.

use serde::Serialize;

use super::Control;
use crate::routes::RawWhen;

/// What is in force, and where each line comes from: `FILE:LINE`, or `switched` at run time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ShownTable {
    pub(crate) slps: Vec<ShownBinding>,
    pub(crate) rules: Vec<ShownRule>,
    pub(crate) apis: Vec<ShownBinding>,
    pub(crate) hops: Vec<ShownHop>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ShownBinding {
    pub(crate) name: String,
    pub(crate) implementation: String,
    pub(crate) from: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ShownRule {
    pub(crate) when: String,
    pub(crate) slp: String,
    pub(crate) from: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ShownHop {
    pub(crate) pattern: String,
    pub(crate) from: String,
}

impl Control {
    /// The table in force.
    pub(crate) fn table(&self) -> ShownTable {
        let table = self.node.routes().load();
        let document = &table.raw.document;
        let binding = |section: &str, name: &str, implementation: &str, switched: bool| ShownBinding {
            name: name.to_owned(),
            implementation: implementation.to_owned(),
            from: if switched {
                "switched".to_owned()
            } else {
                document.line_of(&format!("{section}.{name}"))
            },
        };
        let overlay = &table.overlay;
        ShownTable {
            slps: table
                .slps
                .iter()
                .map(|(name, bound)| {
                    binding("slps", name, &bound.implementation, overlay.slps.contains_key(name))
                })
                .collect(),
            rules: table
                .raw
                .routes
                .iter()
                .enumerate()
                .map(|(index, rule)| ShownRule {
                    when: when(&rule.when),
                    slp: rule.slp.clone(),
                    from: document.line_of(&format!("routes[{index}]")),
                })
                .collect(),
            apis: table
                .apis
                .iter()
                .map(|(name, bound)| {
                    binding("apis", name, bound.implementation, overlay.apis.contains_key(name))
                })
                .collect(),
            hops: table
                .raw
                .hops
                .iter()
                .enumerate()
                .map(|(index, pattern)| ShownHop {
                    pattern: pattern.clone(),
                    from: document.line_of(&format!("hops[{index}]")),
                })
                .collect(),
        }
    }
}

fn when(RawWhen { method, request_uri, from, to, event, service_host }: &RawWhen) -> String {
    let service_host = service_host.map(|wanted| wanted.to_string());
    let parts: Vec<String> = [
        ("method", method),
        ("request_uri", request_uri),
        ("from", from),
        ("to", to),
        ("event", event),
        ("service_host", &service_host),
    ]
    .into_iter()
    .filter_map(|(name, pattern)| Some(format!("{name}={}", pattern.as_ref()?)))
    .collect();
    if parts.is_empty() { "always".to_owned() } else { parts.join(" ") }
}
