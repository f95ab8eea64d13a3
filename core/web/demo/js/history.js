// What the server keeps, in pages.
import { fromHistory } from "./messages.js";

const PAGE = 50;
/** Pages of one catching up: whoever missed more begins anew with the latest page. */
const PAGES = 20;

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
    for (let page = 0; page < PAGES; page += 1) {
      const { conversations, next } = await this.#client.conversations({ before, limit: PAGE });
      for (const { with: name, last, unread } of conversations) {
        found.push({ with: name, message: last ? this.#message(last, name) : null, unread });
      }
      if (next === null) break;
      before = next;
    }
    return found;
  }

  /** What came since the newest that is here; the latest page, if nothing is here yet. */
  async catchUp(conversation, unread) {
    if (conversation.older === undefined) return this.#latest(conversation, unread);
    for (let page = 0; page < PAGES; page += 1) {
      const { messages, next } = await this.#client.history(conversation.name, { after: conversation.newestSeq ?? 0, limit: PAGE });
      this.#take(conversation, messages);
      if (next === null) return;
    }
    conversation.startAnew();
    await this.#latest(conversation, unread);
  }

  /** The page before what is here. */
  async older(conversation) {
    if (conversation.older === null) return;
    if (conversation.older === undefined) return this.#latest(conversation, 0);
    const { messages, next } = await this.#client.history(conversation.name, { before: conversation.older, limit: PAGE });
    this.#take(conversation, messages);
    conversation.older = next;
  }

  async #latest(conversation, unread) {
    const { messages, next } = await this.#client.history(conversation.name, { limit: PAGE });
    this.#take(conversation, messages);
    conversation.older = next;
    // All that is unread is to be seen, and then to be told as read.
    for (let page = 0; page < PAGES && conversation.older !== null; page += 1) {
      if (conversation.unread >= unread) return;
      await this.older(conversation);
    }
  }

  #take(conversation, messages) {
    for (const stored of messages) {
      conversation.add(this.#message(stored, conversation.name));
      conversation.newestSeq = Math.max(conversation.newestSeq ?? 0, stored.seq);
    }
  }

  #message(stored, name) {
    return fromHistory(stored, name, this.#user, this.#roster.readUntil(name));
  }
}
