// One conversation: its messages, each once, in order. It knows nothing of the page and nothing of the wire.

/** What may become of a message that was sent, in the order in which it gets better. */
const FATES = ["failed", "sending", "sent", "delivered", "read"];

/**
 * A message: `{ id, from, date, text, own, status, seq }`. `date` in ms since 1970. `seq` is its place in the server's history, as far as
 * that is known. `status` of one's own is one of FATES; of another's it is "read" or "unread".
 */
export class Conversation {
  /** The other user, or `room:…`. */
  name;
  /** In order. What is not sent yet stands last. */
  messages = [];
  /** Where the next older page of history begins: undefined before the first page, null at its end. */
  older = undefined;
  /** The newest place in the history that is here with all before it, since the first page. */
  newestSeq = null;
  /** Whether all that the server said to be unread is here. */
  hasUnread = false;
  /** By what keyOf gives. */
  #byId = new Map();
  #unread = new Set();

  constructor(name, since = 0) {
    this.name = name;
    /** When it came into the list, in ms since 1970: where it stands there until something is said. */
    this.since = since;
  }

  get last() {
    return this.messages.at(-1) ?? null;
  }

  /** How many of the others' messages nobody has read here. */
  get unread() {
    return this.#unread.size;
  }

  /** A message of one's own. */
  ownById(id) {
    return this.#byId.get(ownKey(id)) ?? null;
  }

  /**
   * Takes a message in. One that is here already is the same message from another source, live and from history: what
   * is new about it is kept. Returns whether it was not here before.
   */
  add(message) {
    const key = keyOf(message);
    const known = this.#byId.get(key);
    if (!known) {
      this.#byId.set(key, message);
      if (message.status === "unread") this.#unread.add(message);
      this.#place(message);
      return true;
    }
    this.#improve(known, message.status);
    if (message.seq != null && (message.seq !== known.seq || message.date !== known.date)) {
      known.seq = message.seq;
      this.#move(known, message.date);
    }
    return false;
  }

  /** What became of a message of one's own. Fates come late and twice: it never gets worse, but for one that could not be sent. */
  settle(id, status, date = null) {
    const message = this.ownById(id);
    if (!message) return false;
    this.#improve(message, status);
    this.#move(message, date ?? message.date);
    return true;
  }

  /** A message of one's own goes out again, or will not. */
  reset(id, status, reason = "") {
    const message = this.ownById(id);
    if (!message || !isPending(message)) return false;
    message.status = status;
    message.reason = reason;
    this.#move(message, message.date);
    return true;
  }

  /** Takes out a message that was never sent. */
  drop(id) {
    const message = this.ownById(id);
    if (!message) return;
    this.#byId.delete(ownKey(id));
    this.messages.splice(this.messages.indexOf(message), 1);
  }

  /** The other one's messages of these ids have been read, on another device. */
  markReadElsewhere(ids) {
    for (const id of ids) {
      const message = this.#byId.get(keyOf({ own: false, from: this.name, id }));
      if (message) this.markRead(message);
    }
  }

  /** All that is not later has been read, in another tab. */
  markReadUntil(date) {
    for (const message of this.#unread) {
      if (message.date <= date) this.markRead(message);
    }
  }

  /** Forgets all that the server has: there is more between this and the latest page than can be fetched. */
  startAnew() {
    this.messages = this.messages.filter(isPending);
    this.#byId = new Map(this.messages.map((message) => [keyOf(message), message]));
    this.#unread.clear();
    this.older = undefined;
    this.newestSeq = null;
    this.hasUnread = false;
  }

  /** What the others wrote and nobody has read here. */
  unreadMessages() {
    return this.messages.filter((message) => this.#unread.has(message));
  }

  /** It has been read here. */
  markRead(message) {
    if (this.#unread.delete(message)) message.status = "read";
  }

  /** It has not, after all: nobody else knows of it. */
  markUnread(message) {
    if (message.own) return;
    message.status = "unread";
    this.#unread.add(message);
  }

  #improve(message, status) {
    if (!message.own) {
      if (status === "read") this.markRead(message);
    } else if (FATES.indexOf(status) > FATES.indexOf(message.status)) message.status = status;
  }

  #move(message, date) {
    message.date = date;
    this.messages.splice(this.messages.indexOf(message), 1);
    this.#place(message);
  }

  /**
   * After all that is not later: messages of one moment stay in the order in which they came, or in the history's. There may be some
   * whose place in it is not known between two that know theirs: what is sure counts.
   */
  #place(message) {
    let at = this.messages.length;
    for (let before = at - 1; before >= 0 && !isAfter(message, this.messages[before]); before -= 1) {
      if (isAfter(this.messages[before], message)) at = before;
    }
    this.messages.splice(at, 0, message);
  }
}

/** Each sender makes ids of its own: in a room somebody else may use one again, and neither message is the other. */
function keyOf({ own, from, id }) {
  return own ? ownKey(id) : JSON.stringify([from, id]);
}

function ownKey(id) {
  return JSON.stringify([id]);
}

/** Whether it is not known to be at the server. */
export function isPending(message) {
  return message.own && (message.status === "sending" || message.status === "failed");
}

function isAfter(one, other) {
  if (isPending(one) !== isPending(other)) return isPending(one);
  if (!isPending(one) && one.date !== other.date) return one.date > other.date;
  return one.seq != null && other.seq != null && one.seq > other.seq;
}
