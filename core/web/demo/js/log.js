// The messages of one conversation, with their days.
import { avatar } from "./avatar.js";
import { isPending } from "./conversation.js";
import { dayName, dayOf } from "./dates.js";
import { h, setText } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { fillRow } from "./row.js";

/** Messages of one author less than this apart, in ms, are one group. */
const GROUP = 5 * 60_000;
/** So near the end, in px, counts as being there. */
const NEAR = 48;
/** So many messages before the last one, they are far from what one usually sees. */
const FAR = 60;

export class Log {
  element;
  #conversation;
  #actions;
  // The role: without it Safari takes a list that has no marks for none.
  #list = h("ol", { class: "rows", role: "list" });
  #head = h("div", { class: "log-head" });
  /** By message, or, of a divider, by what it says. */
  #rows = new Map();
  /** The first that was unread when the conversation was opened: the line above it stays until then. */
  #firstUnread = null;
  #isLoaded = false;

  /** `actions`: `{ retry, discard, older, isOnline, onScroll }`. */
  constructor(conversation, actions) {
    this.#conversation = conversation;
    this.#actions = actions;
    const label = isRoom(conversation.name) ? `Messages in ${shown(conversation.name)}` : `Messages with ${shown(conversation.name)}`;
    // Not live: what arrives is announced in words of its own, and a page of history is not.
    this.element = h("div", { class: "log", id: "log", role: "log", "aria-live": "off", "aria-label": label, tabindex: "0" },
      h("div", { class: "log-inside" }, this.#head, this.#list));
    this.element.addEventListener("scroll", () => {
      if (this.#isLoaded && this.element.scrollTop < NEAR && conversation.older != null) actions.older();
      actions.onScroll();
    }, { passive: true });
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < NEAR;
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  /** The first page is here: the line above what is unread is drawn, and the log shows it, or the end. */
  loaded() {
    this.#firstUnread = this.#conversation.unreadMessages()[0] ?? null;
    this.#isLoaded = true;
    this.update();
    const line = this.#list.querySelector(".unread-line");
    if (line) this.element.scrollTop = Math.max(0, line.offsetTop - this.element.clientHeight / 3);
    else this.toEnd();
  }

  /** While nobody looks, what comes is unread. */
  markUnreadFrom(message) {
    this.#firstUnread ??= message;
  }

  forgetUnread() {
    this.#firstUnread = null;
  }

  /** Shows what there is now. What is being read stays where it is, unless it is the end. */
  update() {
    const wasAtEnd = this.isAtEnd;
    const anchor = wasAtEnd ? null : this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    this.#showHead();
    this.#showRows();
    if (wasAtEnd) this.toEnd();
    else if (anchor?.isConnected) this.element.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  /** A message: what comes before it may go between it and the day above it. */
  #firstVisible() {
    const top = this.element.getBoundingClientRect().top;
    for (const row of this.#list.children) {
      if (row.classList.contains("message") && row.getBoundingClientRect().bottom > top) return row;
    }
    return null;
  }

  #showHead() {
    const { name, older } = this.#conversation;
    const state = this.#headState(older);
    if (this.#head.dataset.state === state) return;
    this.#head.dataset.state = state;
    const hadFocus = this.#head.contains(document.activeElement);
    if (state === "loading") this.#head.replaceChildren(h("p", { class: "beginning" }, "Looking for earlier messages…"));
    else if (state === "offline") this.#head.replaceChildren(h("p", { class: "beginning" }, "Earlier messages come when the connection is back."));
    else if (state === "missing") this.#head.replaceChildren(h("p", { class: "beginning" }, "Earlier messages cannot be shown now."), this.#more("Try again"));
    else if (state === "more") this.#head.replaceChildren(this.#more("Earlier messages"));
    else this.#head.replaceChildren(beginning(name));
    if (hadFocus) this.element.focus({ preventScroll: true });
  }

  #headState(older) {
    if (older === null) return "beginning";
    if (older !== undefined) return "more";
    if (!this.#actions.isOnline()) return "offline";
    return this.#isLoaded ? "missing" : "loading";
  }

  #more(label) {
    return h("button", { class: "button earlier", type: "button", onclick: () => this.#actions.older() }, label);
  }

  #showRows() {
    const { messages, name } = this.#conversation;
    const newestOwn = messages.findLast((message) => message.own) ?? null;
    const wanted = [];
    messages.forEach((message, at) => {
      const before = messages[at - 1];
      // Until the server has said when it was, there is only this clock, which may be wrong.
      const isNewDay = !before || (!isPending(message) && dayOf(before.date) !== dayOf(message.date));
      const isUnread = message === this.#firstUnread;
      if (isNewDay) wanted.push(this.#divider(`day ${dayOf(message.date)}`, "day", dayName(message.date)));
      if (isUnread) wanted.push(this.#divider("unread", "unread-line", "New messages"));
      const place = {
        isFirst: isNewDay || isUnread || !isOneGroup(before, message),
        isLast: !isOneGroup(message, messages[at + 1]),
        isNewest: message === newestOwn,
        isHeld: message === newestOwn && message.status === "sending" && !this.#actions.isOnline(),
      };
      const row = this.#row(message, name, place);
      row.toggleAttribute("data-far", at < messages.length - FAR);
      wanted.push(row);
    });
    this.#arrange(wanted);
  }

  #row(message, name, place) {
    const row = this.#rows.get(message) ?? h("li");
    this.#rows.set(message, row);
    // Of what others wrote it does not show whether it has been read. A row that is drawn anew loses focus and selection.
    const state = `${message.own && message.status} ${message.date} ${message.reason ?? ""} ${Object.values(place)}`;
    if (row.dataset.state !== state) {
      row.dataset.state = state;
      fillRow(row, message, name, place, this.#actions);
    }
    return row;
  }

  #divider(key, kind, text) {
    const row = this.#rows.get(key) ?? h("li", { class: kind });
    this.#rows.set(key, row);
    setText(row, text);
    return row;
  }

  /** Elements that stand right are not touched: focus and selection stay. */
  #arrange(wanted) {
    const kept = new Set(wanted);
    for (const child of [...this.#list.children]) {
      if (!kept.has(child)) child.remove();
    }
    let at = this.#list.firstChild;
    for (const row of wanted) {
      if (row === at) at = at.nextSibling;
      else this.#list.insertBefore(row, at);
    }
  }
}

function isOneGroup(one, other) {
  if (!one || !other) return false;
  return one.from === other.from && dayOf(one.date) === dayOf(other.date) && Math.abs(other.date - one.date) < GROUP;
}

function beginning(name) {
  const about = isRoom(name) ? "All who are in this room read what you write here." : `If ${shown(name)} is away, your messages wait.`;
  return h("div", { class: "beginning" }, avatar(name), h("strong", {}, shown(name)), about);
}
