// One user who is signed in: the connection, the conversations, who is there. The views ask it and hear its events:
// `state`, `ready`, `list` (a conversation came, went or changed), `messages(conversation)`, `presence(user)`, `trouble(text)`, `arrived(conversation, message)`,
// `failed(conversation, reason)`.
import { Client } from "/client/rtcd-client.js";
import { Conversation, isPending } from "./conversation.js";
import { explain } from "./errors.js";
import { Events } from "./events.js";
import { History } from "./history.js";
import { fromLive } from "./messages.js";
import { isRoom } from "./names.js";
import { Outbox } from "./outbox.js";
import { Roster } from "./roster.js";

/** Ids in one receipt: the server takes a thousand. */
const RECEIPT = 500;
/** People whose presence is watched without their conversation having been opened: whoever writes comes onto the list. */
const WATCHED = 300;
/** ms after which it is tried again to make this user known. */
const AGAIN = 5000;
const scheme = location.protocol === "https:" ? "wss" : "ws";

export class Session {
  /** Name → Conversation. */
  conversations = new Map();
  events = new Events();
  #client;
  #roster;
  #outbox;
  #history;
  #presences = new Map();
  /** Name → promise: presence is watched, or the room is joined. */
  #followed = new Map();
  #presence;
  /** What the server was told last. */
  #toldPresence = null;
  #isKnown = false;
  #stopped = new AbortController();

