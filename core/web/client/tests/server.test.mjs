// Against the real server, from Node.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, RejectedError, ReplacedError } from "rtcd-client";
import WebSocket from "ws";
import { next, Server, Wire } from "./support/server.mjs";

/** Nothing here waits for a fixed time; this is only for when all is lost. */
const PATIENCE = { timeout: 120_000 };
const BACKOFF = { base: 20, cap: 200 };

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

let number = 0;
/** Clients with names that no other test has, all connected; they are closed at the end of the test. */
async function clients(t, names, options = {}) {
  number += 1;
  const made = names.map((name) => new Client({ url: server.url, user: `${name}${number}@test.com`, WebSocket, backoff: BACKOFF, ...options }));
  t.after(() => Promise.all(made.map((client) => client.close())));
  await Promise.all(made.map((client) => client.connect()));
  return made;
}

test("requests, answered and refused", PATIENCE, async (t) => {
  const [alice] = await clients(t, ["alice"]);
  const refused = alice.request("SUBSCRIBE", { To: "room:1@test.com" });
  await assert.rejects(refused, (error) => error instanceof RejectedError && error.code === 400 && error.reason === "No Expire");
  const own = { "Request-URI": "Recv_MESSAGE", To: "x", Router: "test.com;type=conformance" };
  assert.equal((await alice.request("MESSAGE", own)).Code, 200);
  await assert.rejects(alice.invite("nobody@test.com").answered, { code: 480 });
});

test("a user cannot be connected twice", PATIENCE, async (t) => {
  const [alice] = await clients(t, ["alice"]);
  const replaced = next(alice, "state", (state) => state === "closed");
  let cause;
  alice.on("state", (_, error) => (cause = error));
  const other = new Client({ url: server.url, user: alice.user, WebSocket });
  t.after(() => other.close());
  await other.connect();
  await replaced;
  assert.ok(cause instanceof ReplacedError);
});

test("devices of one user are connected side by side", PATIENCE, async (t) => {
  const [desk] = await clients(t, ["alice"], { device: "desk" });
  const phone = new Client({ url: server.url, user: desk.user, device: "phone", WebSocket });
  t.after(() => phone.close());
  await phone.connect();
  const [bob] = await clients(t, ["bob"]);
  for (const device of [desk, phone]) {
    const called = next(device, "invite");
    const call = bob.invite(device.uri);
    (await called).accept(device.device);
    assert.equal((await call.answered).Body, device.device);
    await call.hangUp();
  }
});

test("a whole call", PATIENCE, async (t) => {
  const [alice, bob] = await clients(t, ["alice", "bob"]);
  const called = next(bob, "invite");
  const call = alice.invite(bob.user, "offer", { contentType: "sdp" });
  const ringing = next(call, "progress");
  const incoming = await called;
  assert.deepEqual([incoming.body, incoming.fields["Content-Type"], incoming.peer], ["offer", "sdp", alice.user]);
  incoming.progress();
  assert.equal((await ringing).Code, 180);
  incoming.accept("answer");
  assert.equal((await call.answered).Body, "answer");

  const asked = next(incoming, "request");
  const informed = call.info({ key: "5" });
  (await asked).respond(200, { Body: "heard" });
  assert.equal((await informed).Body, "heard");
  assert.equal(incoming.state, "confirmed");

  for (const [from, to] of [[call, incoming], [incoming, call]]) {
    const changing = next(to, "request");
    const changed = from.reinvite("new offer");
    (await changing).respond(200, { Body: "new answer" });
    assert.equal((await changed).Body, "new answer");
  }
  await incoming.hangUp();
  assert.equal((await call.ended).by, "peer");
});

test("calls that are not taken", PATIENCE, async (t) => {
  const [alice, bob] = await clients(t, ["alice", "bob"]);
  let called = next(bob, "invite");
  let call = alice.invite(bob.user);
  (await called).reject(603, "no time");
  await assert.rejects(call.answered, { code: 603 });

  called = next(bob, "invite");
  call = alice.invite(bob.user);
  const incoming = await called;
  incoming.progress();
  await next(call, "progress");
  await call.hangUp();
  assert.deepEqual([(await call.ended).by, (await incoming.ended).by], ["self", "peer"]);
});

test("a call is refreshed by both sides", PATIENCE, async (t) => {
  const quick = await Server.start({ jsip: { min_expire: "1s" } });
  t.after(() => quick.stop());
  // Four times: longer than the call would last without any refresh.
  const frames = { UPDATE: 0, 200: 0 };
  let enough;
  const refreshed = new Promise((resolve) => (enough = resolve));
  class Watched extends WebSocket {
    send(text) {
      const { Type, Code } = JSON.parse(text);
      frames[Code ?? Type] += 1;
      if (frames.UPDATE >= 4 && frames[200] >= 1 + 4) enough("refreshed");
      super.send(text);
    }
  }
  const [alice, bob] = await clients(t, ["alice", "bob"], { url: quick.url, WebSocket: Watched });
  const called = next(bob, "invite");
  const call = alice.invite(bob.user, "offer", { expire: 1 });
  (await called).accept();
  await call.answered;
  assert.equal(await Promise.race([refreshed, call.ended, (await called).ended]), "refreshed");
  await call.hangUp();
});

