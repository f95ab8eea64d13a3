/** Chat rooms. */

import type { Asker, RequestFields } from "./asker.js";
import { RejectedError } from "./errors.js";
import { randomId } from "./ids.js";
import type { MessageOptions, Messages } from "./messages.js";
import { Timer } from "./timers.js";

/** A chat room, as one of its members sees it. What others say comes as `message` events. */
export interface Room {
  /** Such as `room:lobby@example.com`. */
  readonly id: string;
  /** Whether the server has this device as a member, as far as is known. */
  readonly joined: boolean;
  /** Joins, or changes the nickname. The membership is refreshed by itself. */
  join(nickname: string): Promise<void>;
  leave(): Promise<void>;
  /** Says something to all other members. */
  send(body: unknown, options?: MessageOptions): Promise<{ readonly id: string; readonly date: Date }>;
}

/** Seconds that a membership lasts if it is not refreshed. */
const EXPIRE = 120;
/** ms after which a refresh that failed is tried again. */
const AGAIN = 5_000;

/** All rooms of a client. */
export class Rooms {
  readonly #rooms = new Map<string, Membership>();

  constructor(
    private readonly asker: Asker,
    private readonly messages: Messages,
    private readonly onError: (error: Error) => void,
  ) {}

  /** The same one for the same id, as long as it is joined. */
  room(id: string): Room {
    const known = this.#rooms.get(id);
    if (known !== undefined) return known;
    const room = new Membership(id, this.asker, this.messages, this.onError);
    this.#rooms.set(id, room);
    return room;
  }

  /** There is a new socket. */
  onOnline(): void {
    for (const room of this.#rooms.values()) room.again();
  }

  /** Says good-bye, and waits for nothing. */
  leave(): void {
    for (const room of this.#rooms.values()) if (room.joined) room.leave().catch(() => {});
  }

  onClosed(): void {
    for (const room of this.#rooms.values()) room.stop();
  }
}

class Membership implements Room {
  /** As long as it is wanted. */
  #nickname: string | undefined;
  #isJoined = false;
  readonly #refresh: Timer;

  constructor(
    readonly id: string,
    private readonly asker: Asker,
    private readonly messages: Messages,
    private readonly onError: (error: Error) => void,
  ) {
    this.#refresh = new Timer(asker.timers, () => this.again());
  }

  get joined(): boolean {
    return this.#isJoined;
  }

  async join(nickname: string): Promise<void> {
    const before = this.#nickname;
    this.#nickname = nickname;
    try {
      await this.#ask(nickname);
    } catch (error) {
      if (this.#nickname === nickname) this.#nickname = before;
      throw error;
    }
  }

  async leave(): Promise<void> {
    const nickname = this.#nickname ?? this.asker.user;
    this.stop();
    try {
      await this.asker.ask("SUBSCRIBE", { ...this.#as(nickname), Expire: 0 });
    } catch (error) {
      // No member any more: that is what was asked for.
      if (!(error instanceof RejectedError && error.code === 404)) throw error;
    }
  }

  async send(body: unknown, options: MessageOptions = {}): Promise<{ id: string; date: Date }> {
    const nickname = this.#nickname ?? this.asker.user;
    const message = { ...this.#as(nickname), Body: body };
    const named = { id: randomId(), ...options };
    try {
      return await this.messages.send(message, named);
    } catch (error) {
      // A server that was restarted knows no members, until they join again.
      const isStranger = error instanceof RejectedError && error.code === 404;
      if (!isStranger || this.#nickname === undefined) throw error;
      await this.#ask(nickname);
      return this.messages.send(message, named);
    }
  }

  again(): void {
    const nickname = this.#nickname;
    if (nickname === undefined) return;
    this.#ask(nickname).catch((error: Error) => {
      if (this.#nickname !== undefined) this.onError(error);
    });
  }

  stop(): void {
    this.#nickname = undefined;
    this.#isJoined = false;
    this.#refresh.clear();
  }

  async #ask(nickname: string): Promise<void> {
    this.#refresh.clear();
    try {
      await this.asker.ask("SUBSCRIBE", { ...this.#as(nickname), Expire: EXPIRE });
    } catch (error) {
      // Whoever asked: a membership that there was is to go on.
      if (this.#nickname !== undefined) this.#refresh.set(AGAIN);
      throw error;
    }
    if (this.#nickname === undefined) return; // left meanwhile
    this.#isJoined = true;
    this.#refresh.set((EXPIRE * 1000) / 2);
  }

  /** The nickname is in `From`, and who it is in `P-Asserted-Identity`: each device is a member of its own. */
  #as(nickname: string): RequestFields {
    return { To: this.id, From: nickname, "P-Asserted-Identity": this.asker.uri };
  }
}
