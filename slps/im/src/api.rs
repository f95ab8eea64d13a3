//! `im.v1`, for users: `GET conversations`, `GET history/WITH`.

use std::sync::Arc;

use rtcd_sdk::Audience;
use rtcd_sdk::api_prelude::*;
use rtcd_sdk::extract::SignedIn;
use rtcd_sdk::serde::{Deserialize, Serialize};
use rtcd_sdk::serde_json::value::RawValue;
use rtcd_store::{
    Conversation, ConversationSummary, Page, State as Progress, StoreError, StoredMessage, date_text,
    is_full_page,
};
use slp_chatroom::ChatRooms;

use crate::Messages;
use crate::post::{body, user};

/// The HTTP API of messages, for the user who is signed in.
///
/// | call | answer |
/// |---|---|
/// | `GET conversations?before=&limit=` | `"conversations"` of the user with others, newest first: `{"with","last","unread"}` |
/// | `GET history/WITH?before=&after=&limit=` | `"messages"` with a user, or of a room (`room:…`) of which the user is a member; oldest first |
///
/// A message is `{"seq","id","from","to","date","content_type","body","state"}`; `state` is `sent`, `delivered` or `read`. `before` and `after` are
/// places (`seq`); without `after` the newest that fit are given. `"next"` is the place for the next page, as `after` if that was given, else as
/// `before`; null at the end. `limit` is 50, and 200 at most; a page is shorter if its messages are large: it ends when they come to 256 KiB.
///
/// Own codes: 101 (403) the user is no member of the room; 102 (503) the history cannot be read now.
#[derive(Debug)]
pub struct ImApi;

impl Api for ImApi {
    const AUDIENCE: Audience = Audience::User;

    fn router(cx: ApiContext) -> Result<OpenApiRouter, LoadError> {
        Ok(OpenApiRouter::default().routes(routes!(conversations)).routes(routes!(history)).with_state(cx))
    }
}

/// How much is given at once, if nothing is said.
const USUAL: usize = 50;

/// And at most.
const MOST: usize = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ConversationsPage {
    /// Only conversations whose last message is before this place.
    before: Option<u64>,
    /// How many at most: 1 to 200, or else 50.
    limit: Option<usize>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(crate = "rtcd_sdk::serde", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryPage {
    /// Only messages before this place.
    before: Option<u64>,
    /// Only messages after this place.
    after: Option<u64>,
    /// How many at most: 1 to 200, or else 50.
    limit: Option<usize>,
}

#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Conversations {
    conversations: Vec<Summary>,
    /// The place for the next page, as `before`.
    next: Option<u64>,
}

/// A conversation with another user.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Summary {
    with: String,
    last: Entry,
    /// How many messages of the other are not read.
    unread: u64,
}

#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct History {
    messages: Vec<Entry>,
    /// The place for the next page, as `after` if that was given, else as `before`.
    next: Option<u64>,
}

/// A message.
#[derive(Serialize, ToSchema)]
#[serde(crate = "rtcd_sdk::serde")]
struct Entry {
    /// Its place.
    seq: u64,
    /// `Message-ID`
    id: String,
    from: String,
    /// A user or a room.
    to: String,
    /// When the server took it: RFC 3339, UTC.
    date: String,
    content_type: Option<String>,
    #[schema(value_type = Value)]
    body: Box<RawValue>,
    /// sent, delivered or read
    state: &'static str,
}

/// The user's conversations with others, newest first.
#[utoipa::path(get, path = "/conversations", params(ConversationsPage), responses(
    (status = 200, body = Answer<Conversations>),
    (status = 503, description = "102: it cannot be read now", body = ApiError),
))]
async fn conversations(
    State(cx): State<ApiContext>,
    SignedIn { user }: SignedIn,
    Query(page): Query<ConversationsPage>,
) -> Result<Answer<Conversations>, ApiError> {
    let limit = limit(page.limit);
    let found = service(&cx)?.store.conversations(&user, page.before, limit).await.map_err(unreadable)?;
    let is_full = is_full_page(found.iter().map(|summary| &summary.last), limit);
    let next = found.last().filter(|_| is_full).map(|summary| summary.last.seq);
    let conversations = found.into_iter().map(Summary::from).collect();
    Ok(Answer::new(Conversations { conversations, next }))
}

/// The messages with a user, or of a room, oldest first.
#[utoipa::path(get, path = "/history/{with}", params(("with" = String, Path), HistoryPage), responses(
    (status = 200, body = Answer<History>),
    (status = 403, description = "101: no member of the room", body = ApiError),
    (status = 503, description = "102: it cannot be read now", body = ApiError),
))]
async fn history(
    State(cx): State<ApiContext>,
    SignedIn { user: me }: SignedIn,
    Path(with): Path<String>,
    Query(page): Query<HistoryPage>,
) -> Result<Answer<History>, ApiError> {
    let conversation = if with.starts_with("room:") {
        check_member(&cx, &with, &me).await?;
        Conversation::room(&with)
    } else {
        let with = user(&with).ok_or_else(|| ApiError::bad_request("no user"))?;
        Conversation::between(&me, &with)
    };
    let limit = limit(page.limit);
    let HistoryPage { before, after, .. } = page;
    let store = &service(&cx)?.store;
    let found = store.history(&conversation, Page { before, after, limit }).await.map_err(unreadable)?;
    let end = if after.is_some() { found.last() } else { found.first() };
    let next = end.filter(|_| is_full_page(&found, limit)).map(|message| message.seq);
    Ok(Answer::new(History { messages: found.into_iter().map(Entry::from).collect(), next }))
}

fn limit(limit: Option<usize>) -> usize {
    limit.unwrap_or(USUAL).clamp(1, MOST)
}

fn service(cx: &ApiContext) -> Result<Arc<Messages>, ApiError> {
    cx.service().ok_or_else(|| unavailable("The messages are not loaded"))
}

async fn check_member(cx: &ApiContext, room: &str, user: &str) -> Result<(), ApiError> {
    let rooms: Arc<ChatRooms> = cx.service().ok_or_else(|| unavailable("The rooms are not loaded"))?;
    match rooms.has_member(room, user).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ApiError::new(StatusCode::FORBIDDEN, 101, "No member of the room")),
        Err(_) => Err(unavailable("The rooms are busy")),
    }
}

fn unreadable(_: StoreError) -> ApiError {
    unavailable("The history cannot be read now")
}

fn unavailable(msg: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, 102, msg)
}

impl From<ConversationSummary> for Summary {
    fn from(summary: ConversationSummary) -> Self {
        let ConversationSummary { with, last, unread } = summary;
        Self { with, last: last.into(), unread }
    }
}

impl From<StoredMessage> for Entry {
    fn from(message: StoredMessage) -> Self {
        let body = body(&message);
        Self {
            seq: message.seq,
            id: message.id,
            from: message.sender,
            to: message.receiver,
            date: date_text(message.date),
            content_type: message.content_type,
            body,
            state: match message.state {
                Progress::Sent => "sent",
                Progress::Delivered => "delivered",
                Progress::Read => "read",
            },
        }
    }
}
