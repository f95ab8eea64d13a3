//! `registrar.v1`: `GET users`, `GET users/USER`, `DELETE users/USER`, `DELETE users/USER/DEVICE`.

use std::sync::Arc;

use rtcd_sdk::api_prelude::*;
use rtcd_sdk::jsip::ByteString;
use rtcd_sdk::serde::{Deserialize, Serialize};
use rtcd_sdk::{NoAnswer, Reply};

use crate::RegistrarService;
use crate::mail::{Mail, Seen};
use crate::notifier::whole_seconds;
use crate::presence::Presence;

/// The HTTP API of the registrar.
///
/// | call | answer |
/// |---|---|
/// | `GET users?after=&limit=` | `"users"`: the names of those that are registered, sorted; `"next"` is where the next page begins, as `after`; null at the end. `limit` is 100, and 1000 at most |
/// | `GET users/USER` | `"user"`, its `"state"`, and `"contacts"`: of each device where it is reached, its state, and for how many seconds |
/// | `DELETE users/USER/DEVICE` | the device is no contact any more, until it registers again |
/// | `DELETE users/USER` | none of its devices is; also the way to take out the one without a name |
///
/// Own codes: 101 (404) the user has no contact; 102 (404) the user has no such device; 103 (503) too many requests, or the service is
/// not loaded.
#[derive(Debug)]
pub struct RegistrarApi;

impl Api for RegistrarApi {
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default()
            .routes(routes!(users))
            .routes(routes!(contacts, remove_all))
            .routes(routes!(remove))
            .with_state(cx))
    }
}

/// How many users are listed at once, if nothing is said.
const USUAL: usize = 100;

/// And at most.
const MOST: usize = 1000;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NamesPage {
    /// Only users after this one.
    after: Option<String>,
    /// How many at most: 1 to 1000, or else 100.
    limit: Option<usize>,
}

/// Who is registered.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Names {
    users: Vec<String>,
    /// Where the next page begins, as `after`.
    next: Option<String>,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct User {
    user: String,
    /// online, busy or away
    state: Presence,
    contacts: Vec<Device>,
}

/// A device of a user.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Device {
    /// Where it is reached: a Request-URI.
    contact: String,
    device: Option<String>,
    /// online, busy or away
    state: Presence,
    /// Seconds until it is none any more.
    expires: u64,
}

/// The users that are registered, sorted.
#[utoipa::path(get, path = "/users", params(NamesPage), responses(
    (status = 200, body = Answer<Names>),
    (status = 503, description = "103: too many requests, or the service is not loaded", body = ApiError),
))]
async fn users(
    State(cx): State<ApiContext>,
    Query(NamesPage { after, limit }): Query<NamesPage>,
) -> Result<Answer<Names>, ApiError> {
    let (after, limit) = (after.unwrap_or_default(), limit.unwrap_or(USUAL).clamp(1, MOST));
    // One more tells whether there are more.
    let found = ask(&cx, |reply| Mail::Users { after, limit: limit + 1, reply }).await?;
    let mut users: Vec<_> = found.iter().map(|user| user.to_string()).collect();
    let has_more = users.len() > limit;
    users.truncate(limit);
    let next = users.last().filter(|_| has_more).cloned();
    Ok(Answer::new(Names { users, next }))
}

/// A user's devices, with presence.
#[utoipa::path(get, path = "/users/{user}", params(("user" = String, Path)), responses(
    (status = 200, body = Answer<User>),
    (status = 404, description = "101: the user has no contact", body = ApiError),
    (status = 503, description = "103: too many requests, or the service is not loaded", body = ApiError),
))]
async fn contacts(State(cx): State<ApiContext>, Path(user): Path<String>) -> Result<Answer<User>, ApiError> {
    let name = ByteString::from(&*user);
    let seen = ask(&cx, |reply| Mail::Contacts { user: name, reply }).await?;
    if seen.is_empty() {
        return Err(no_user());
    }
    let state = Presence::of(seen.iter().map(|seen| seen.presence));
    Ok(Answer::new(User { user, state, contacts: seen.into_iter().map(Device::from).collect() }))
}

/// Takes all devices of a user out.
#[utoipa::path(delete, path = "/users/{user}", params(("user" = String, Path)), responses(
    (status = 200, body = Envelope),
    (status = 404, description = "101: the user has no contact", body = ApiError),
    (status = 503, description = "103: too many requests, or the service is not loaded", body = ApiError),
))]
async fn remove_all(State(cx): State<ApiContext>, Path(user): Path<String>) -> ApiResult {
    let user = ByteString::from(user);
    let was_there = ask(&cx, |reply| Mail::Remove { user, device: None, reply }).await?;
    if was_there { Ok(Envelope::ok()) } else { Err(no_user()) }
}

/// Takes a device out.
#[utoipa::path(delete, path = "/users/{user}/{device}", params(("user" = String, Path), ("device" = String, Path)), responses(
    (status = 200, body = Envelope),
    (status = 404, description = "102: the user has no such device", body = ApiError),
    (status = 503, description = "103: too many requests, or the service is not loaded", body = ApiError),
))]
async fn remove(State(cx): State<ApiContext>, Path((user, device)): Path<(String, String)>) -> ApiResult {
    let (user, device) = (ByteString::from(user), Some(ByteString::from(device)));
    if ask(&cx, |reply| Mail::Remove { user, device, reply }).await? {
        Ok(Envelope::ok())
    } else {
        Err(ApiError::new(StatusCode::NOT_FOUND, 102, "The user has no such device"))
    }
}

async fn ask<R>(cx: &ApiContext, mail: impl FnOnce(Reply<R>) -> Mail) -> Result<R, ApiError> {
    let service: Option<Arc<RegistrarService>> = cx.service();
    let service = service.ok_or_else(|| unavailable("The registrar is not loaded"))?;
    service.notifier.ask(mail).await.map_err(|problem| match problem {
        NoAnswer::Busy => unavailable("Too many requests"),
        _ => ApiError::internal(problem.to_string()),
    })
}

impl From<Seen> for Device {
    fn from(seen: Seen) -> Self {
        Self {
            contact: seen.peer.uri().to_string(),
            device: seen.peer.device().map(str::to_owned),
            state: seen.presence,
            expires: whole_seconds(seen.left),
        }
    }
}

fn no_user() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, 101, "The user has no contact")
}

fn unavailable(msg: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, 103, msg)
}
