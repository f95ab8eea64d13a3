// Registration, presence, messages and history against the real server, from Node.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "rtcd-client";
import WebSocket from "ws";
import { next, Server, Wire } from "./support/server.mjs";

/** Nothing here waits for a fixed time; this is only for when all is lost. */
const PATIENCE = { timeout: 120_000 };

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

let number = 0;
/** Names that no other test has. */
const names = (...all) => ((number += 1), all.map((name) => `${name}${number}@test.com`));

/** A client that is connected, and registered too if that is asked for; it is closed at the end of the test. */
async function client(t, user, { register = false, ...options } = {}) {
  const made = new Client({ url: server.url, user, WebSocket, backoff: { base: 20, cap: 200 }, ...options });
  t.after(() => made.close());
  await made.connect();
  if (register) await made.register();
  return made;
}

/** Gathers what comes; `until` resolves when so many have. */
function gather(from, name, pick) {
  const seen = [];
  const waiting = [];
  from.on(name, (value) => {
    seen.push(pick(value));
    for (const { count, resolve } of waiting) if (seen.length >= count) resolve();
  });
  return { seen, until: (count) => new Promise((resolve) => (seen.length >= count ? resolve() : waiting.push({ count, resolve }))) };
}

const range = (count) => Array.from({ length: count }, (_, index) => index);

test("a registration has a token", PATIENCE, async (t) => {
  const [user] = names("alice");
  const alice = await client(t, user, { device: "desk" });
  const { expire, token, tokenExpire } = await alice.register({ expire: 40 });
  assert.equal(expire, 40);
  assert.match(token, /\S{16,}/);
  assert.ok(tokenExpire > 0);
  await alice.unregister();
});

test("presence over two devices", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a);
  const desk = await client(t, b, { device: "desk" });
  const phone = await client(t, b, { device: "phone" });
  const steps = [
    ["away", async () => (await alice.subscribePresence(b)).state],
    ["online", () => desk.register()],
    ["busy", () => phone.register({ presence: "busy" })],
    ["online", () => phone.close()],
    ["away", () => desk.unregister()],
  ];
  for (const [state, step] of steps) {
    const news = next(alice, "presence", (presence) => presence.state === state);
    await step();
    assert.equal((await news).user, b);
  }
});

test("a message to who is there, with receipts", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a, { register: true });
  const bob = await client(t, b, { register: true });
  const comes = next(bob, "message");
  const sent = await alice.message(b, { text: "hello" }, { contentType: "chat" });
  assert.equal(sent.status, "delivered");
  const message = await comes;
  assert.deepEqual([message.id, message.from, message.body, message.contentType, message.own], [sent.id, a, { text: "hello" }, "chat", false]);
  assert.deepEqual(message.date, sent.date);
  const read = next(alice, "receipt", (receipt) => receipt.read.length > 0);
  await bob.markRead(a, [message.id]);
  assert.deepEqual(await read, { from: b, conversation: b, own: false, delivered: [], read: [sent.id] });
});

test("all devices of both sides see a message", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const [desk, phone] = [await client(t, a, { device: "desk", register: true }), await client(t, a, { device: "phone", register: true })];
  const bobs = [await client(t, b, { device: "desk", register: true }), await client(t, b, { device: "phone", register: true })];
  const seen = [phone, ...bobs].map((device) => next(device, "message"));
  const sent = await desk.message(b, "to all");
  const messages = await Promise.all(seen);
  assert.deepEqual(messages.map(({ own, conversation, id }) => [own, conversation, id]), [[true, b, sent.id], [false, a, sent.id], [false, a, sent.id]]);
});

test("what one device has read, the other one is told", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const [desk, phone] = [await client(t, a, { device: "desk", register: true }), await client(t, a, { device: "phone", register: true })];
  const bob = await client(t, b, { register: true });
  const comes = next(desk, "message");
  const told = next(phone, "receipt");
  const { id } = await bob.message(a, "to both");
  await comes;
  await desk.markRead(b, [id]);
  assert.deepEqual(await told, { from: a, conversation: b, own: true, delivered: [], read: [id] });
});

test("messages to who is away come when he is there, once and in order, and are told", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a, { register: true });
  const receipts = gather(alice, "receipt", ({ delivered }) => delivered);
  const sent = await Promise.all(range(10).map((body) => alice.message(b, body)));
  assert.deepEqual(new Set(sent.map(({ status }) => status)), new Set(["stored"]));

  const bob = await client(t, b);
  const messages = gather(bob, "message", ({ body }) => body);
  await bob.register();
  await messages.until(10);
  assert.deepEqual(messages.seen, range(10));
  const ids = sent.map(({ id }) => id);
  while (receipts.seen.flat().length < ids.length) await receipts.until(receipts.seen.length + 1);
  assert.deepEqual(receipts.seen.flat().sort(), ids.sort());
});

