// One user who is signed in: the connection, the conversations, who is there. The views ask it and hear its events:
// `state`, `ready`, `list` (a conversation came, went or changed), `messages(conversation)`, `presence(user)`, `trouble(text)`, `arrived(conversation, message)`,
// `failed(conversation, reason)`.
import { Client } from "/client/rtcd-client.js";
import { Conversation, isPending } from "./conversation.js";
import { explain, isForNow } from "./errors.js";
import { Events } from "./events.js";
import { Followed } from "./followed.js";
import { History } from "./history.js";
import { fromLive } from "./messages.js";
import { isRoom } from "./names.js";
import { Outbox } from "./outbox.js";
import { Roster } from "./roster.js";

/** Ids in one receipt: the server takes a thousand. */
const RECEIPT = 500;
/** ms after which what the server could not do is tried again. */
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
  #followed;
  #presence;
  /** What the server was told last. */
  #toldPresence = null;
  #isKnown = false;
  /** A new object each time that the connection is made. */
  #connection = null;
  /** Promise: name → how many were unread there when the connection was made; null if the server cannot say. */
  #unread = null;
  #stopped = new AbortController();

  constructor(user, device, presence) {
    this.user = user;
    this.#presence = presence;
    this.#roster = new Roster(user);
    this.#client = new Client({ url: `${scheme}://${location.host}/rtc`, user, device });
    this.#followed = new Followed(this.#client, (name) => this.isReady && this.conversations.has(name), (error) => this.#tellTrouble(error));
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
    if (this.isReady) this.#followed.addFew(name);
    return conversation;
  }

  /** Out of the list. A room is left; a person may write again, and is back then. */
  async forget(name) {
    // With the date of the last message that the server has: this clock may be wrong.
    const last = this.conversations.get(name)?.messages.findLast((message) => !isPending(message));
    this.#roster.hide(name, last?.date ?? Date.now());
    await this.#remove(name);
  }

  async #remove(name) {
    this.conversations.delete(name);
    // Only members are heard: to send it, this user would have to come back.
    if (isRoom(name)) for (const { id, to } of this.#outbox.items()) if (to === name) this.#outbox.drop(id);
    this.events.emit("list");
    await this.#try(() => this.#followed.remove(name));
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

  /**
   * Brings a conversation up to date, or gets its latest pages, with all that is unread, if none is there. Gives false if there is more to
   * be had a little later.
   */
  async catchUp(conversation) {
    const { name } = conversation;
    // Off the list: a room would be joined again.
    if (this.conversations.get(name) !== conversation) return true;
    try {
      const followed = this.#followed.add(name);
      if (isRoom(name)) await followed;
      await this.#history.catchUp(conversation);
      this.#changed(conversation);
      const unread = await this.#unread;
      if (unread) await this.#history.unread(conversation, unread.get(name) ?? 0);
      return unread !== null;
    } catch (error) {
      // The view sees it if there is no history at all.
      return !isForNow(error);
    } finally {
      this.#changed(conversation);
    }
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
    for (const [name] of this.#roster.shown()) this.begin(name);
    for (const conversation of [...this.conversations.values()]) {
      if (this.#roster.isRemoved(conversation.name)) this.#remove(conversation.name);
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
  #resume() {
    this.#followed.onConnected();
    this.#refresh();
    this.events.emit("ready");
    this.#outbox.flush();
    // It was chosen while the connection was lost.
    if (this.#toldPresence !== this.#presence) this.setPresence(this.#presence);
    for (const name of this.conversations.keys()) this.#followed.addFew(name);
  }

  /** Until all that was missed is here, or the connection is another one. */
  async #refresh() {
    const connection = (this.#connection = {});
    const isOver = () => this.#connection !== connection || !this.isReady;
    let behind = null;
    for (let isFirst = true; ; isFirst = false) {
      behind ??= await this.#askAll(isFirst);
      for (const conversation of behind ?? []) {
        if (await this.catchUp(conversation)) behind.delete(conversation);
        if (isOver()) return;
      }
      if (behind?.size === 0) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
      if (isOver()) return;
    }
  }

  /** Gives the conversations that are to be brought up to date, or null if the server may say it a little later. */
  async #askAll(isFirst) {
    const asked = this.#history.summaries().catch((error) => {
      if (isFirst && this.state === "online") this.events.emit("trouble", "Earlier conversations cannot be shown right now.");
      return isForNow(error) ? null : [];
    });
    this.#unread = asked.then((summaries) => summaries && new Map(summaries.map(({ with: name, unread }) => [name, unread])));
    const summaries = await asked;
    if (!summaries) return null;
    const behind = new Set();
    for (const { with: name, message, unread } of summaries) {
      if (this.#roster.isHidden(name, message?.date ?? 0)) continue;
      const conversation = this.begin(name);
      if (message) conversation.add(message);
      // Read on another device, while this one was not there to hear of it.
      if (message && unread === 0 && !isRoom(name)) conversation.markReadUntil(message.date);
      if (unread > conversation.unread) behind.add(conversation);
    }
    // One that was never opened waits until it is, unless it has something new; of rooms nobody else knows whether they have.
    for (const conversation of this.conversations.values()) {
      if (conversation.older !== undefined || isRoom(conversation.name)) behind.add(conversation);
    }
    this.events.emit("list");
    return behind;
  }

  #arrived(live) {
    // What was under way when a room was left does not bring it back.
    if (isRoom(live.conversation) && !this.conversations.has(live.conversation)) return;
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
    await this.#followed.add(to);
    const { date } = await this.#client.room(to).send(text, { id });
    return { status: "sent", date };
  }

  #settle({ id, to }, status, detail) {
    const conversation = this.conversations.get(to);
    if (!conversation) return;
    if (status === "failed") {
      if (conversation.reset(id, "failed", detail)) this.events.emit("failed", conversation, detail);
    } else conversation.settle(id, status, detail ? new Date(detail).getTime() : null);
    this.#changed(conversation);
  }

  #changed(conversation) {
    if (!conversation) return;
    for (const { id, to, failed } of this.#outbox.items()) {
      const message = failed && to === conversation.name ? conversation.ownById(id) : null;
      // A receipt, or the history, says that the server has it, whatever it answered.
      if (message && !isPending(message)) this.#outbox.drop(id);
    }
    this.events.emit("messages", conversation);
    this.events.emit("list");
  }

  async #try(work) {
    try {
      return (await work()) ?? true;
    } catch (error) {
      this.#tellTrouble(error);
      return false;
    }
  }

  /** Of a lost connection the page tells by itself. */
  #tellTrouble(error) {
    if (this.state === "online") this.events.emit("trouble", explain(error));
  }
}

