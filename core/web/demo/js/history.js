// What the server keeps, in pages.
import { fromHistory } from "./messages.js";

/** The server's own limit may be lower: what tells that there is more is `next`. */
const PAGE = 50;
/** So much is fetched at once, and some more: whoever missed more messages begins anew with the latest page. */
const MOST = 1000;

export class History {
  #client;
  #user;
  #roster;

  constructor(client, user, roster) {
    this.#client = client;
    this.#user = user;
    this.#roster = roster;
  }

  /** All conversations with their last message and the number of unread ones, at most some hundreds. */
  async summaries() {
    const found = [];
    let before;
    while (found.length < MOST) {
      const { conversations, next } = await this.#client.conversations({ before, limit: PAGE });
      for (const { with: name, last, unread } of conversations) {
        found.push({ with: name, message: last ? this.#message(last, name) : null, unread });
      }
      if (next === null || conversations.length === 0) break;
      before = next;
    }
    return found;
  }

  /** What came since the newest that is here; the latest page, if nothing is here yet. */
  async catchUp(conversation) {
    if (conversation.older === undefined) await this.#latest(conversation);
    else await this.#newer(conversation);
  }

  /** Once, after it: all that is unread, so many as the server has said. It is to be seen, and then to be told as read. */
  async unread(conversation, number) {
    if (conversation.hasUnread) return;
    let missing = number - conversation.unread;
    for (let count = 0; missing > 0 && count < MOST && conversation.older !== null; ) {
      const messages = await this.older(conversation);
      missing -= messages.filter(({ status }) => status === "unread").length;
      count += messages.length || PAGE;
    }
    conversation.hasUnread = true;
  }

  /** The page before what is here; gives its messages. */
  async older(conversation) {
    if (conversation.older === null) return [];
    if (conversation.older === undefined) return this.#latest(conversation);
    const before = conversation.older;
    const { messages, next } = await this.#client.history(conversation.name, { before, limit: PAGE });
    // Somebody else may have asked for the same, and for more.
    if (conversation.older === before) conversation.older = next;
    return this.#take(conversation, messages);
  }

  async #latest(conversation) {
    const { messages, next } = await this.#client.history(conversation.name, { limit: PAGE });
    if (conversation.older === undefined) conversation.older = next;
    return this.#take(conversation, messages);
  }

  async #newer(conversation) {
    let after = conversation.newestSeq ?? 0;
    for (let count = 0; count < MOST; ) {
      const { messages, next } = await this.#client.history(conversation.name, { after, limit: PAGE });
      this.#take(conversation, messages);
      if (next === null) return;
      after = next;
      count += messages.length || PAGE;
    }
    conversation.startAnew();
    await this.#latest(conversation);
  }

  #take(conversation, messages) {
    return messages.map((stored) => {
      const message = this.#message(stored, conversation.name);
      conversation.add(message);
      conversation.newestSeq = Math.max(conversation.newestSeq ?? 0, stored.seq);
      return message;
    });
  }

  #message(stored, name) {
    return fromHistory(stored, name, this.#user, this.#roster.readUntil(name));
  }
}
