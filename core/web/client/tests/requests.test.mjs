// Requests of both sides, and what becomes of them when the socket is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RejectedError, TimeoutError } from "rtcd-client";
import { online, reconnect, request, rig, settled, watch } from "./support/fake.mjs";

const OPTIONS = { To: "bob@test.com" };

test("a request has what was not said", async () => {
  const { client, socket } = await online({ device: "phone" });
  watch(client.request("MESSAGE", { To: "bob@test.com", Body: { a: [1] }, Expire: undefined }));
  watch(client.request("INFO", { To: "b", "Request-URI": "c", From: "d", DialogueID: "e", CSeq: 9 }));
  const { DialogueID, ...first } = socket.next();
  assert.match(DialogueID, /^[0-9a-f]{32}$/);
  assert.deepEqual(first, {
    To: "bob@test.com", Body: { a: [1] }, Type: "MESSAGE", "Request-URI": "bob@test.com", From: "alice@test.com", CSeq: 1,
  });
  assert.deepEqual(socket.next(), { To: "b", "Request-URI": "c", From: "d", DialogueID: "e", CSeq: 9, Type: "INFO" });
});

test("without a global crypto, as in Node 18, ids are random too", async (t) => {
  const there = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  t.after(() => (there ? Object.defineProperty(globalThis, "crypto", there) : delete globalThis.crypto));
  const { client, socket } = await online();
  for (let asked = 0; asked < 100; asked += 1) watch(client.request("OPTIONS", OPTIONS));
  const ids = new Set(socket.sent.map(({ DialogueID }) => DialogueID));
  assert.equal(ids.size, 100);
  for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
});

test("each answer goes to its request", async () => {
  const { client, socket } = await online();
  const [one, two] = [watch(client.request("OPTIONS", OPTIONS)), watch(client.request("OPTIONS", OPTIONS))];
  const [first, second] = socket.sent;
  await socket.answer(second, 202, { Body: 2 });
  assert.deepEqual([one.result, two.result.Code, two.result.Body], [undefined, 202, 2]);
  await socket.answer({ ...first, DialogueID: second.DialogueID }); // matches none
  assert.equal(one.result, undefined);
  await socket.answer(first, 486, { Reason: "in a meeting" });
  assert.ok(one.result instanceof RejectedError);
  assert.deepEqual([one.result.code, one.result.reason, one.result.response.Code], [486, "in a meeting", 486]);
  await socket.answer(first); // a second final one
});

test("a reason is the Reason, the Desc, or what the code means", async () => {
  for (const [fields, reason] of [[{ Reason: "so" }, "so"], [{}, "code 480"], [{ Desc: "" }, "Temporarily not available"], [{ Desc: 7, Reason: 8 }, "Temporarily not available"]]) {
    const { client, socket } = await online();
    const asked = watch(client.request("OPTIONS", OPTIONS));
    await socket.answer(socket.next(), 480, fields);
    assert.equal(asked.result.reason, reason);
  }
});

test("a request has its time, and more of it after a provisional response", async () => {
  const { client, socket, timers } = await online({ silence: Infinity, heartbeat: Infinity });
  const [short, own, long] = [
    watch(client.request("OPTIONS", OPTIONS)),
    watch(client.request("OPTIONS", OPTIONS, { timeout: 5 })),
    watch(client.request("OPTIONS", OPTIONS)),
  ];
  await socket.answer(socket.sent[2], 100);
  await timers.advance(5);
  assert.ok(own.result instanceof TimeoutError);
  await timers.advance(29_994);
  assert.equal(short.result, undefined);
  await timers.advance(1);
  assert.ok(short.result instanceof TimeoutError);
  await timers.advance(34_999);
  assert.equal(long.result, undefined);
  await timers.advance(1);
  assert.ok(long.result instanceof TimeoutError);
  assert.equal(timers.pending, 0);
});

test("what is too large or too much is not sent", async () => {
  const { client, socket, timers } = await online({ maxPending: 2, maxMessageSize: 1000 });
  for (const Body of ["x".repeat(1000), "ä".repeat(450)]) {
    await assert.rejects(client.request("OPTIONS", { ...OPTIONS, Body }), { code: 513, response: undefined });
  }
  watch(client.request("OPTIONS", { ...OPTIONS, Body: "ä".repeat(300) }));
  const same = { ...OPTIONS, DialogueID: "d", CSeq: 3 };
  watch(client.request("OPTIONS", same));
  await assert.rejects(client.request("OPTIONS", OPTIONS), { code: 503, response: undefined });
  assert.equal(socket.sent.length, 2);
  await timers.advance(30_000);
  watch(client.request("OPTIONS", same)); // there is room again
  await assert.rejects(client.request("OPTIONS", same), { code: 491 }); // its answer could not be told from the other's
});

test("what is asked while there is no socket goes with the next one, in order", async () => {
  const world = await online();
  await world.socket.lose();
  const asked = ["one", "two"].map((Body) => watch(world.client.request("OPTIONS", { ...OPTIONS, Body })));
  await world.timers.advance(250);
  assert.equal(world.socket.sent.length, 0);
  await world.socket.open();
  assert.deepEqual(world.socket.sent.map(({ Body }) => Body), ["one", "two"]);
  await world.socket.answer(world.socket.next());
  assert.equal(asked[0].result.Code, 200);
});

