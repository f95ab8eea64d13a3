// The socket: opened, kept, given up, closed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, ClosedError, ConnectionError, ReplacedError, TimeoutError } from "rtcd-client";
import { Backoff } from "../dist/backoff.js";
import { online, rig, settled, watch } from "./support/fake.mjs";

test("waits double up to the cap, with full jitter", () => {
  const drawn = [0, 0.5, 0.999, 1, 1, 1, 1, 1];
  const backoff = new Backoff({ base: 500, cap: 30_000, connect: 1 }, () => drawn.shift() ?? 1);
  const waits = Array.from({ length: 8 }, () => backoff.next());
  assert.deepEqual(waits, [0, 500, 1998, 4000, 8000, 16_000, 30_000, 30_000]);
  backoff.reset();
  assert.equal(backoff.next(), 500);
});

test("user and device are in the URL", () => {
  const { client, socket: none } = rig({ device: "phone" });
  assert.equal(none, undefined);
  const { client: other, Sockets } = rig({ user: "ä b@test.com", device: "phone", url: "wss://server.test/rtc?x=1" });
  other.connect().catch(() => {});
  assert.equal(Sockets.last.url, "wss://server.test/rtc?x=1&userid=%C3%A4+b%40test.com&device=phone");
  assert.deepEqual([client.user, client.device, client.uri], ["alice@test.com", "phone", "alice@test.com;device=phone"]);
});

test("wrong options are told at once", () => {
  const good = { url: "ws://server.test/rtc", user: "a@b", WebSocket: class {} };
  for (const wrong of [{ url: "http://server.test" }, { url: "?" }, { user: "" }, { device: "" }, { device: "a;b" }, { device: "x".repeat(65) }]) {
    assert.throws(() => new Client({ ...good, ...wrong }), TypeError, JSON.stringify(wrong));
  }
});

test("it connects, and says so", async () => {
  const { client, states, Sockets } = rig();
  assert.equal(client.state, "closed");
  const connected = watch(client.connect());
  assert.equal(client.state, "connecting");
  assert.equal(connected.result, undefined);
  await Sockets.last.open();
  assert.equal(connected.result, "done");
  await client.connect(); // it is
  assert.deepEqual(states, ["connecting", "online"]);
  assert.equal(Sockets.all.length, 1);
});

test("a connection that cannot be made is tried again, with less and less haste", async () => {
  const { client, Sockets, timers, states } = rig();
  const connected = watch(client.connect());
  for (const wait of [250, 500, 1000, 2000]) {
    await Sockets.last.lose();
    const before = Sockets.all.length;
    await timers.advance(wait - 1);
    assert.equal(Sockets.all.length, before);
    await timers.advance(1);
    assert.equal(Sockets.all.length, before + 1);
  }
  await Sockets.last.open();
  assert.equal(connected.result, "done");
  assert.deepEqual(states, ["connecting", "connecting", "connecting", "connecting", "connecting", "online"]);
});

test("one try takes so long and no longer", async () => {
  const { client, Sockets, timers } = rig();
  client.connect({ timeout: Infinity }).catch(() => {});
  await timers.advance(9_999);
  assert.equal(Sockets.all.length, 1);
  await timers.advance(1 + 250);
  assert.equal(Sockets.all.length, 2);
  // The first one opens after all: nobody minds.
  await Sockets.all[0].open();
  assert.equal(client.state, "connecting");
});

test("connect gives up in time, and then the client is closed", async () => {
  const { client, timers, Sockets } = rig();
  const connected = watch(client.connect({ timeout: 3_000 }));
  await timers.advance(2_999);
  assert.equal(connected.result, undefined);
  await timers.advance(1);
  assert.ok(connected.result instanceof TimeoutError);
  assert.equal(client.state, "closed");
  // And it can be tried again.
  const again = client.connect();
  await Sockets.last.open();
  await again;
});

test("a class that throws is as good as a server that is away", async () => {
  const { client, timers, states } = rig({
    WebSocket: class {
      constructor() {
        throw new Error("no");
      }
    },
  });
  const connected = watch(client.connect({ timeout: 1_000 }));
  await timers.advance(1_000);
  assert.ok(connected.result instanceof TimeoutError);
  assert.equal(states.at(-1), "closed");
});

test("a lost socket is made again", async () => {
  const { client, Sockets, timers, states } = await online();
  const causes = [];
  client.on("state", (_, cause) => causes.push(cause));
  await Sockets.last.lose(1012, "restart");
  assert.equal(client.state, "reconnecting");
  assert.ok(causes[0] instanceof ConnectionError);
  assert.deepEqual([causes[0].code, causes[0].message], [1012, "restart"]);
  await timers.advance(250);
  await Sockets.last.open();
  assert.deepEqual(states, ["connecting", "online", "reconnecting", "online"]);
});

test("after a short life the back-off goes on, after a long one it begins anew", async () => {
  const { Sockets, timers } = await online();
  await timers.advance(9_000);
  await Sockets.last.lose();
  await timers.advance(250);
  await Sockets.last.open();
  await timers.advance(9_999);
  await Sockets.last.lose(); // the second in a row
  await timers.advance(499);
  assert.equal(Sockets.all.length, 2);
  await timers.advance(1);
  assert.equal(Sockets.all.length, 3);
  await Sockets.last.open();
  await timers.advance(10_000);
  await Sockets.last.lose();
  await timers.advance(250);
  assert.equal(Sockets.all.length, 4);
});

test("retry does not wait", async () => {
  const { client, Sockets, timers } = await online();
  client.retry(); // nothing to be done
  await Sockets.last.lose();
  client.retry();
  assert.equal(Sockets.all.length, 2);
  client.retry(); // it is under way
  await timers.advance(5_000);
  assert.equal(Sockets.all.length, 2);
});

