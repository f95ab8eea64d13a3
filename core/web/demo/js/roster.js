// Whom this user talks to and which rooms this user is in, as the browser keeps it.
import { isRoom } from "./names.js";
import { lasting } from "./storage.js";

export class Roster {
  #key;
  /** Name of a person or a room → `{ since, readUntil, hidden }`, all in ms since 1970. `hidden`: taken off the list then. */
  #entries;

  constructor(user) {
    this.#key = `roster.${user}`;
    this.#entries = new Map(Object.entries(lasting.read(this.#key, {})));
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
    this.#keep(name, { ...this.#entries.get(name), hidden: date });
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

  /** Another tab of this user may have changed others meanwhile. */
  #keep(name, entry) {
    this.#entries.set(name, entry);
    lasting.write(this.#key, { ...lasting.read(this.#key, {}), [name]: entry });
  }
}
