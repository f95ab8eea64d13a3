// One conversation that is open: its head, its log, its composer.
import { avatar, presenceWord, showPresence } from "./avatar.js";
import { composer } from "./composer.js";
import { h, icon, iconButton, setText } from "./dom.js";
import { Log } from "./log.js";
import { isRoom, shown } from "./names.js";
import { announceMessage } from "./notes.js";

/** ms after which history that could not be had is asked for again. */
const AGAIN = 5000;
/** Letters of a new message that are read out; the rest is in the log. */
const SAID = 400;

export class Chat {
  element;
  #session;
  #conversation;
  #log;
  #picture;
  #about = h("p", { id: "chat-about" });
  #toEnd;
  #missed = h("span", { class: "badge" });
  #below = 0;
  #isLoading = false;
  #isAskedAgain = false;
  #isOlderWanted = false;
  #isLoaded = false;
  #again;

  /** `leave`: goes back to the list; `remove`: takes the conversation off it. */
  constructor(session, conversation, { leave, remove }) {
    this.#session = session;
    this.#conversation = conversation;
    const { name } = conversation;
    this.#log = new Log(conversation, {
      // Either takes away the button that had the focus.
      retry: (id) => {
        session.retry(name, id);
        this.update();
        this.focus();
      },
      discard: (id) => {
        session.discard(name, id);
        this.update();
        this.focus();
      },
      older: () => this.#older(),
      isOnline: () => session.state === "online",
      onScroll: () => this.#showBelow(),
    });
    this.#picture = avatar(name, isRoom(name) ? null : "unknown");
    this.#toEnd = h("button", { class: "to-end", type: "button", hidden: true, "aria-label": "To the latest message" }, icon("down"), this.#missed);
    this.#toEnd.addEventListener("click", () => this.#log.toEnd());
    const form = composer(name, (text) => this.#send(text));
    this.element = h("section", { class: "conversation", "aria-labelledby": "chat-name" }, this.#head(leave, remove), this.#log.element, form, this.#toEnd);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) leave();
    });
    this.showPresence();
  }

  get conversation() {
    return this.#conversation;
  }

  get name() {
    return this.#conversation.name;
  }

  /** Shows what is here, and fetches what is missing; once the element is on the page. */
  async open() {
    if (this.#conversation.older !== undefined) this.#loaded();
    else this.#log.update();
    await this.#load();
  }

  /** The connection is back: what could not be fetched is, now. */
  async resume() {
    if (this.#conversation.older === undefined) await this.#load();
    else this.update();
  }

  /** To where one writes; on a phone that would bring up its keyboard before anything was read. */
  focus() {
    const isPhone = matchMedia("(pointer: coarse)").matches;
    this.element.querySelector(isPhone ? "h2" : "textarea").focus({ preventScroll: true });
  }

  /** Something of the conversation has changed. */
  update() {
    this.#log.update();
    this.#markRead();
    this.#showBelow();
  }

  /** A message has just come. */
  arrived(message) {
    if (!this.isWatched() && !message.own) {
      // All before it has been read: the line goes to where the new ones begin.
      if (this.#isLoaded && this.#conversation.unread === 1) this.#log.forgetUnread();
      this.#log.markUnreadFrom(message);
    }
    if (!this.#log.isAtEnd) this.#below += 1;
    if (!message.own) announceMessage(`${shown(message.from)}: ${message.text.slice(0, SAID)}`);
  }

  /** Somebody looks at the page again. */
  watched() {
    this.#markRead();
  }

  isWatched() {
    // It may have been closed while its history was on the way.
    return this.element.isConnected && document.visibilityState === "visible" && document.hasFocus();
  }

  showPresence() {
    const presence = this.#session.presenceOf(this.name);
    showPresence(this.#picture, presence);
    setText(this.#about, isRoom(this.name) ? "Room" : presenceWord(presence));
    if (presence === "away") this.#about.append(h("span", { class: "about-more" }, ". Gets your messages later"));
  }

  #head(leave, remove) {
    const isOfRoom = isRoom(this.name);
    const later = { "aria-disabled": "true", "data-tip": "Calls will come later" };
    const tools = h("div", { class: "chat-tools" },
      !isOfRoom && iconButton("phone", "Call (comes later)", later),
      !isOfRoom && iconButton("video", "Video call (comes later)", later),
      iconButton(isOfRoom ? "leave" : "remove", isOfRoom ? "Leave the room" : "Remove from the list", { id: "chat-remove", onclick: remove }));
    return h("header", { class: "chat-head" },
      iconButton("back", "Back to the list", { class: "back", "data-tip": null, onclick: leave }),
      this.#picture,
      h("div", { class: "chat-title" }, h("h2", { id: "chat-name", tabindex: "-1" }, shown(this.name)), this.#about),
      tools);
  }

  async #load() {
    if (!this.#session.isReady) return;
    this.#isAskedAgain = this.#isLoading;
    if (this.#isLoading) return;
    this.#isLoading = true;
    do {
      this.#isAskedAgain = false;
      await this.#session.catchUp(this.#conversation);
      // The connection may have been lost and be back meanwhile.
    } while (this.#isAskedAgain && this.#conversation.older === undefined);
    this.#isLoading = false;
    // Without its history it works all the same: the server's store may be out of order, and messages go on.
    if (!this.#isLoaded) this.#loaded();
    else this.update();
    clearTimeout(this.#again);
    if (this.#conversation.older === undefined && this.element.isConnected) this.#again = setTimeout(() => this.#loadAgain(), AGAIN);
    else if (this.#isOlderWanted) this.#older();
  }

  /** If it is still shown, and its history still missing. */
  async #loadAgain() {
    if (this.#conversation.older === undefined && this.element.isConnected) await this.#load();
  }

  #loaded() {
    this.#isLoaded = true;
    this.#log.loaded();
    this.update();
  }

  async #older() {
    const { older } = this.#conversation;
    if (older === null || !this.#session.isReady) return;
    this.#isOlderWanted = this.#isLoading && older !== undefined;
    if (this.#isLoading) return;
    this.#isLoading = true;
    await this.#session.loadOlder(this.#conversation);
    this.#isLoading = false;
    this.#isOlderWanted = false;
    // The connection may have been lost and be back meanwhile.
    if (this.#isAskedAgain) await this.#loadAgain();
  }

  #send(text) {
    this.#log.forgetUnread();
    this.#session.send(this.name, text);
    // At once: whoever writes wants to see it.
    this.#log.update();
    this.#log.toEnd();
  }

  #markRead() {
    if (this.#isLoaded && this.isWatched()) this.#session.markRead(this.#conversation);
  }

  #showBelow() {
    if (this.#log.isAtEnd) this.#below = 0;
    this.#toEnd.hidden = this.#log.isAtEnd;
    setText(this.#missed, this.#below > 0 ? String(this.#below) : "");
  }
}