test("room chat", PATIENCE, async (t) => {
  const [alice, bob, carol] = await clients(t, ["alice", "bob", "carol"], { device: "desk" });
  const id = `room:${number}@test.com`;
  const rooms = [alice, bob, carol].map((client) => client.room(id));
  for (const [index, room] of rooms.entries()) await room.join(`Nick ${index}`);
  const heard = [bob, carol].map((client) => next(client, "message"));
  await rooms[0].send({ text: "hello" });
  for (const message of await Promise.all(heard)) {
    assert.deepEqual(
      [message.room, message.conversation, message.from, message.sender, message.own, message.body],
      [id, id, "Nick 0", alice.user, false, { text: "hello" }],
    );
  }
  await rooms[2].leave();
  await assert.rejects(rooms[2].send("still here?"), { code: 404, reason: "User Not Exist" });
});

test("a wire that is cut again and again loses nothing, and nothing comes twice", PATIENCE, async (t) => {
  const wire = await Wire.to(server.rtc);
  t.after(() => wire.stop());
  const [alice, bob] = await clients(t, ["alice", "bob"], { url: wire.url });
  const id = `room:${number}@test.com`;
  await Promise.all([alice, bob].map((client) => client.room(id).join(client.user)));
  const seen = [];
  const COUNT = 100;
  const all = next(bob, "message", ({ body }) => {
    seen.push(body);
    return seen.length === COUNT;
  });
  let cuts = 0;
  const said = (async () => {
    for (let index = 0; index < COUNT; index += 1) {
      const sent = alice.room(id).send(index);
      if (index % 10 === 5) {
        cuts += 1;
        wire.cut();
      }
      await sent;
    }
  })();
  await Promise.all([said, all]);
  assert.deepEqual(seen, Array.from({ length: COUNT }, (_, index) => index));
  assert.equal(cuts, 10);
});

test("a call goes on over a wire that is cut", PATIENCE, async (t) => {
  const wire = await Wire.to(server.rtc);
  t.after(() => wire.stop());
  const [alice, bob] = await clients(t, ["alice", "bob"], { url: wire.url });
  const called = next(bob, "invite");
  const call = alice.invite(bob.user, "offer");
  wire.cut();
  const incoming = await called;
  wire.cut();
  incoming.progress();
  wire.cut();
  incoming.accept("answer");
  wire.cut();
  assert.equal((await call.answered).Body, "answer");
  wire.cut();
  incoming.on("request", (request) => request.respond(200, { Body: request.fields.Body }));
  for (const Body of [1, 2, 3]) {
    const informed = call.info(Body);
    wire.cut();
    assert.equal((await informed).Body, Body);
  }
  const over = call.hangUp();
  wire.cut();
  await over;
  assert.equal((await incoming.ended).by, "peer");
});

test("a network that swallows all is noticed, and left", PATIENCE, async (t) => {
  const wire = await Wire.to(server.rtc);
  t.after(() => wire.stop());
  const [alice] = await clients(t, ["alice"], { url: wire.url, silence: 300 });
  wire.isSilent = true;
  const asked = alice.request("SUBSCRIBE", { To: "room:1@test.com" });
  const online = next(alice, "state", (state) => state === "online");
  await next(alice, "state", (state) => state === "reconnecting");
  wire.isSilent = false;
  await online;
  await assert.rejects(asked, { code: 400 });
});

test("a server that is killed and started again", PATIENCE, async (t) => {
  const own = await Server.start();
  t.after(() => own.stop());
  const [alice, bob] = await clients(t, ["alice", "bob"], { url: own.url });
  const id = `room:${number}@test.com`;
  await Promise.all([alice, bob].map((client) => client.room(id).join(client.user)));
  const called = next(bob, "invite");
  const call = alice.invite(bob.user);
  (await called).accept();
  await call.answered;

  await own.killAndRestart();
  // It knows neither the call nor the members: the call is over, and they join again.
  assert.deepEqual([(await call.ended).by, (await (await called).ended).by], ["client", "client"]);
  const heard = next(bob, "message");
  while (bob.state !== "online") await next(bob, "state");
  await bob.room(id).join(bob.user);
  await alice.room(id).send("still there");
  assert.equal((await heard).body, "still there");
});
