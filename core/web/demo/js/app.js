// The app of somebody who is signed in: the list, the open conversation, the banner.
import { avatar } from "./avatar.js";
import { Banner } from "./banner.js";
import { Chat } from "./chat.js";
import { ask, askForName, dismissAll } from "./dialogs.js";
import { byId } from "./dom.js";
import { isRoom, shown } from "./names.js";
import { announce, announceMessage, forgetNotes, note } from "./notes.js";
import { paced } from "./paced.js";
import { Sidebar } from "./sidebar.js";
import { ofTab } from "./storage.js";

export class App {
  #session;
  #sidebar;
  #banner;
  #chat = null;
  #ended = new AbortController();
  #offs = [];
  #isChatOld = false;

  /** `signOut` is called when the user wants to; `replaced` when the same device has signed in elsewhere. */
  constructor(session, { signOut, replaced }) {
    this.#session = session;
    this.#sidebar = new Sidebar(session);
    this.#banner = new Banner(() => session.retryNow(), () => this.#refocus());
    this.#showMe();
    this.#wire(signOut);
    const on = (event, handler) => this.#offs.push(session.events.on(event, handler));
    const changed = paced(() => this.#changed());
    on("list", changed);
    on("messages", (conversation) => {
      if (this.#of(conversation.name)) this.#isChatOld = true;
      changed();
    });
    on("arrived", (conversation, message) => this.#arrived(conversation, message));
    on("presence", (user) => this.#showPresence(user));
    on("trouble", note);
    on("failed", (conversation, reason) => announce(`Your message to ${shown(conversation.name)} could not be sent: ${reason}`));
    on("ready", () => this.#chat?.resume());
    on("state", (state, cause) => {
      this.#banner.show(state);
      this.#chat?.update();
      if (cause?.name === "ReplacedError") replaced();
    });
    this.#banner.show(session.state);
    byId("app").hidden = false;
    this.#route();
    this.#showList();
  }

  end() {
    this.#ended.abort();
    for (const off of this.#offs) off();
    byId("app").hidden = true;
    this.#show(null);
    dismissAll();
    forgetNotes();
    document.title = "rtcd";
  }

  #showMe() {
    const { user, presence } = this.#session;
    const picture = avatar(user);
    picture.id = "me-avatar";
    byId("me-avatar").replaceWith(picture);
    byId("me-name").textContent = shown(user);
    byId("me-status").value = presence;
  }

  #wire(signOut) {
    const { signal } = this.#ended;
    const click = (id, handler) => byId(id).addEventListener("click", handler, { signal });
    for (const id of ["add-person", "add-first-person", "nothing-person"]) click(id, () => this.#add("person"));
    for (const id of ["add-room", "add-first-room", "nothing-room"]) click(id, () => this.#add("room"));
    click("signout", signOut);
    click("lists", (event) => this.#follow(event));
    click("skip", (event) => {
      event.preventDefault();
      if (this.#chat) this.#chat.focus();
      else byId("nothing-person").focus();
    });
    byId("me-status").addEventListener("change", (event) => this.#setPresence(event.target.value), { signal });
    addEventListener("hashchange", () => this.#route(), { signal });
    addEventListener("focus", () => this.#chat?.watched(), { signal });
    document.addEventListener("visibilitychange", () => this.#chat?.watched(), { signal });
  }

  #setPresence(presence) {
    ofTab.write("presence", presence);
    this.#session.setPresence(presence);
  }

  async #add(kind) {
    const name = await askForName(kind, (wanted) => (wanted === this.#session.user ? "That is you." : null));
    if (!name) return;
    this.#session.begin(name);
    location.hash = encodeURIComponent(name);
    this.#route();
  }

  /** A link of the list. It opens here, not with the event that the browser has for it later: what is typed meanwhile would go nowhere. */
  #follow(event) {
    const link = event.target.closest("a[href]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain) return;
    event.preventDefault();
    location.hash = link.hash;
    this.#route();
  }

  async #remove(name) {
    const question = isRoom(name)
      ? { title: `Leave ${shown(name)}?`, lead: "You get no more of its messages until you join again.", yes: "Leave" }
      : { title: `Remove ${shown(name)}?`, lead: "Your conversation is kept, and is back with the next message.", yes: "Remove" };
    if (!(await ask(question))) return;
    this.#leave();
    await this.#session.forget(name);
  }

  /** What had the focus is gone. */
  #refocus() {
    if (this.#chat) this.#chat.focus();
    else this.#sidebar.focus();
  }

  /** What the address says is open. So the browser's own "back" leads to the list on a phone. */
  #route() {
    const conversation = this.#session.conversations.get(nameOfHash()) ?? null;
    if (conversation !== (this.#chat?.conversation ?? null)) this.#show(conversation);
  }

  #show(conversation) {
    byId("app").dataset.view = conversation ? "chat" : "list";
    byId("nothing").hidden = conversation !== null;
    this.#chat?.element.remove();
    this.#chat = null;
    this.#sidebar.select(conversation?.name ?? null);
    if (!conversation) return;
    const { name } = conversation;
    this.#chat = new Chat(this.#session, conversation, { leave: () => this.#leave(), remove: () => this.#remove(name) });
    byId("chat").append(this.#chat.element);
    this.#chat.open();
    this.#chat.focus();
  }

  /** Back to the list, with the focus where it came from. */
  #leave() {
    const name = this.#chat?.name;
    // Not one more step that leads back to here.
    history.replaceState(null, "", location.pathname);
    this.#show(null);
    byId("lists").querySelector(`[data-name="${CSS.escape(name)}"] a`)?.focus();
  }

  #of(name) {
    return this.#chat?.name === name ? this.#chat : null;
  }

  #arrived(conversation, message) {
    const chat = this.#of(conversation.name);
    if (chat) chat.arrived(message);
    else if (!message.own) announceMessage(`New message from ${shown(message.from)}${isRoom(conversation.name) ? ` in ${shown(conversation.name)}` : ""}`);
  }

  #changed() {
    if (this.#ended.signal.aborted) return;
    // First: what it shows is read, and counts no more.
    if (this.#isChatOld) this.#chat?.update();
    this.#isChatOld = false;
    this.#showList();
  }

  #showList() {
    // In another tab it was taken off the list; or the address names one that has just come onto it, or has come back.
    if (this.#chat && !this.#session.conversations.has(this.#chat.name)) this.#leave();
    else this.#route();
    this.#sidebar.update();
    let unread = 0;
    for (const conversation of this.#session.conversations.values()) unread += conversation.unread;
    document.title = unread > 0 ? `(${unread}) rtcd` : "rtcd";
  }

  #showPresence(user) {
    this.#sidebar.update();
    this.#of(user)?.showPresence();
  }
}

function nameOfHash() {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null;
  }
}
