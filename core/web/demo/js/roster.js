// Whom this user talks to and which rooms this user is in, as the browser keeps it.
import { isRoom } from "./names.js";
import { goodEntries, lasting } from "./storage.js";

/** Whoever writes comes onto the list, and the browser keeps some megabytes: the oldest go, and are back from the server. */
const MOST = 2000;

function isEntry(entry) {
  const isDate = (value) => typeof value === "number" && Number.isFinite(value);
  return isDate(entry?.since) && isDate(entry.readUntil) && (entry.hidden === undefined || isDate(entry.hidden));
}

export class Roster {
  #key;
  /** Name of a person or a room → `{ since, readUntil, hidden }`, all in ms since 1970. `hidden`: taken off the list then. */
  #entries;

  constructor(user) {
    this.#key = `roster.${user}`;
    this.#entries = this.#read();
  }

  /** Another tab has changed something. `name` is what the browser says of it. */
  isOf(name) {
    return name === `rtcd.${this.#key}`;
  }

  /**
   * What it has written may be older than what is known here: browsers show it to other tabs with a delay. So nothing goes for being missing
   * there, and of two entries the later one holds.
   */
  readAgain() {
    for (const [name, entry] of this.#read()) this.#entries.set(name, later(this.#entries.get(name), entry));
  }

  /** Whether it was taken off the list. */
  isRemoved(name) {
    return Boolean(this.#entries.get(name)?.hidden);
  }

  /** What is on the list. */
  shown() {
    return [...this.#entries].filter(([, entry]) => !entry.hidden);
  }

  add(name, since) {
    const known = this.#entries.get(name);
    if (known && !known.hidden) return;
    this.#keep(name, { since, readUntil: known?.readUntil ?? 0 });
  }

  hide(name, date) {
    this.#keep(name, { since: Date.now(), readUntil: 0, ...this.#entries.get(name), hidden: date });
  }

  /** Whether it was taken off the list, and nothing was said since. A room that is not on the list is one that was left. */
  isHidden(name, lastDate) {
    const entry = this.#entries.get(name);
    if (isRoom(name)) return !entry || Boolean(entry.hidden);
    return Boolean(entry?.hidden) && entry.hidden >= lastDate;
  }

  readUntil(name) {
    return this.#entries.get(name)?.readUntil ?? 0;
  }

  setReadUntil(name, date) {
    const entry = this.#entries.get(name);
    if (entry && entry.readUntil < date) this.#keep(name, { ...entry, readUntil: date });
  }

  #read() {
    return new Map(goodEntries(lasting.read(this.#key, null, () => true), isEntry));
  }

  /** Another tab of this user may have changed others meanwhile. */
  #keep(name, entry) {
    this.readAgain();
    this.#entries.set(name, entry);
    const kept = [...this.#entries].sort(([, one], [, other]) => other.since - one.since);
    lasting.write(this.#key, Object.fromEntries(kept.slice(0, MOST)));
  }
}

/** Whoever comes onto the list again does so at a later time; until then, taken off is taken off. */
function later(one, other) {
  if (!one) return other;
  const isLater = other.since > one.since || (other.since === one.since && Boolean(other.hidden));
  return { ...(isLater ? other : one), readUntil: Math.max(one.readUntil, other.readUntil) };
}