test("one that was replaced stays closed", async () => {
  const { client, Sockets, timers, states } = await online();
  let cause;
  client.on("state", (_, error) => (cause = error));
  const asked = watch(client.request("OPTIONS", { To: "bob@test.com" }));
  await Sockets.last.lose(4001, "replaced");
  assert.ok(cause instanceof ReplacedError && cause instanceof ClosedError);
  assert.ok(asked.result instanceof ReplacedError);
  await timers.advance(600_000);
  assert.equal(Sockets.all.length, 1);
  assert.equal(states.at(-1), "closed");
  assert.equal(timers.pending, 0);
});

test("close waits for the other side, but not for ever", async () => {
  for (const answers of [true, false]) {
    const { client, Sockets, timers } = await online();
    const asked = watch(client.request("OPTIONS", { To: "bob@test.com" }));
    const closed = client.close();
    await settled();
    assert.equal(client.state, "closed");
    assert.equal(Sockets.last.closed, 1000);
    assert.ok(asked.result instanceof ClosedError);
    let isClosed = false;
    void closed.then(() => (isClosed = true));
    await timers.advance(1_999);
    assert.equal(isClosed, false);
    if (answers) Sockets.last.finish();
    else await timers.advance(1);
    await closed;
    await settled();
    assert.equal(timers.pending, 0, "nothing keeps a process up");
    await assert.rejects(client.request("OPTIONS", { To: "bob@test.com" }), ClosedError);
  }
});

test("a client that was closed while it connects", async () => {
  const { client, Sockets } = rig();
  const connected = watch(client.connect());
  void client.close(); // the socket never answers
  await settled();
  assert.ok(connected.result instanceof ClosedError);
  await Sockets.last.open();
  assert.equal(client.state, "closed");
});

test("a network that is silent while an answer is due is given up", async () => {
  const { client, Sockets, timers, states } = await online();
  const asked = watch(client.request("OPTIONS", { To: "bob@test.com" }));
  await timers.advance(9_000);
  watch(client.request("OPTIONS", { To: "carol@test.com" })); // the first one counts
  await timers.advance(1_000);
  assert.equal(client.state, "reconnecting");
  await timers.advance(250);
  await Sockets.last.open();
  assert.equal(states.at(-1), "online");
  await Sockets.last.answer(Sockets.last.next());
  assert.equal(asked.result.Code, 200);
});

test("whatever comes is a sign of life; and without any, one is asked for", async () => {
  const { Sockets, timers, client } = await online();
  const { socket } = { socket: Sockets.last };
  await timers.advance(74_999);
  assert.equal(socket.sent.length, 0);
  await timers.advance(1);
  const ask = socket.next();
  assert.equal(ask.Type, "OPTIONS");
  await socket.answer(ask, 400); // any answer will do
  await timers.advance(30_000);
  await socket.receive({ Type: "RESPONSE", Code: 200, From: "x", To: "y", DialogueID: "unknown", CSeq: 1 });
  await timers.advance(74_999);
  assert.equal(socket.sent.length, 1);
  await timers.advance(1);
  assert.equal(socket.sent.length, 2);
  await timers.advance(10_000);
  assert.equal(client.state, "reconnecting");
});

test("handlers are called, taken off, and may throw", async () => {
  const { client, errors, Sockets } = rig();
  const seen = [];
  const off = client.on("state", (state) => seen.push(state));
  client.on("state", () => {
    throw new Error("a handler's mistake");
  });
  const connected = watch(client.connect());
  off();
  off();
  await Sockets.last.open();
  assert.equal(connected.result, "done");
  assert.deepEqual(seen, ["connecting"]);
  assert.deepEqual(errors.map((error) => error.message), ["a handler's mistake", "a handler's mistake"]);
});

test("bad frames of the server are told, and end nothing", async () => {
  const { client, errors, socket } = await online();
  for (const frame of ["", "[]", "null", "{}", '{"Type":"RESPONSE","From":"a","To":"b","DialogueID":"c","CSeq":0}']) await socket.receive(frame);
  await socket.receive({ Type: "RESPONSE", From: "a", To: "b", DialogueID: "c", CSeq: 1 });
  await socket.receive({ Type: "NEW", From: "a", To: "b", DialogueID: "c", CSeq: 1 });
  await socket.receive({ Type: "MESSAGE", From: "a", To: "b", DialogueID: "c", CSeq: 1 });
  const wrong = ["not JSON", "not an object", "not an object", "From", "CSeq", "Code", "Type", "Request-URI"];
  assert.deepEqual(errors.map((error) => error.message), wrong.map((what) => `a frame of the server is bad: ${what}`));
  assert.equal(client.state, "online");
});

test("a page that wakes up connects at once, or finds out whether its socket has outlived the sleep", async (t) => {
  const page = new EventTarget();
  const network = new EventTarget();
  Object.assign(globalThis, {
    document: page,
    addEventListener: network.addEventListener.bind(network),
    removeEventListener: network.removeEventListener.bind(network),
  });
  t.after(() => ["document", "addEventListener", "removeEventListener"].forEach((name) => delete globalThis[name]));
  const { client, Sockets, timers } = await online();
  await Sockets.last.lose();
  network.dispatchEvent(new Event("online"));
  await Sockets.last.open();
  assert.equal(Sockets.all.length, 2);
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(Sockets.last.sent.length, 0);
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(Sockets.last.sent[0].Type, "OPTIONS");
  await timers.advance(10_000);
  assert.equal(client.state, "reconnecting");
  void client.close();
  const before = timers.pending;
  network.dispatchEvent(new Event("online"));
  page.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual([Sockets.all.length, timers.pending], [2, before]);
});