  constructor(user, device, presence) {
    this.user = user;
    this.#presence = presence;
    this.#roster = new Roster(user);
    this.#client = new Client({ url: `${scheme}://${location.host}/rtc`, user, device });
    this.#history = new History(this.#client, user, this.#roster);
    this.#outbox = new Outbox(user, (item) => this.#transmit(item), (...fate) => this.#settle(...fate));
    this.#outbox.isConnected = () => this.state === "online";
    for (const [name, { since }] of this.#roster.shown()) this.conversations.set(name, new Conversation(name, since));
    for (const item of this.#outbox.items()) this.#show(item);
    this.#listen();
  }

  get state() {
    return this.#client.state;
  }

  /** Whether the server can be asked for what it keeps for this user. */
  get isReady() {
    return this.#isKnown && this.state === "online";
  }

  get presence() {
    return this.#presence;
  }

  /** Connects, for `timeout` ms, and makes this user known. */
  async start(timeout) {
    await this.#client.connect({ timeout });
    await this.#enter();
  }

  /** The same, for as long as it takes. */
  async keepTrying() {
    while (!this.#stopped.signal.aborted) {
      try {
        return await this.start(Infinity);
      } catch (error) {
        // Replaced by another tab: the app hears of that.
        if (error.name === "ClosedError" || error.name === "ReplacedError") return;
        this.events.emit("trouble", explain(error));
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }

  async stop() {
    this.#stopped.abort();
    await this.#client.close();
  }

  retryNow() {
    this.#client.retry();
  }

  presenceOf(name) {
    return this.#presences.get(name) ?? "unknown";
  }

  async setPresence(presence) {
    this.#presence = presence;
    await this.#try(() => this.#tellPresence());
  }

  /** How many messages wait to be sent. */
  get unsent() {
    return this.#outbox.items().length;
  }

  forgetUnsent() {
    for (const { id } of this.#outbox.items()) this.#outbox.drop(id);
  }

  /** The conversation of a name; it comes into the list if it was not there. */
  begin(name) {
    const known = this.conversations.get(name);
    if (known) return known;
    const conversation = new Conversation(name, Date.now());
    this.conversations.set(name, conversation);
    this.#roster.add(name, conversation.since);
    this.events.emit("list");
    if (this.isReady) this.#followFew(name);
    return conversation;
  }

  /** Out of the list. A room is left; a person may write again, and is back then. */
  async forget(name) {
    // With the last message's date, which is the server's: this clock may be wrong.
    const last = this.conversations.get(name)?.last;
    this.#roster.hide(name, last && !isPending(last) ? last.date : Date.now());
    await this.#remove(name);
  }

  async #remove(name) {
    this.conversations.delete(name);
    this.events.emit("list");
    const followed = this.#followed.get(name);
    this.#followed.delete(name);
    if (isRoom(name)) await this.#try(() => this.#client.room(name).leave());
    else await this.#try(async () => (await followed)?.unsubscribe());
  }

  send(name, text) {
    const item = { id: crypto.getRandomValues(new Uint32Array(4)).join("-"), to: name, text, date: Date.now() };
    this.begin(name);
    this.#show(item);
    this.#outbox.put(item);
    this.#changed(this.conversations.get(name));
  }

  retry(name, id) {
    this.conversations.get(name)?.reset(id, "sending");
    this.#changed(this.conversations.get(name));
    this.#outbox.retry(id);
  }

  discard(name, id) {
    this.#outbox.drop(id);
    this.conversations.get(name)?.drop(id);
    this.#changed(this.conversations.get(name));
  }

  /** Everything that is here of a conversation has been seen. */
  markRead(conversation) {
    const unread = conversation.unreadMessages();
    if (unread.length === 0) return;
    for (const message of unread) conversation.markRead(message);
    if (isRoom(conversation.name)) this.#roster.setReadUntil(conversation.name, unread.at(-1).date);
    else {
      for (let at = 0; at < unread.length; at += RECEIPT) this.#tellRead(conversation, unread.slice(at, at + RECEIPT));
    }
    this.events.emit("list");
  }

  /** If the other one cannot be told now, the next look at the conversation does it. */
  #tellRead(conversation, messages) {
    const ids = messages.map(({ id }) => id);
    this.#client.markRead(conversation.name, ids).catch(() => messages.forEach((message) => conversation.markUnread(message)));
  }

  /** Brings a conversation up to date, or gets its latest pages, with all that is unread, if none is there. */
  async catchUp(conversation, unread = 0) {
    // Where it fails, the conversation itself says that something is missing.
    try {
      const followed = this.#follow(conversation.name);
      if (isRoom(conversation.name)) await followed;
      await this.#history.catchUp(conversation, unread);
    } catch {
      // The view sees that there is no history.
    }
    this.#changed(conversation);
  }

  /** One more page of what is older. */
  async loadOlder(conversation) {
    await this.#try(() => this.#history.older(conversation));
    this.#changed(conversation);
  }

  #listen() {
    const client = this.#client;
    client.on("state", (state, cause) => {
      if (state === "online" && this.#isKnown) this.#resume();
      this.events.emit("state", state, cause);
    });
    client.on("message", (message) => this.#arrived(message));
    client.on("receipt", ({ conversation: name, own, delivered, read }) => {
      const conversation = this.conversations.get(name);
      if (!conversation) return;
      if (own) {
        conversation.markReadElsewhere(read);
        this.#changed(conversation);
        return;
      }
      for (const id of delivered) conversation.settle(id, "delivered");
      for (const id of read) conversation.settle(id, "read");
      this.#changed(conversation);
    });
    client.on("presence", ({ user, state }) => {
      this.#presences.set(user, state);
      this.events.emit("presence", user);
    });
    client.on("error", (error) => console.warn(error));
    const onStorage = ({ key }) => this.#roster.isOf(key) && this.#rosterChanged();
    addEventListener("storage", onStorage, { signal: this.#stopped.signal });
  }

  /** Another tab of this user has added, removed or read something. */
  #rosterChanged() {
    this.#roster.readAgain();
    const shown = new Set(this.#roster.shown().map(([name]) => name));
    for (const name of shown) this.begin(name);
    for (const conversation of [...this.conversations.values()]) {
      if (!shown.has(conversation.name)) this.#remove(conversation.name);
      else if (isRoom(conversation.name)) conversation.markReadUntil(this.#roster.readUntil(conversation.name));
    }
    this.events.emit("list");
  }

  async #tellPresence() {
    const presence = this.#presence;
    await this.#client.register({ presence });
    this.#toldPresence = presence;
  }

  async #enter() {
    await this.#tellPresence();
    this.#isKnown = true;
    this.#resume();
  }

  /** At first, and after each loss. The library registers and subscribes anew by itself; what was missed comes from history. */
  async #resume() {
    this.events.emit("ready");
    this.#outbox.flush();
    // It was chosen while the connection was lost.
    if (this.#toldPresence !== this.#presence) this.setPresence(this.#presence);
    for (const name of this.conversations.keys()) {
      // A membership may have ended meanwhile, and history is for members: this waits until there is one again.
      if (isRoom(name)) this.#followed.delete(name);
      this.#followFew(name);
    }
    try {
      await this.#refresh();
    } catch {
      if (this.state === "online") this.events.emit("trouble", "Earlier conversations cannot be shown right now.");
    }
    this.events.emit("list");
  }

  async #refresh() {
    const unread = new Map();
    for (const summary of await this.#history.summaries()) {
      if (this.#roster.isHidden(summary.with, summary.message?.date ?? 0)) continue;
      const conversation = this.begin(summary.with);
      if (summary.message) conversation.add(summary.message);
      unread.set(conversation, summary.unread);
      this.events.emit("list");
    }
    for (const conversation of this.conversations.values()) {
      const missing = (unread.get(conversation) ?? 0) - conversation.unread;
      // One that was never opened waits until it is, unless it has something new; of rooms nobody else knows whether they have.
      const isWanted = conversation.older !== undefined || missing > 0 || isRoom(conversation.name);
      if (isWanted) await this.catchUp(conversation, unread.get(conversation));
    }
  }

  /** A room always; of people not all, if there are very many. */
  #followFew(name) {
    if (isRoom(name) || this.#followed.size < WATCHED) this.#follow(name);
  }

  /** Hears of a person's presence; is a member of a room. Tries anew if it failed. */
  #follow(name) {
    const known = this.#followed.get(name);
    if (known) return known;
    const begun = isRoom(name) ? this.#client.room(name).join(this.user) : this.#client.subscribePresence(name);
    this.#followed.set(name, begun);
    begun.catch((error) => {
      this.#followed.delete(name);
      if (isRoom(name) && this.state === "online") this.events.emit("trouble", explain(error));
    });
    return begun;
  }

  #arrived(live) {
    const conversation = this.begin(live.conversation);
    const message = fromLive(live);
    if (!conversation.add(message)) return;
    this.events.emit("arrived", conversation, message);
    this.#changed(conversation);
  }

  #show({ id, to, text, date, failed }) {
    const conversation = this.begin(to);
    conversation.add({ id, from: this.user, date, text, own: true, status: failed ? "failed" : "sending", seq: null, reason: "" });
  }

  async #transmit({ id, to, text }) {
    if (!isRoom(to)) {
      const { status, date } = await this.#client.message(to, text, { id });
      return { status: status === "delivered" ? "delivered" : "sent", date };
    }
    // Only members are heard.
    await this.#follow(to);
    const { date } = await this.#client.room(to).send(text, { id });
    return { status: "sent", date };
  }

  #settle({ id, to }, status, detail) {
    const conversation = this.conversations.get(to);
    if (!conversation) return;
    if (status === "failed") {
      conversation.reset(id, "failed", detail);
      this.events.emit("failed", conversation, detail);
    } else conversation.settle(id, status, detail ? new Date(detail).getTime() : null);
    this.#changed(conversation);
  }

  #changed(conversation) {
    if (!conversation) return;
    this.events.emit("messages", conversation);
    this.events.emit("list");
  }

  async #try(work) {
    try {
      return (await work()) ?? true;
    } catch (error) {
      if (this.state === "online") this.events.emit("trouble", explain(error));
      return false;
    }
  }
}

