// One message in the log.
import { fullDate, timeOf } from "./dates.js";
import { h, linked } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { fateWord, tick } from "./ticks.js";

/**
 * Fills a row. `place` tells where it stands: `isFirst` and `isLast` of a group of one author, `isNewest` of one's own, and whether the
 * page `isOnline`. `actions` are `{ retry, discard }`.
 */
export function fillRow(row, message, conversation, place, actions) {
  const classes = ["message", message.own && "own", place.isFirst && "first", place.isLast && "last", message.own && message.status];
  row.className = classes.filter(Boolean).join(" ");
  row.dataset.id = message.id;
  row.dataset.status = message.status;
  const inRoom = isRoom(conversation);
  const author = message.own ? "You" : shown(message.from);
  const stamp = h("span", { class: "stamp" });
  stamp.append(h("time", { datetime: new Date(message.date).toISOString(), title: fullDate(message.date) }, timeOf(message.date)));
  if (message.own) stamp.append(tick(message.status));
  const showsAuthor = inRoom && !message.own && place.isFirst;
  const bubble = h("div", { class: "bubble" }, !showsAuthor && h("span", { class: "heard" }, `${author}: `));
  bubble.append(h("span", { class: "text", dir: "auto" }, linked(message.text)), stamp);
  row.replaceChildren(...[showsAuthor && h("p", { class: "author" }, author), bubble, below(message, inRoom, place, actions)].filter(Boolean));
}

function below(message, inRoom, place, actions) {
  if (message.status === "failed") {
    return h("div", { class: "trouble" },
      h("span", {}, `Not sent. ${message.reason ?? ""}`.trim()),
      h("button", { type: "button", onclick: () => actions.retry(message.id) }, "Try again"),
      h("button", { type: "button", onclick: () => actions.discard(message.id) }, "Delete"));
  }
  if (!place.isNewest) return null;
  if (message.status === "sending") return place.isOnline ? null : fate("Leaves when the connection is back");
  return inRoom ? null : fate(fateWord(message.status));
}

/** The tick says the same to those who listen. */
function fate(text) {
  return h("p", { class: "fate", "aria-hidden": "true" }, text);
}
