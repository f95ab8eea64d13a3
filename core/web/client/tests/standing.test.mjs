// What is kept up: the registration, presence of others, memberships of rooms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RejectedError, TimeoutError } from "rtcd-client";
import { online, reconnect, request, settled, watch } from "./support/fake.mjs";

const GRANT = { Expire: 60, Token: "tok-1", "Token-Expire": 600 };

async function registered(options) {
  const world = await online(options);
  const registration = watch(world.client.register());
  await world.socket.answer(world.socket.next(), 200, GRANT);
  return { ...world, registration, socket: world.socket };
}

test("a registration is refreshed long before its time is over", async () => {
  const { socket, registration, timers, client } = await registered();
  const [{ From, To, Type, "Request-URI": uri, Expire, Presence }] = socket.sent;
  assert.deepEqual([From, To, Type, uri, Expire, Presence], ["alice@test.com", "alice@test.com", "REGISTER", "alice@test.com", 150, undefined]);
  assert.deepEqual(registration.result, { expire: 60, token: "tok-1", tokenExpire: 600 });
  await timers.advance(23_999);
  assert.equal(socket.next(), undefined);
  await timers.advance(1);
  await socket.answer(socket.sent.at(-1), 200, { Expire: 20 });
  await timers.advance(8_000);
  assert.equal(socket.sent.length, 3);
  await socket.answer(socket.sent.at(-1), 200, { ...GRANT, "Token-Expire": 8 });
  await timers.advance(3_200);
  assert.equal(socket.sent.length, 4, "a token is renewed in time too");
  watch(client.unregister());
  assert.equal(socket.sent.at(-1).Expire, 0);
  await socket.answer(socket.sent[3]); // the answer to the one before comes too late
  await socket.answer(socket.sent[4]);
  await timers.advance(600_000);
  assert.equal(socket.sent.filter(({ Type }) => Type === "REGISTER").length, 5);
});

test("presence and time are said, and remembered", async () => {
  const { client, socket, timers } = await registered();
  watch(client.register({ presence: "busy", expire: 40 }));
  await socket.answer(socket.sent[1]); // grants nothing by name: what was asked for counts
  await timers.advance(16_000);
  watch(client.register({ presence: "online" }));
  assert.deepEqual(socket.sent.slice(1).map(({ Presence, Expire }) => [Presence, Expire]), [["busy", 40], ["busy", 40], ["online", 40]]);
});

test("a registration that is refused", async () => {
  const { client, socket, timers, errors } = await online({ heartbeat: Infinity });
  const first = watch(client.register());
  await socket.answer(socket.next(), 403, { Reason: "not yours" });
  assert.ok(first.result instanceof RejectedError);
  await timers.advance(60_000);
  assert.equal(socket.sent.length, 1, "and it is not tried again");
  await client.unregister();
  assert.equal(socket.sent.length, 1);
  assert.deepEqual(errors, []);
});

test("a refresh that fails is told, and tried again", async () => {
  const { socket, timers, errors } = await registered({ heartbeat: Infinity, silence: Infinity });
  await timers.advance(24_000);
  await socket.answer(socket.sent[1], 503);
  assert.deepEqual(errors.map(({ code }) => code), [503]);
  await timers.advance(4_999);
  assert.equal(socket.sent.length, 2);
  await timers.advance(1);
  assert.equal(socket.sent.length, 3);
  await timers.advance(30_000);
  assert.ok(errors[1] instanceof TimeoutError);
  await timers.advance(5_000);
  await socket.answer(socket.sent[3], 200, GRANT);
  await timers.advance(24_000);
  assert.equal(socket.sent.length, 5);
});

test("a change that is refused ends no refreshing", async () => {
  const { client, socket, timers } = await registered({ heartbeat: Infinity, silence: Infinity });
  const change = watch(client.register({ presence: "busy" }));
  await socket.answer(socket.sent[1], 503);
  assert.equal(change.result.code, 503);
  await timers.advance(5_000);
  assert.equal(socket.sent[2].Presence, undefined, "as it was before");
  await socket.answer(socket.sent[2], 200, GRANT);

  watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.sent[3], 200, { Expire: 600 });
  const asked = watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.sent[4], 503);
  assert.equal(asked.result.code, 503);
  const room = client.room("room:1@test.com");
  watch(room.join("Al"));
  await socket.answer(socket.sent[5]);
  const renamed = watch(room.join("Bo"));
  await socket.answer(socket.sent[6], 503);
  assert.equal(renamed.result.code, 503);
  await timers.advance(5_000);
  assert.deepEqual(socket.sent.slice(7).map(({ Type, To, From }) => [Type, To, From]), [
    ["SUBSCRIBE", "bob@test.com", "alice@test.com"],
    ["SUBSCRIBE", "room:1@test.com", "Al"],
  ]);
});

