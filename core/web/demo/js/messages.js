// Messages as the page has them, from those of the client library: live ones, and those of history.
import { isRoom } from "./names.js";

/** What can be shown of a body. */
export function textOf(body) {
  if (typeof body !== "string") return "This message cannot be shown here.";
  return body.trim() === "" ? "This message is empty." : body;
}

/** A live message, for `Conversation.add`. */
export function fromLive({ id, from, sender, date, body, own }) {
  const author = sender ?? from;
  return { id, from: author, date: date.getTime(), text: textOf(body), own, status: own ? "sent" : "unread", seq: null };
}

/** One of history. `readUntil`: rooms have no receipts, so what is read there is a date that the page keeps. */
export function fromHistory({ id, seq, from, date, body, state }, conversation, user, readUntil) {
  const own = from === user;
  const message = { id, from, date: new Date(date).getTime(), text: textOf(body), own, status: "sent", seq };
  if (isRoom(conversation)) message.status = own ? "sent" : message.date > readUntil ? "unread" : "read";
  else if (own) message.status = state;
  else message.status = state === "read" ? "read" : "unread";
  return message;
}
