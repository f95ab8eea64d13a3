//! Checks a configuration without serving.

use std::sync::Arc;

use crate::config::{ConfigErrors, Problem, Settings, Source, read_routes, read_settings};
use crate::control::OverlayFile;
use crate::front::{Certificate, Side};
use crate::node::Node;
use crate::routes;
use crate::rtc::Gate;

/// Finds all that a start would stumble over, in all files at once; binds no port. Services and APIs that the table names are
/// loaded, so that their settings are checked too, but do nothing yet. Within a runtime of tokio.
///
/// # Errors
/// All that is wrong.
pub async fn check(source: Arc<dyn Source>) -> Result<(), ConfigErrors> {
    let mut problems = Vec::new();
    let settings = match read_settings(&*source) {
        Ok((settings, effective)) => {
            for side in [Side::Rtc, Side::Api] {
                let found = Certificate::load(side, &settings).err().into_iter().flatten();
                problems.extend(found.map(|problem| effective.place(problem)));
            }
            if let Err(error) = Gate::new(&settings.rtc) {
                problems.push(effective.place(Problem::new("rtc.authurl", error.to_string())));
            }
            settings
        }
        Err(found) => {
            problems.extend(found);
            Settings::default()
        }
    };
    let node = Node::new(settings.clone(), source.clone());
    match read_routes(&*source) {
        Ok(routes) => {
            problems.extend(routes::check(&routes).1);
            problems.extend(routes::load(&routes, node.services()).err().into_iter().flatten());
        }
        Err(found) => problems.extend(found),
    }
    if let Err(error) = OverlayFile::new(&settings.server.state_dir).read() {
        problems.push(error.into_problem());
    }
    if problems.is_empty() { Ok(()) } else { Err(ConfigErrors(problems)) }
}