test("a token that cannot be renewed ends no refreshing", async () => {
  const { client, socket, timers } = await registered({ fetch: async () => ({ status: 401, json: async () => ({}) }) });
  const asked = watch(client.history("bob@test.com"));
  await settled();
  await socket.answer(socket.sent[1], 503);
  assert.equal(asked.result.code, 503);
  await timers.advance(5_000);
  assert.equal(socket.sent[2].Type, "REGISTER");
});

test("all is said anew on a new socket", async () => {
  const world = await registered({ device: "phone" });
  const { client, socket } = world;
  watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.sent[1], 200, { Expire: 300 });
  const room = client.room("room:1@test.com");
  watch(room.join("Al"));
  await socket.answer(socket.sent[2]);
  const { sent } = await reconnect(world);
  assert.deepEqual(sent.map(({ Type, To, From, Expire }) => [Type, To, From, Expire]), [
    ["REGISTER", "alice@test.com", "alice@test.com", 150],
    ["SUBSCRIBE", "room:1@test.com", "Al", 120],
    ["SUBSCRIBE", "bob@test.com", "alice@test.com", 300],
  ]);
});

const notify = (body, fields = {}) =>
  request("NOTIFY", { DialogueID: "n1", Event: "presence", "Subscription-State": "active;expires=300", Body: body, ...fields });

test("the news of a user", async () => {
  const { client, socket } = await online();
  const news = [];
  client.on("presence", (one) => news.push(one));
  const subscribing = watch(client.subscribePresence("bob@test.com"));
  const subscribe = socket.next();
  assert.deepEqual([subscribe.Type, subscribe.Event, subscribe.Expire, subscribe.To], ["SUBSCRIBE", "presence", 300, "bob@test.com"]);
  await socket.answer(subscribe, 200, { Expire: 300 });
  const bob = subscribing.result;
  assert.deepEqual([bob.user, bob.state, bob.devices], ["bob@test.com", "away", []]);
  const devices = [{ device: "phone", state: "busy" }];
  await socket.receive(notify({ user: "bob@test.com", state: "busy", devices }));
  assert.equal(socket.next().Code, 200);
  await socket.receive(notify({ user: "bob@test.com", state: "asleep" }, { CSeq: 8 })); // nothing that is known
  await socket.receive(notify({ state: "online" }, { CSeq: 9 }));
  assert.deepEqual(news, [
    { user: "bob@test.com", state: "busy", devices },
    { user: "bob@test.com", state: "online", devices: [] },
  ]);
  assert.equal(bob.state, "online");
  assert.equal((await Promise.all([client.subscribePresence("bob@test.com"), settled().then(() => socket.answer(socket.sent.at(-1)))]))[0], bob);
  // Those of whom nobody wants to know.
  await socket.receive(notify({ state: "online" }, { From: "carol@test.com", CSeq: 10 }));
  assert.equal(socket.sent.at(-1).Code, 200);
  watch(bob.unsubscribe());
  assert.equal(socket.sent.at(-1).Expire, 0);
  await socket.receive(notify({ state: "online" }, { CSeq: 11 }));
  assert.equal(socket.sent.at(-1).Code, 200);
  await bob.unsubscribe();
  assert.equal(news.length, 2);
  // Of other events.
  await socket.receive(notify({}, { Event: "weather", CSeq: 12 }));
  assert.equal(socket.sent.at(-1).Code, 501);
});

test("a subscription is refreshed, and made again when the server ends it", async () => {
  const { client, socket, timers, errors } = await online({ heartbeat: Infinity });
  watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.sent[0], 200, { Expire: 60 });
  await timers.advance(30_000);
  await socket.answer(socket.sent[1], 503);
  assert.equal(errors.length, 1);
  await timers.advance(5_000);
  await socket.answer(socket.sent[2], 200, { Expire: 600 });
  await socket.receive(notify({ state: "away" }, { "Subscription-State": "terminated;reason=timeout" }));
  await timers.advance(5_000);
  assert.deepEqual(socket.sent.slice(4).map(({ Type }) => Type), ["SUBSCRIBE"]);
});