test("the time goes on without a socket", async () => {
  const { client, socket, timers, Sockets } = await online();
  await socket.lose();
  const asked = watch(client.request("OPTIONS", OPTIONS));
  await timers.advance(30_000);
  assert.ok(asked.result instanceof TimeoutError);
  await Sockets.last.open();
  assert.equal(Sockets.last.sent.length, 0);
});

test("unfinished requests go again, byte for byte; finished ones do not", async () => {
  const world = await online();
  const asked = ["a", "b", "c"].map((Body) => watch(world.client.request("OPTIONS", { ...OPTIONS, Body })));
  const [a, b, c] = world.socket.sent;
  await world.socket.answer(b);
  const socket = await reconnect(world);
  assert.deepEqual(socket.sent, [a, c]);
  await socket.answer(a);
  await socket.answer(c, 404);
  assert.deepEqual(asked.map(({ result }) => result.Code ?? result.code), [200, 200, 404]);
  assert.deepEqual((await reconnect(world)).sent, []);
});

test("a request of the server is shown once and answered once, whatever is sent again", async () => {
  const world = await online();
  const seen = [];
  world.client.on("request", (incoming) => {
    seen.push(incoming.fields.Body);
    assert.equal(incoming.respond(100), true);
    assert.equal(incoming.isAnswered, false);
    assert.equal(incoming.respond(200, { Body: "done" }), true);
    assert.equal(incoming.isAnswered, true);
    assert.equal(incoming.respond(404), false);
  });
  const { socket } = world;
  await socket.receive(request("OPTIONS", { Body: 1 }));
  const [trying, done] = socket.sent;
  assert.deepEqual([trying.Code, done.Code, done.Body, done.Desc], [100, 200, "done", "OK"]);
  assert.deepEqual([done.From, done.To, done.DialogueID, done.CSeq], ["bob@test.com", "alice@test.com", "d1", 7]);
  await socket.receive(request("OPTIONS", { Body: 1 }));
  assert.deepEqual(socket.sent.slice(2), [done], "its answer may be lost");
  await socket.receive(request("INFO")); // the same numbers, another method
  assert.equal(socket.sent.at(-1).Code, 481);
  // On a new socket the answers go again, and the provisional one does not.
  const next = await reconnect(world);
  assert.deepEqual(next.sent.map(({ Code }) => Code), [200, 481]);
  await next.receive(request("OPTIONS", { Body: 1 }));
  assert.deepEqual(seen, [1]);
  assert.deepEqual(next.sent.slice(2), [done]);
});

test("answers are sent again for as long as the server may want them", async () => {
  const world = await online({ heartbeat: Infinity });
  world.client.on("request", (incoming) => incoming.respond(200));
  await world.socket.receive(request("OPTIONS"));
  await world.timers.advance(31_999);
  await world.socket.lose();
  await world.timers.advance(0);
  world.client.retry();
  await world.socket.open();
  assert.equal(world.socket.sent.length, 1, "after 32 s less a little");
  assert.equal((await reconnect(world)).sent.length, 0, "and not after more");
});

test("an answer that was made without a socket waits for one, for two minutes", async () => {
  for (const [away, sent] of [[119_000, 1], [120_000, 0]]) {
    const world = await online({ heartbeat: Infinity });
    let incoming;
    world.client.on("request", (request) => (incoming = request));
    await world.socket.receive(request("OPTIONS"));
    await world.socket.lose();
    incoming.respond(200);
    await world.timers.advance(away);
    world.client.retry();
    await world.socket.open();
    assert.equal(world.socket.sent.length, sent, `${away} ms`);
  }
});

test("the memory of answers has a bound", async () => {
  const world = await online();
  world.client.on("request", (incoming) => incoming.respond(200));
  for (let CSeq = 1; CSeq <= 300; CSeq += 1) await world.socket.receive(request("OPTIONS", { CSeq }));
  const { sent } = await reconnect(world);
  assert.equal(sent.length, 256);
  assert.equal(sent[0].CSeq, 45);
});

test("what nobody wants is refused", async () => {
  const { socket } = await online();
  for (const Type of ["INVITE", "MESSAGE", "OPTIONS", "NOTIFY", "BYE", "CANCEL", "INFO", "UPDATE", "PRACK", "ACK"]) {
    await socket.receive(request(Type, { DialogueID: Type }));
  }
  const codes = Object.fromEntries(socket.sent.map(({ DialogueID, Code }) => [DialogueID, Code]));
  assert.deepEqual(codes, {
    INVITE: 480, MESSAGE: 503, OPTIONS: 501, NOTIFY: 501, BYE: 481, CANCEL: 481, INFO: 481, UPDATE: 481, PRACK: 481,
  });
});

test("a response that is too large is the caller's mistake", async () => {
  const { client, socket, errors } = await online({ maxMessageSize: 1000 });
  client.on("request", (incoming) => incoming.respond(200, { Body: "x".repeat(1000) }));
  await socket.receive(request("OPTIONS"));
  assert.deepEqual(errors.map(({ code }) => code), [513]);
  assert.equal(socket.sent.length, 0);
});

test("nothing can be asked before connect", async () => {
  const { client } = rig();
  await assert.rejects(client.request("OPTIONS", OPTIONS), { name: "ClosedError" });
  await settled();
});
