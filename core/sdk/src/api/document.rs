//! What every API's documentation says about the system's own answers, so that no plugin has to.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{Components, Content, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::{ApiError, Envelope};
use crate::LoadError;

/// An answer of the system: status, name among the components, description.
type SystemAnswer = (&'static str, &'static str, &'static str);

const UNAUTHORIZED: SystemAnswer = ("401", "Unauthorized", "A bearer token is needed, and there is none");
const FORBIDDEN: SystemAnswer = ("403", "Forbidden", "The bearer token does not allow this");
const FAILED: SystemAnswer = ("500", "Failed", "The API failed");
const BAD_REQUEST: SystemAnswer = ("400", "BadRequest", "A parameter or the body cannot be read");
const NOT_SIGNED_IN: SystemAnswer =
    ("401", "NotSignedIn", "The token of a signed-in user is needed, and there is none that is good");
const OTHER_ORIGIN: SystemAnswer = ("403", "OtherOrigin", "Pages of this Origin may not call");
const TOO_MANY: SystemAnswer = ("429", "TooMany", "Too many calls; `Retry-After` says when to try again");
const GOING_DOWN: SystemAnswer =
    ("503", "GoingDown", "The server goes down; `Retry-After` says when to try again");
const TOO_LARGE: SystemAnswer = ("413", "TooLarge", "The body is too large");
const NOT_FOUND: SystemAnswer = ("404", "NotFound", "The API is not enabled, or nothing is there");

/// Where an API is: whether it may be switched off between two calls, and who is let in.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Always there.
    BuiltIn,
    /// A plugin's, on the API port.
    Plugin,
    /// A plugin's, for users.
    ForUsers,
}

/// Adds to each operation the statuses that the system answers, where the API does not document them itself: the gate may say no,
/// what is read can be wrong or too large, and the API can fail or be off.
///
/// # Errors
/// If what is documented cannot be so.
#[doc(hidden)]
pub fn document(openapi: &mut OpenApi, place: Place) -> Result<(), LoadError> {
    let components = openapi.components.get_or_insert_with(Components::new);
    components.schemas.insert(ApiError::name().into(), ApiError::schema());
    components.schemas.insert(Envelope::name().into(), Envelope::schema());
    for (path, item) in &mut openapi.paths.paths {
        check(path, item)?;
    }
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        let reads = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
        let body = operation.request_body.is_some();
        let (gate, limits) = match place {
            Place::BuiltIn | Place::Plugin => ([UNAUTHORIZED, FORBIDDEN, FAILED], None),
            Place::ForUsers => ([NOT_SIGNED_IN, OTHER_ORIGIN, FAILED], Some([TOO_MANY, GOING_DOWN])),
        };
        let answers = gate
            .into_iter()
            .chain(limits.into_iter().flatten())
            .chain((reads || body).then_some(BAD_REQUEST))
            .chain(body.then_some(TOO_LARGE))
            .chain((place != Place::BuiltIn).then_some(NOT_FOUND));
        let responses = &mut operation.responses.responses;
        for (status, name, description) in answers {
            responses.entry(status.to_owned()).or_insert_with(|| {
                components.responses.entry(name.to_owned()).or_insert_with(|| error(description).into());
                Ref::from_response_name(name).into()
            });
        }
        for response in responses.values_mut() {
            // OpenAPI wants one.
            if let RefOr::T(response) = response
                && response.description.is_empty()
            {
                "OK".clone_into(&mut response.description);
            }
        }
    }
    Ok(())
}

/// What the macros let through, although nobody can call it so.
fn check(path: &str, item: &mut PathItem) -> Result<(), LoadError> {
    let PathItem { put, options, head, patch, trace, .. } = item;
    if [put, options, head, patch, trace].into_iter().any(|operation| operation.is_some()) {
        return Err(LoadError::Refused(format!("{path}: only GET, POST and DELETE are served")));
    }
    let parameters = operations(item).flat_map(|operation| operation.parameters.iter().flatten());
    for parameter in parameters {
        let RefOr::T(parameter) = parameter else { continue };
        let name = &parameter.name;
        let is_in_path = path.contains(&format!("{{{name}}}")) || path.contains(&format!("{{*{name}}}"));
        if parameter.parameter_in == ParameterIn::Path && !is_in_path {
            return Err(LoadError::Refused(format!(
                "{path}: parameter {name} is documented as a part of the path; is #[into_params(parameter_in = Query)] missing?"
            )));
        }
    }
    Ok(())
}

/// The operations of a path.
fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    [get, put, post, delete, options, head, patch, trace].into_iter().filter_map(Option::as_mut)
}

fn error(description: &str) -> Response {
    let content = Content::new(Some(Ref::from_schema_name(ApiError::name())));
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_prelude::*;

    #[derive(utoipa::IntoParams)]
    #[expect(dead_code, reason = "for its documentation")]
    struct Page {
        from: u64,
    }

    #[utoipa::path(get, path = "/a", params(Page))]
    async fn page() {}

    #[utoipa::path(put, path = "/b")]
    async fn put() {}

    #[utoipa::path(post, path = "/c/{*rest}", params(("rest" = String, Path)), request_body = String, responses((status = 500, description = "It rains")))]
    async fn good() {}

    #[test]
    fn what_cannot_be_so() {
        let refusal = |router: OpenApiRouter| {
            document(&mut router.into_openapi(), Place::Plugin).unwrap_err().to_string()
        };
        assert_eq!(
            refusal(OpenApiRouter::default().routes(routes!(page))),
            "/a: parameter from is documented as a part of the path; is #[into_params(parameter_in = Query)] missing?"
        );
        assert_eq!(
            refusal(OpenApiRouter::default().routes(routes!(put))),
            "/b: only GET, POST and DELETE are served"
        );
    }

    #[test]
    fn the_systems_answers_are_added() {
        let mut openapi = OpenApiRouter::<()>::default().routes(routes!(good)).into_openapi();
        document(&mut openapi, Place::Plugin).unwrap();
        let operation = openapi.paths.paths["/c/{*rest}"].post.clone().unwrap();
        let statuses: Vec<_> = operation.responses.responses.keys().collect();
        assert_eq!(statuses, ["400", "401", "403", "404", "413", "500"]);
        let mut for_users = OpenApiRouter::<()>::default().routes(routes!(good)).into_openapi();
        document(&mut for_users, Place::ForUsers).unwrap();
        let operation_for_users = for_users.paths.paths["/c/{*rest}"].post.clone().unwrap();
        let statuses: Vec<_> = operation_for_users.responses.responses.keys().collect();
        assert_eq!(statuses, ["400", "401", "403", "404", "413", "429", "500", "503"]);
        let RefOr::T(own) = &operation.responses.responses["500"] else { panic!("not the API's own") };
        assert_eq!(own.description, "It rains");
    }
}
