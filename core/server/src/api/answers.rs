//! What the documentation says about answers that come as text or as JSON.

use std::collections::BTreeMap;

use rtcd_sdk::utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};
use rtcd_sdk::utoipa::{IntoResponses, ToSchema};
use rtcd_sdk::{ApiError, Envelope};

type Responses = BTreeMap<String, RefOr<Response>>;

/// A listing.
pub(super) struct Listing;

impl IntoResponses for Listing {
    fn responses() -> Responses {
        [both_forms::<Envelope>("200", "A table for people, or JSON for `Accept: application/json`")].into()
    }
}

/// A page of a listing.
pub(super) struct Pages;

impl IntoResponses for Pages {
    fn responses() -> Responses {
        [
            both_forms::<Envelope>(
                "200",
                "A table for people, or JSON for `Accept: application/json`. `next` is where the next page begins; the last has none",
            ),
            both_forms::<ApiError>("400", "A parameter cannot be read"),
        ]
        .into()
    }
}

/// The end of a switch of an API: some cannot be switched.
pub(super) struct ApiSwitched;

impl IntoResponses for ApiSwitched {
    fn responses() -> Responses {
        Switched::responses().into_iter().chain([both_forms::<ApiError>("409", "It is built in")]).collect()
    }
}

/// The end of a switch.
pub(super) struct Switched;

impl IntoResponses for Switched {
    fn responses() -> Responses {
        [
            both_forms::<Envelope>("200", "It is done"),
            both_forms::<ApiError>("400", "The name is none, or `file` is missing"),
            both_forms::<ApiError>(
                "404",
                "There is no such implementation, or nothing is enabled under this name",
            ),
            both_forms::<ApiError>("500", "The implementation refuses to be enabled"),
        ]
        .into()
    }
}

fn both_forms<T: ToSchema>(status: &str, description: &str) -> (String, RefOr<Response>) {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let response = ResponseBuilder::new()
        .description(description)
        .content("text/plain", Content::new(Some(text)))
        .content("application/json", Content::new(Some(Ref::from_schema_name(T::name()))));
    (status.to_owned(), response.build().into())
}
