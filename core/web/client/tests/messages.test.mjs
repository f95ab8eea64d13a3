// Messages, receipts, history.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpError, TimeoutError } from "rtcd-client";
import { online, reconnect, request, settled, watch } from "./support/fake.mjs";

const DATE = "2026-11-24T10:00:00.123Z";

/** A message of bob. */
const message = (fields = {}) =>
  request("MESSAGE", { DialogueID: "m-1", Body: "hi", "Message-ID": "id-1", Date: DATE, "Content-Type": "text", ...fields });

test("a message is accepted", async () => {
  for (const [code, status] of [[200, "delivered"], [202, "stored"]]) {
    const { client, socket } = await online();
    const sending = watch(client.message("bob@test.com", { a: 1 }, { contentType: "json", id: "own" }));
    await settled();
    const sent = socket.next();
    assert.deepEqual(
      [sent.Type, sent.To, sent["Request-URI"], sent.From, sent.Body, sent["Content-Type"], sent["Message-ID"]],
      ["MESSAGE", "bob@test.com", "bob@test.com", "alice@test.com", { a: 1 }, "json", "own"],
    );
    await socket.answer(sent, code, { "Message-ID": "own", Date: DATE });
    assert.deepEqual([sending.result.id, sending.result.status, sending.result.date.toISOString()], ["own", status, DATE]);
  }
});

test("a server without Message-ID and Date", async () => {
  const { client, socket } = await online();
  const sending = watch(client.message("bob@test.com", "hi"));
  await settled();
  const sent = socket.next();
  assert.match(sent["Message-ID"], /^[0-9a-f]{32}$/);
  await socket.answer(sent);
  assert.equal(sending.result.id, sent["Message-ID"]);
  assert.ok(Math.abs(sending.result.date - Date.now()) < 60_000);
});

test("messages to one receiver go one after the other, those to others do not wait", async () => {
  const { client, socket } = await online();
  const [one, two, three] = ["one", "two", "three"].map((body) => watch(client.message("bob@test.com", body)));
  watch(client.message("carol@test.com", "other"));
  await settled();
  assert.deepEqual(socket.sent.map(({ Body }) => Body), ["one", "other"]);
  await socket.answer(socket.sent[0], 503);
  assert.deepEqual(socket.sent.map(({ Body }) => Body), ["one", "other", "two"]);
  await socket.answer(socket.sent[2]);
  await socket.answer(socket.sent[3]);
  assert.deepEqual([one.result.code, two.result.status, three.result.status], [503, "delivered", "delivered"]);
});

test("the time of a message begins when it is said, and it is not sent after it", async () => {
  const { client, socket, timers, Sockets } = await online({ maxPending: 3 });
  await socket.lose();
  const [one, two] = [watch(client.message("bob@test.com", "one")), watch(client.message("bob@test.com", "two", { timeout: 1_000 }))];
  await timers.advance(20_000);
  const three = watch(client.message("bob@test.com", "three"));
  await assert.rejects(client.message("bob@test.com", "four"), { code: 503 });
  await timers.advance(10_000);
  assert.ok(one.result instanceof TimeoutError && two.result instanceof TimeoutError);
  await Sockets.last.open();
  assert.deepEqual(Sockets.last.sent.map(({ Body }) => Body), ["three"]);
  await Sockets.last.answer(Sockets.last.next());
  assert.equal(three.result.status, "delivered");
});

test("a message comes", async () => {
  const { client, socket } = await online({ device: "desk" });
  const seen = [];
  client.on("message", ({ fields, date, ...rest }) => seen.push({ ...rest, date: date.toISOString(), type: fields.Type }));
  await socket.receive(message({ From: "bob@test.com;device=phone" }));
  await socket.receive(message({ From: "alice@test.com", To: "bob@test.com", CSeq: 8, "Message-ID": "id-2" }));
  await socket.receive(
    message({ From: "Bobby", To: "room:1@test.com", CSeq: 9, "P-Asserted-Identity": "bob@test.com;device=phone", "Content-Type": undefined }),
  );
  await socket.receive(
    message({ From: "Al", To: "room:1@test.com", CSeq: 10, "P-Asserted-Identity": "alice@test.com;device=phone", "Message-ID": undefined }),
  );
  const common = { body: "hi", date: DATE, type: "MESSAGE" };
  const [bob, alice, room] = ["bob@test.com", "alice@test.com", "room:1@test.com"];
  assert.deepEqual(seen, [
    { ...common, id: "id-1", from: bob, to: alice, conversation: bob, room: undefined, sender: bob, own: false, contentType: "text" },
    { ...common, id: "id-2", from: alice, to: bob, conversation: bob, room: undefined, sender: alice, own: true, contentType: "text" },
    { ...common, id: "id-1", from: "Bobby", to: room, conversation: room, room, sender: bob, own: false, contentType: undefined },
    { ...common, id: "m-1 10", from: "Al", to: room, conversation: room, room, sender: alice, own: true, contentType: "text" },
  ]);
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [200, 200, 200, 200]);
});

