//! `chatroom.v1`: `GET rooms`, `GET rooms/ID`, `DELETE rooms/ID/USER`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rtcd_sdk::Reply;
use rtcd_sdk::api_prelude::*;
use rtcd_sdk::jsip::ByteString;
use rtcd_sdk::serde::Serialize;

use crate::ChatRooms;
use crate::mail::{Mail, Refusal};

/// The HTTP API of the chat rooms.
///
/// | call | answer |
/// |---|---|
/// | `GET rooms` | `"rooms"`: the names of all rooms |
/// | `GET rooms/ID` | a field with the room's name: its members, user → nickname |
/// | `DELETE rooms/ID/USER` | the user is no member any more |
///
/// Own codes: 101 (404) there is no such room; 102 (404) the room has no such user; 103 (503) too many requests, no answer from the rooms, or
/// the service is not loaded.
#[derive(Debug)]
pub struct ChatRoomApi;

impl Api for ChatRoomApi {
    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default()
            .routes(routes!(rooms))
            .routes(routes!(members))
            .routes(routes!(remove))
            .with_state(cx))
    }
}

/// The rooms.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Names {
    rooms: Vec<String>,
}

/// The names of all rooms.
#[utoipa::path(get, path = "/rooms", responses(
    (status = 200, body = Answer<Names>),
    (status = 503, description = "103: too many requests, no answer from the rooms, or the service is not loaded", body = ApiError),
))]
async fn rooms(State(cx): State<ApiContext>) -> Result<Answer<Names>, ApiError> {
    let names = ask(&cx, |reply| Mail::Rooms { reply }).await?;
    Ok(Answer::new(Names { rooms: names.iter().map(|name| name.to_string()).collect() }))
}

/// The members of a room, in a field with the room's name: user → nickname.
#[utoipa::path(get, path = "/rooms/{room}", params(("room" = String, Path)), responses(
    (status = 200, body = Envelope),
    (status = 404, description = "101: there is no such room", body = ApiError),
    (status = 503, description = "103: too many requests, no answer from the rooms, or the service is not loaded", body = ApiError),
))]
async fn members(State(cx): State<ApiContext>, Path(room): Path<String>) -> ApiResult {
    let name = ByteString::from(&*room);
    let members = ask(&cx, |reply| Mail::Members { room: name, reply }).await??;
    let members: BTreeMap<_, _> = members.iter().map(|(user, nickname)| (&**user, &**nickname)).collect();
    Envelope::ok().with(&room, members)
}

/// Takes a member out of a room.
#[utoipa::path(delete, path = "/rooms/{room}/{user}", params(("room" = String, Path), ("user" = String, Path)), responses(
    (status = 200, body = Envelope),
    (status = 404, description = "101: there is no such room; 102: the room has no such user", body = ApiError),
    (status = 503, description = "103: too many requests, no answer from the rooms, or the service is not loaded", body = ApiError),
))]
async fn remove(State(cx): State<ApiContext>, Path((room, user)): Path<(String, String)>) -> ApiResult {
    let (room, user) = (ByteString::from(room), ByteString::from(user));
    ask(&cx, |reply| Mail::Leave { room, user, reply }).await??;
    Ok(Envelope::ok())
}

async fn ask<R>(cx: &ApiContext, mail: impl FnOnce(Reply<R>) -> Mail) -> Result<R, ApiError> {
    let service: Option<Arc<ChatRooms>> = cx.service();
    let service = service.ok_or_else(|| unavailable("The chat room service is not loaded"))?;
    Ok(service.ask(mail).await?)
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoRoom => Self::new(StatusCode::NOT_FOUND, 101, refusal.to_string()),
            Refusal::NoUser => Self::new(StatusCode::NOT_FOUND, 102, refusal.to_string()),
            Refusal::Busy | Refusal::NoAnswer => unavailable(&refusal.to_string()),
            Refusal::NoExpire
            | Refusal::NoIdentity
            | Refusal::LongName(_)
            | Refusal::LongMessage
            | Refusal::Unexpected
            | Refusal::TooManyMembers
            | Refusal::TooManyRooms
            | Refusal::TooManyMemberships
            | Refusal::NotKept
            | Refusal::NotYou => Self::internal(refusal.to_string()),
        }
    }
}

fn unavailable(msg: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, 103, msg)
}
