//! How the envelope looks in an API's documentation.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use super::envelope::{ApiError, Envelope};

impl PartialSchema for Envelope {
    fn schema() -> RefOr<Schema> {
        envelope("A good answer: code 0. The API's own fields stand beside these two.").into()
    }
}

impl ToSchema for Envelope {
    fn name() -> Cow<'static, str> {
        "Envelope".into()
    }
}

impl PartialSchema for ApiError {
    fn schema() -> RefOr<Schema> {
        envelope("A bad answer. Codes below 100 are the system's, others the API's own.")
            .property("detail", text("What exactly is wrong"))
            .into()
    }
}

impl ToSchema for ApiError {
    fn name() -> Cow<'static, str> {
        "ApiError".into()
    }
}

fn envelope(description: &str) -> ObjectBuilder {
    let code = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
    ObjectBuilder::new()
        .description(Some(description))
        .property("code", code)
        .property("msg", text("OK, or a short text"))
        .required("code")
        .required("msg")
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).description(Some(description))
}