test("a message that comes again is not shown again", async () => {
  const world = await online();
  const seen = [];
  world.client.on("message", ({ id, from }) => seen.push(`${from} ${id}`));
  await world.socket.receive(message());
  await world.socket.receive(message()); // on the same socket, byte for byte
  const socket = await reconnect(world);
  await socket.receive(message()); // on another one
  await socket.receive(message({ DialogueID: "m-2" })); // stored, and sent anew
  await socket.receive(message({ DialogueID: "m-3", From: "carol@test.com" })); // the id is somebody else's
  assert.deepEqual(seen, ["bob@test.com id-1", "carol@test.com id-1"]);
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [200, 200, 200, 200]);
});

test("a message that no handler takes is left to the server", async () => {
  const { client, socket, errors } = await online();
  await socket.receive(message());
  let fails = true;
  const seen = [];
  client.on("message", ({ id }) => {
    if (fails) throw new Error("the disk is full");
    seen.push(id);
  });
  await socket.receive(message({ DialogueID: "m-2" }));
  fails = false;
  await socket.receive(message({ DialogueID: "m-3" }));
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [503, 503, 200]);
  assert.deepEqual([seen, errors.map(({ message }) => message)], [["id-1"], ["the disk is full"]]);
});

test("fields that are no texts are not taken for such", async () => {
  const { client, socket } = await online();
  const seen = [];
  client.on("message", ({ sender, contentType }) => seen.push([sender, contentType]));
  await socket.receive(message({ To: "room:1@test.com", "P-Asserted-Identity": 5, "Content-Type": { a: 1 }, "Message-ID": 5, Date: 5 }));
  assert.deepEqual(seen, [["bob@test.com", undefined]]);
  assert.equal(socket.sent[0].Code, 200);
});

test("what comes from a room that bears the name of a user is refused", async () => {
  const { client, socket } = await online();
  const seen = [];
  for (const event of ["message", "receipt"]) client.on(event, () => seen.push(event));
  const forged = { To: "alice@test.com", "P-Asserted-Identity": "bob@test.com" };
  await socket.receive(message(forged));
  await socket.receive(message({ ...forged, CSeq: 8, "Content-Type": "receipt", Body: { read: ["a"] } }));
  await socket.receive(message({ ...forged, CSeq: 9, "P-Asserted-Identity": "" }));
  await socket.receive(message({ From: "room:lobby@test.com", CSeq: 11 })); // and a user who bears that of a room
  await socket.receive(message({ CSeq: 10 })); // the real one is not taken for a repeat
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [403, 403, 403, 403, 200]);
  assert.deepEqual(seen, ["message"]);
});

test("a name that only begins like another one is taken as a whole", async () => {
  const { client, socket } = await online();
  const seen = [];
  client.on("message", ({ conversation, own }) => seen.push([conversation, own]));
  client.on("receipt", ({ conversation, own }) => seen.push([conversation, own]));
  const names = ["bob@test.com;x@y", "alice@test.com;x@y", "\ufeffbob@test.com", "bob@test.com\ufeff"];
  for (const [at, From] of names.entries()) {
    await socket.receive(message({ From, CSeq: 10 + at }));
    await socket.receive(message({ From, CSeq: 20 + at, "Content-Type": "receipt", Body: { read: ["a"] } }));
  }
  assert.deepEqual(seen, names.flatMap((name) => [[name, false], [name, false]]));
});

test("a receipt that is said in a room is no receipt", async () => {
  const { client, socket } = await online();
  const seen = [];
  client.on("message", ({ body }) => seen.push(body));
  client.on("receipt", () => seen.push("receipt"));
  await socket.receive(message({ To: "room:1@test.com", "Content-Type": "receipt", Body: { read: ["a"] } }));
  assert.deepEqual(seen, [{ read: ["a"] }]);
});

test("receipts", async () => {
  const { client, socket } = await online();
  const seen = [];
  client.on("receipt", (receipt) => seen.push(receipt));
  const receipt = (Body, CSeq) => message({ "Content-Type": "receipt", Body, CSeq });
  await socket.receive(receipt({ delivered: ["a", "b"] }, 1));
  await socket.receive(receipt({ read: ["a", 7] }, 2));
  await socket.receive(receipt(null, 3));
  await socket.receive(message({ "Content-Type": "receipt", Body: { read: ["b"] }, CSeq: 4, From: "alice@test.com", To: "bob@test.com" }));
  assert.deepEqual(seen, [
    { from: "bob@test.com", conversation: "bob@test.com", own: false, delivered: ["a", "b"], read: [] },
    { from: "bob@test.com", conversation: "bob@test.com", own: false, delivered: [], read: ["a"] },
    { from: "bob@test.com", conversation: "bob@test.com", own: false, delivered: [], read: [] },
    { from: "alice@test.com", conversation: "bob@test.com", own: true, delivered: [], read: ["b"] },
  ]);
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [200, 200, 200, 200]);
});