test("a message that was sent again with its id is seen once", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a, { register: true });
  await alice.message(b, "first", { id: "mine" });
  assert.equal((await alice.message(b, "first", { id: "mine" })).id, "mine");
  const bob = await client(t, b);
  const messages = gather(bob, "message", ({ body }) => body);
  await bob.register();
  await messages.until(1);
  await alice.message(b, "first", { id: "mine" });
  await alice.message(b, "last");
  await messages.until(2);
  assert.deepEqual(messages.seen, ["first", "last"]);
});

test("messages over wires that are cut again and again: each once, in order", PATIENCE, async (t) => {
  const wire = await Wire.to(server.rtc);
  t.after(() => wire.stop());
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a, { url: wire.url, register: true });
  const bob = await client(t, b, { url: wire.url, register: true });
  const messages = gather(bob, "message", ({ body }) => body);
  for (const body of range(50)) {
    const sent = alice.message(b, body);
    if (body % 10 === 5) wire.cut();
    await sent;
  }
  await messages.until(50);
  assert.deepEqual(messages.seen, range(50));
});

test("history and conversations, page by page", PATIENCE, async (t) => {
  const [a, b, c] = names("alice", "bob", "carol");
  const alice = await client(t, a, { register: true });
  const bob = await client(t, b, { register: true });
  const messages = gather(bob, "message", ({ id }) => id);
  for (const body of range(5)) await alice.message(b, body);
  await messages.until(5);
  await alice.message(c, "are you there?");

  const latest = await historyOf(alice, b, 5, { limit: 2 });
  assert.deepEqual(latest.messages.map(({ body }) => body), [3, 4]);
  const middle = await alice.history(b, { limit: 2, before: latest.next });
  assert.deepEqual(middle.messages.map(({ body }) => body), [1, 2]);
  const first = await alice.history(b, { limit: 2, before: middle.next });
  assert.deepEqual([first.messages.map(({ body }) => body), first.next], [[0], null]);
  const after_ = await bob.history(a, { after: first.messages[0].seq });
  assert.deepEqual(after_.messages.map(({ body, from, state }) => [body, from, state]), range(5).slice(1).map((body) => [body, a, "delivered"]));
  assert.ok(after_.messages[0].date instanceof Date);

  const { conversations, next: end } = await alice.conversations();
  assert.deepEqual([conversations.map((one) => [one.with, one.last.body]), end], [[[c, "are you there?"], [b, 4]], null]);
  const unread = (await bob.conversations()).conversations[0];
  assert.deepEqual([unread.with, unread.unread], [a, 5]);
});

/** What is delivered at once is stored without anybody waiting for it: asks until all of it is there. */
async function historyOf(from, with_, count, page) {
  while ((await from.history(with_)).messages.length < count);
  return from.history(with_, page);
}

test("what was stored outlives a server that is killed", PATIENCE, async (t) => {
  const own = await Server.start();
  t.after(() => own.stop());
  const [a, b] = names("alice", "bob");
  const alice = await client(t, a, { url: own.url, register: true });
  const receipt = next(alice, "receipt", ({ delivered }) => delivered.length > 0);
  const sent = await alice.message(b, "for later");
  assert.equal(sent.status, "stored");
  await own.killAndRestart();
  const bob = await client(t, b, { url: own.url });
  const comes = next(bob, "message");
  await bob.register();
  assert.deepEqual([(await comes).id, (await comes).body], [sent.id, "for later"]);
  // alice is back and registered by herself.
  assert.deepEqual((await receipt).delivered, [sent.id]);
  assert.equal((await alice.history(b)).messages[0].id, sent.id);
});

test("a room's history is for its members", PATIENCE, async (t) => {
  const [a, b] = names("alice", "bob");
  const [alice, bob] = [await client(t, a, { register: true }), await client(t, b, { register: true })];
  const id = `room:${number}@test.com`;
  await alice.room(id).join("Al");
  const sent = await alice.room(id).send("kept");
  const { messages } = await alice.history(id);
  assert.deepEqual(messages.map((one) => [one.id, one.body, one.from, one.to]), [[sent.id, "kept", a, id]]);
  await assert.rejects(bob.history(id), { name: "HttpError", status: 403, code: 101 });
});