test("a subscription that is refused", async () => {
  const { client, socket, timers } = await online({ heartbeat: Infinity });
  const subscribing = watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.next(), 403);
  assert.equal(subscribing.result.code, 403);
  await timers.advance(600_000);
  assert.equal(socket.sent.length, 1);
});

test("a room is joined, spoken in, kept and left", async () => {
  const { client, socket, timers, errors } = await online({ device: "phone", heartbeat: Infinity });
  const room = client.room("room:1@test.com");
  assert.equal(client.room("room:1@test.com"), room);
  const joining = watch(room.join("Al"));
  const join = socket.next();
  assert.deepEqual(
    [join.Type, join.To, join["Request-URI"], join.From, join.Expire, join["P-Asserted-Identity"]],
    ["SUBSCRIBE", "room:1@test.com", "room:1@test.com", "Al", 120, "alice@test.com;device=phone"],
  );
  assert.equal(room.joined, false);
  await socket.answer(join);
  assert.deepEqual([room.joined, joining.result], [true, "done"]);
  const sending = watch(room.send("hello", { id: "m1" }));
  await settled();
  const message = socket.next();
  assert.deepEqual(
    [message.Type, message.To, message.From, message["P-Asserted-Identity"], message.Body, message["Message-ID"]],
    ["MESSAGE", "room:1@test.com", "Al", "alice@test.com;device=phone", "hello", "m1"],
  );
  await socket.answer(message, 200, { "Message-ID": "m1", Date: "2026-11-24T10:00:00.000Z" });
  assert.deepEqual([sending.result.id, sending.result.date.toISOString()], ["m1", "2026-11-24T10:00:00.000Z"]);
  await timers.advance(60_000);
  await socket.answer(socket.next(), 503);
  assert.equal(errors.length, 1);
  await timers.advance(5_000);
  await socket.answer(socket.next());
  const leaving = watch(room.leave());
  const leave = socket.next();
  assert.deepEqual([leave.Expire, leave.From, room.joined], [0, "Al", false]);
  await socket.answer(leave, 404, { Reason: "Room Not Exist" });
  assert.equal(leaving.result, "done");
  await timers.advance(600_000);
  assert.equal(socket.next(), undefined);
});

test("a room that refuses", async () => {
  const { client, socket, timers } = await online({ heartbeat: Infinity });
  const room = client.room("room:1@test.com");
  const joining = watch(room.join("Al"));
  await socket.answer(socket.next(), 503);
  assert.deepEqual([joining.result.code, room.joined], [503, false]);
  const sending = watch(room.send("hello"));
  await settled();
  await socket.answer(socket.next(), 404);
  assert.equal(sending.result.code, 404);
  const leaving = watch(room.leave());
  await socket.answer(socket.next(), 503);
  assert.equal(leaving.result.code, 503);
  await timers.advance(600_000);
  assert.equal(socket.next(), undefined);
});

test("a server that has forgotten its members is joined again, and told again", async () => {
  const { client, socket } = await online();
  const room = client.room("room:1@test.com");
  watch(room.join("Al"));
  await socket.answer(socket.next());
  const sending = watch(room.send("hello"));
  await settled();
  const first = socket.next();
  await socket.answer(first, 404, { Reason: "User Not Exist" });
  await socket.answer(socket.next());
  await settled();
  const second = socket.next();
  assert.deepEqual([second.Type, second["Message-ID"]], ["MESSAGE", first["Message-ID"]]);
  await socket.answer(second);
  assert.equal(sending.result.id, first["Message-ID"]);
});

test("closing says good-bye", async () => {
  const { client, socket, timers } = await registered();
  watch(client.subscribePresence("bob@test.com"));
  await socket.answer(socket.sent[1]);
  watch(client.room("room:1@test.com").join("Al"));
  await socket.answer(socket.sent[2]);
  void client.close();
  assert.deepEqual(socket.sent.slice(3).map(({ Type, To, Expire }) => [Type, To, Expire]), [
    ["REGISTER", "alice@test.com", 0],
    ["SUBSCRIBE", "room:1@test.com", 0],
  ]);
  socket.finish();
  await settled();
  assert.equal(timers.pending, 0);
});
