// The two lists: people and rooms, the latest conversation first.
import { avatar, presenceWord, showPresence } from "./avatar.js";
import { shortWhen } from "./dates.js";
import { byId, h, setText } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { tick } from "./ticks.js";

export class Sidebar {
  #session;
  #entries = new Map();
  #current = null;

  constructor(session) {
    this.#session = session;
    byId("lists").onkeydown = moveByArrow;
    byId("people").replaceChildren();
    byId("rooms").replaceChildren();
    this.update();
  }

  /** Marks the conversation that is open, or none. */
  select(name) {
    this.#current = name;
    for (const [of, entry] of this.#entries) markCurrent(entry, of === name);
  }

  /** Shows what there is now. Elements stay: the focus does, too. */
  update() {
    const all = [...this.#session.conversations.values()].sort(byLatest);
    let hadFocus = false;
    for (const [name, entry] of this.#entries) {
      if (!this.#session.conversations.has(name)) {
        hadFocus ||= entry.item.contains(document.activeElement);
        entry.item.remove();
        this.#entries.delete(name);
      }
    }
    this.#fill(byId("people"), all.filter((conversation) => !isRoom(conversation.name)));
    this.#fill(byId("rooms"), all.filter((conversation) => isRoom(conversation.name)));
    byId("people-empty").hidden = byId("people").childElementCount > 0;
    byId("rooms-empty").hidden = byId("rooms").childElementCount > 0;
    if (hadFocus) this.focus();
  }

  /** To the first conversation, or to where one begins. */
  focus() {
    (byId("lists").querySelector(".entry a") ?? byId("add-person")).focus();
  }

  #fill(list, conversations) {
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    conversations.forEach((conversation, at) => {
      const entry = this.#entries.get(conversation.name) ?? this.#make(conversation.name);
      this.#show(entry, conversation);
      if (list.children[at] !== entry.item) list.insertBefore(entry.item, list.children[at] ?? null);
    });
    // To move an element takes its focus away.
    if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  #make(name) {
    const entry = {
      picture: avatar(name, isRoom(name) ? null : "unknown"),
      name: h("span", { class: "entry-name" }, shown(name)),
      presence: h("span", { class: "heard" }),
      when: h("span", { class: "entry-when" }),
      last: h("span", { class: "entry-last" }),
      count: h("span"),
      state: "",
    };
    entry.badge = h("span", { class: "badge", hidden: true }, entry.count, h("span", { class: "heard" }, " unread"));
    entry.link = h("a", { href: `#${encodeURIComponent(name)}` }, entry.picture, entry.name, entry.presence, entry.when, entry.last, entry.badge);
    entry.item = h("li", { class: "entry", "data-name": name }, entry.link);
    markCurrent(entry, name === this.#current);
    this.#entries.set(name, entry);
    return entry;
  }

  #show(entry, conversation) {
    const presence = this.#session.presenceOf(conversation.name);
    showPresence(entry.picture, presence);
    setText(entry.presence, isRoom(conversation.name) ? "" : presenceWord(presence));
    const last = conversation.last;
    setText(entry.when, last ? shortWhen(last.date) : "");
    const state = last ? `${last.from} ${last.id} ${last.status}` : presence;
    if (entry.state !== state) {
      entry.state = state;
      entry.last.replaceChildren(...preview(conversation, presence));
    }
    const unread = conversation.unread;
    entry.item.classList.toggle("unread", unread > 0);
    entry.badge.hidden = unread === 0;
    setText(entry.count, unread > 99 ? "99+" : String(unread));
  }
}

function preview({ name, last }, presence) {
  if (!last) return [h("span", { class: "entry-text" }, isRoom(name) ? "No messages yet" : presenceWord(presence))];
  const parts = last.own ? [tick(last.status)] : [];
  const author = isRoom(name) ? `${last.own ? "You" : shown(last.from)}: ` : "";
  parts.push(h("span", { class: "entry-text" }, author + last.text.replace(/\s+/g, " ").slice(0, 120)));
  return parts;
}

function byLatest(one, other) {
  const [first, second] = [one.last?.date ?? one.since, other.last?.date ?? other.since];
  return second - first || (one.name < other.name ? -1 : 1);
}

function markCurrent(entry, isCurrent) {
  if (isCurrent) entry.link.setAttribute("aria-current", "page");
  else entry.link.removeAttribute("aria-current");
}

/** Up and down, to the first and to the last, over both lists. */
function moveByArrow(event) {
  const links = [...byId("lists").querySelectorAll(".entry a")];
  const at = links.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (at < 0 || to === undefined || !links[to]) return;
  event.preventDefault();
  links[to].focus();
}
