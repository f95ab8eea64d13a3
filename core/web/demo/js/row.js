// One message in the log.
import { fullDate, timeOf } from "./dates.js";
import { h, linked } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { fateWord, tick } from "./ticks.js";

/** Letters and lines above which a message is shown in part, and how many letters of it. */
const LONG = 2000;
const LINES = 30;
const SHOWN = 1500;

/**
 * Fills a row. `place` tells where it stands: `isFirst` and `isLast` of a group of one author, `isNewest` of one's own; and whether it
 * `isHeld` until the connection is back. `actions` are `{ retry, discard }`.
 */
export function fillRow(row, message, conversation, place, actions) {
  const classes = ["message", message.own && "own", place.isFirst && "first", place.isLast && "last", message.own && message.status];
  row.className = classes.filter(Boolean).join(" ");
  row.dataset.id = message.id;
  if (message.own) row.dataset.status = message.status;
  const inRoom = isRoom(conversation);
  const author = message.own ? "You" : shown(message.from);
  const stamp = h("span", { class: "stamp" });
  stamp.append(h("time", { datetime: new Date(message.date).toISOString(), title: fullDate(message.date) }, timeOf(message.date)));
  if (message.own) stamp.append(tick(message.status));
  const showsAuthor = inRoom && !message.own && place.isFirst;
  const bubble = h("div", { class: "bubble" }, !showsAuthor && h("span", { class: "heard" }, `${author}: `));
  bubble.append(...words(message), stamp);
  row.replaceChildren(...[showsAuthor && h("p", { class: "author" }, author), bubble, below(message, inRoom, place, actions)].filter(Boolean));
}

/** The text; of a very long one the beginning, and what shows the rest. */
function words(message) {
  const { text } = message;
  const element = h("span", { class: "text", dir: "auto" });
  const beginning = message.isUnfolded ? text : beginningOf(text);
  if (beginning === text) {
    element.append(linked(text));
    return [element];
  }
  const more = h("button", { class: "more", type: "button" }, "Show all");
  more.addEventListener("click", () => {
    message.isUnfolded = true;
    element.replaceChildren(linked(text));
    more.remove();
    // The focus was on what is gone.
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
  });
  element.append(linked(beginning), "…");
  return [element, more];
}

function beginningOf(text) {
  if (text.length <= LONG && text.split("\n", LINES + 1).length <= LINES) return text;
  const lines = text.split("\n", LINES).join("\n");
  // By code points: half a letter is none.
  return Array.from(lines.slice(0, SHOWN)).slice(0, -1).join("").trimEnd();
}

function below(message, inRoom, place, actions) {
  if (message.status === "failed") {
    return h("div", { class: "trouble" },
      h("span", {}, `Not sent. ${message.reason ?? ""}`.trim()),
      h("button", { type: "button", onclick: () => actions.retry(message.id) }, "Try again"),
      h("button", { type: "button", onclick: () => actions.discard(message.id) }, "Delete"));
  }
  if (!place.isNewest) return null;
  if (message.status === "sending") return place.isHeld ? fate("Leaves when the connection is back") : null;
  return inRoom ? null : fate(fateWord(message.status));
}

/** The tick says the same to those who listen. */
function fate(text) {
  return h("p", { class: "fate", "aria-hidden": "true" }, text);
}