test("reading is told, in parts that fit into frames", async () => {
  const { client, socket } = await online();
  await client.markRead("bob@test.com", []);
  const ids = Array.from({ length: 250 }, (_, number) => `${number}`.padStart(64, "0"));
  const marking = watch(client.markRead("bob@test.com", ids));
  await settled();
  for (const part of [ids.slice(0, 200), ids.slice(200)]) {
    assert.equal(marking.result, undefined);
    const sent = socket.next();
    assert.deepEqual([sent.To, sent["Content-Type"], sent.Body], ["bob@test.com", "receipt", { read: part }]);
    await socket.answer(sent);
  }
  assert.equal(marking.result, "done");
});

/** A client with a token, and an HTTP side that the test answers. */
async function http() {
  const calls = [];
  const world = await online({
    fetch: (url, init) => new Promise((resolve, reject) => {
      const { signal, headers } = init;
      signal.addEventListener("abort", () => reject(new Error("aborted")));
      calls.push({ url, token: headers.Authorization, answer: (status, body) => resolve({ status, json: async () => body }), reject });
    }),
  });
  await assert.rejects(world.client.history("bob@test.com"), { status: 401 });
  watch(world.client.register());
  await world.socket.answer(world.socket.next(), 200, { Expire: 60, Token: "tok-1", "Token-Expire": 600 });
  return { ...world, socket: world.socket, calls };
}

test("history is asked for with the token", async () => {
  const { client, calls } = await http();
  const asking = watch(client.history("room:1@test.com", { before: 9, limit: 2 }));
  await settled();
  assert.deepEqual([calls[0].url, calls[0].token], ["http://server.test:8080/api/im/v1/history/room%3A1%40test.com?before=9&limit=2", "Bearer tok-1"]);
  const stored = (seq) => ({ seq, id: `id-${seq}`, from: "bob@test.com", to: "alice@test.com", date: DATE, content_type: null, body: seq, state: "read" });
  calls[0].answer(200, { code: 0, msg: "OK", messages: [stored(8), stored(7)], next: 7 });
  await settled();
  const { messages, next } = asking.result;
  assert.equal(next, 7);
  assert.deepEqual(messages.map(({ seq }) => seq), [7, 8], "oldest first");
  assert.deepEqual(messages[0], {
    seq: 7, id: "id-7", from: "bob@test.com", to: "alice@test.com", body: 7, state: "read", date: new Date(DATE), contentType: undefined,
  });

  const listing = watch(client.conversations());
  await settled();
  assert.equal(calls[1].url, "http://server.test:8080/api/im/v1/conversations");
  calls[1].answer(200, { conversations: [{ with: "bob@test.com", last: stored(8), unread: 3 }], next: null });
  await settled();
  const { conversations } = listing.result;
  assert.deepEqual([conversations[0].with, conversations[0].unread, conversations[0].last.id, listing.result.next], ["bob@test.com", 3, "id-8", null]);
});

test("a token that is not good any more is renewed once", async () => {
  for (const again of [200, 401]) {
    const { client, calls, socket } = await http();
    const asking = watch(client.history("bob@test.com"));
    await settled();
    calls[0].answer(401, { code: 7, msg: "Access denied" });
    await settled();
    await socket.answer(socket.next(), 200, { Expire: 60, Token: "tok-2", "Token-Expire": 600 });
    assert.equal(calls[1].token, "Bearer tok-2");
    calls[1].answer(again, { code: 7, msg: "Access denied", messages: [], next: null });
    await settled();
    if (again === 200) assert.deepEqual(asking.result, { messages: [], next: null });
    else assert.deepEqual([asking.result.status, asking.result.code, asking.result.message], [401, 7, "Access denied"]);
    assert.equal(calls.length, 2);
  }
});

test("a token is renewed once for all who find it too old", async () => {
  const { client, calls, socket } = await http();
  const asking = [watch(client.history("bob@test.com")), watch(client.conversations())];
  await settled();
  for (const call of calls.slice()) call.answer(401, { code: 7, msg: "Access denied" });
  await settled();
  await socket.answer(socket.next(), 200, { Expire: 60, Token: "tok-2", "Token-Expire": 600 });
  assert.equal(socket.next(), undefined);
  assert.deepEqual(calls.slice(2).map(({ token }) => token), ["Bearer tok-2", "Bearer tok-2"]);
  for (const call of calls.slice(2)) call.answer(200, { messages: [], conversations: [], next: null });
  await settled();
  for (const { result } of asking) assert.equal(result.next, null);
});

test("an HTTP side that refuses, is away, is no API, or is silent", async () => {
  const { client, calls, timers } = await http();
  const ask = async (how) => {
    const asking = watch(client.history("bob@test.com"));
    await settled();
    await how(calls.at(-1));
    await settled();
    assert.ok(asking.result instanceof HttpError);
    return [asking.result.status, asking.result.code, asking.result.message];
  };
  assert.deepEqual(await ask((call) => call.answer(503, { code: 101, msg: "busy" })), [503, 101, "busy"]);
  assert.deepEqual(await ask((call) => call.answer(404, null)), [404, -1, "HTTP status 404"]);
  assert.deepEqual(await ask((call) => call.reject(new Error("refused"))), [0, -1, "Error: refused"]);
  assert.deepEqual(await ask(() => timers.advance(10_000)), [0, -1, "no answer in time"]);
});
