// A client without a network: time is what the test says, and the test is the server.
import { Client } from "rtcd-client";

/** Time that stands still until it is told to go on. */
export class FakeTimers {
  time = 0;
  #timers = new Map();
  #last = 0;

  setTimeout = (callback, delay) => {
    this.#last += 1;
    this.#timers.set(this.#last, { callback, due: this.time + delay });
    return this.#last;
  };

  clearTimeout = (handle) => void this.#timers.delete(handle);

  now = () => this.time;

  /** How many are set. */
  get pending() {
    return this.#timers.size;
  }

  /** Goes on by so many ms, and stops at each timer that is due on the way. */
  async advance(delay) {
    const end = this.time + delay;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.due <= end).sort(([a, one], [b, other]) => one.due - other.due || a - b);
      if (due.length === 0) break;
      const [handle, { callback, due: at }] = due[0];
      this.#timers.delete(handle);
      this.time = Math.max(this.time, at);
      callback();
      await settled();
    }
    this.time = end;
    await settled();
  }
}

/** All that follows from what has happened has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A class of sockets that the test opens, reads and loses. */
export function fakeWebSocket() {
  return class FakeSocket {
    static all = [];
    static get last() {
      return FakeSocket.all.at(-1);
    }

    sent = [];
    closed;
    #read = 0;

    constructor(url) {
      this.url = url;
      FakeSocket.all.push(this);
    }

    send(text) {
      this.sent.push(JSON.parse(text));
    }

    close(code) {
      this.closed = code;
    }

    /** The other side has answered the close. */
    finish() {
      this.onclose?.({ code: this.closed, reason: "" });
    }

    open() {
      this.onopen?.({});
      return settled();
    }

    receive(frame) {
      this.onmessage?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
      return settled();
    }

    lose(code = 1006, reason = "") {
      this.onerror?.({});
      this.onclose?.({ code, reason });
      return settled();
    }

    /** The next frame that was sent, and was not asked for yet. */
    next() {
      this.#read += 1;
      return this.sent[this.#read - 1];
    }

    /** Answers a request. */
    answer(request, Code = 200, fields = {}) {
      const { From, To, DialogueID, CSeq } = request;
      return this.receive({ Type: "RESPONSE", Code, Desc: `code ${Code}`, From, To, DialogueID, CSeq, ...fields });
    }
  };
}

/** A client with all that a test needs to drive it. */
export function rig(options = {}) {
  const timers = new FakeTimers();
  const Sockets = fakeWebSocket();
  const client = new Client({
    url: "ws://server.test:8080/rtc",
    user: "alice@test.com",
    WebSocket: Sockets,
    timers,
    random: () => 0.5,
    ...options,
  });
  const states = [];
  client.on("state", (state) => states.push(state));
  const errors = [];
  client.on("error", (error) => errors.push(error));
  return {
    client,
    timers,
    Sockets,
    states,
    errors,
    get socket() {
      return Sockets.last;
    },
  };
}

/** One that is online. */
export async function online(options) {
  const world = rig(options);
  const connected = world.client.connect();
  await world.socket.open();
  await connected;
  return world;
}

/** The socket is lost, and the next one is up. */
export async function reconnect({ timers, Sockets }) {
  await Sockets.last.lose();
  await timers.advance(30_000 / 2);
  await Sockets.last.open();
  return Sockets.last;
}

/** A request of the server. */
export function request(Type, fields = {}) {
  return {
    Type, "Request-URI": "alice@test.com", From: "bob@test.com", To: "alice@test.com", DialogueID: "d1", CSeq: 7, ...fields,
  };
}

/** Looks at a promise from now on: its value or its error in `result`, which is `undefined` while it waits. */
export function watch(promise) {
  const watched = { result: undefined };
  promise.then(
    (value) => (watched.result = value ?? "done"),
    (error) => (watched.result = error),
  );
  return watched;
}
