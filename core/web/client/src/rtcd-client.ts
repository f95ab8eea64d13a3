/** Client of rtcd: JSIP over WebSocket, for browsers and Node. README.md has the whole of it. */

export type { RequestFields } from "./asker.js";
export type { BackoffOptions } from "./backoff.js";
export { Client, type ClientEvents } from "./client.js";
export type { Dialog, DialogEnd, DialogEvents, DialogState, InviteOptions } from "./dialog.js";
export { ClosedError, ConnectionError, HttpError, RejectedError, ReplacedError, RtcdError, TimeoutError } from "./errors.js";
export type { Conversation, ConversationPage, HistoryPage, PageOptions, StoredMessage } from "./history.js";
export type { IncomingRequest } from "./incoming.js";
export type { Message, MessageOptions, Receipt, Sent } from "./messages.js";
export type { ClientOptions } from "./options.js";
export type { DevicePresence, PresenceEvent, PresenceState, PresenceSubscription } from "./presence.js";
export type { RegisterOptions, Registration } from "./registration.js";
export type { Room } from "./room.js";
export type { Timers } from "./timers.js";
export type { ClientState } from "./transport.js";
export type { Fields, Method, Request, Response } from "./wire.js";
