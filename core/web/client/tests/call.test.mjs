// Calls, both halves, over sockets that come and go.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClosedError, RejectedError, TimeoutError } from "rtcd-client";
import { online, reconnect, request, settled, watch } from "./support/fake.mjs";

/** alice calls bob. */
async function calling(options) {
  const world = await online({ heartbeat: Infinity, ...options });
  const call = world.client.invite("bob@test.com", "offer", { contentType: "sdp", headers: { Subject: "hi" } });
  const answered = watch(call.answered);
  const ended = watch(call.ended);
  return { ...world, call, answered, ended, invite: world.socket.next(), socket: world.socket };
}

/** And bob has taken it. */
async function up(options) {
  const world = await calling(options);
  await world.socket.answer(world.invite, 200, { Body: "answer" });
  assert.equal(world.socket.next().Type, "ACK");
  return world;
}

/** bob calls alice. */
async function called(options) {
  const world = await online({ heartbeat: Infinity, ...options });
  let call;
  world.client.on("invite", (dialog) => (call = dialog));
  await world.socket.receive(request("INVITE", { Body: "offer", Expire: 300 }));
  return { ...world, socket: world.socket, call, answered: watch(call.answered), ended: watch(call.ended) };
}

const ack = (fields = {}) => request("ACK", { CSeq: 8, RelatedID: 7, ...fields });

test("a whole call", async () => {
  const { call, invite, socket, answered, ended } = await calling();
  assert.deepEqual(
    [invite.Type, invite.To, invite.Body, invite["Content-Type"], invite.Subject, invite.Expire],
    ["INVITE", "bob@test.com", "offer", "sdp", "hi", 600],
  );
  assert.deepEqual([call.id, call.peer, call.direction, call.state, call.body], [invite.DialogueID, "bob@test.com", "out", "calling", "offer"]);
  const progress = [];
  call.on("progress", ({ Code, Body }) => progress.push([Code, Body]));
  await socket.answer(invite, 100);
  assert.equal(call.state, "calling");
  await socket.answer(invite, 180);
  await socket.answer(invite, 180); // the server says it again
  await socket.answer(invite, 183, { Body: "early" });
  assert.deepEqual(progress, [[180, undefined], [183, "early"]]);
  assert.equal(call.state, "early");
  await socket.answer(invite, 200, { Body: "answer" });
  assert.equal(call.state, "confirmed");
  assert.equal(answered.result.Body, "answer");
  assert.deepEqual(socket.next(), {
    Type: "ACK", "Request-URI": "bob@test.com", From: "alice@test.com", To: "bob@test.com", DialogueID: call.id, CSeq: 2, RelatedID: 1,
  });
  const over = watch(call.hangUp());
  const bye = socket.next();
  assert.deepEqual([bye.Type, bye["Request-URI"], bye.DialogueID, bye.CSeq], ["BYE", "bob@test.com", call.id, 3]);
  assert.deepEqual([call.state, over.result], ["ended", undefined]);
  await socket.answer(bye);
  assert.equal(over.result, "done");
  assert.deepEqual(ended.result, { by: "self", reason: "hung up" });
  await call.hangUp(); // it is over
  await assert.rejects(call.info("too late"), { code: 481 });
});

test("a call that is refused", async () => {
  const { call, invite, socket, answered, ended } = await calling();
  await socket.answer(invite, 486);
  assert.ok(answered.result instanceof RejectedError && answered.result.code === 486);
  assert.deepEqual(ended.result, { by: "peer", reason: "code 486" });
  assert.deepEqual([socket.next().Type, call.state], ["ACK", "ended"]);
});

test("a call that nobody answers", async () => {
  const { invite, socket, answered, ended, timers } = await calling();
  await timers.advance(100_000);
  await socket.answer(invite, 180);
  await timers.advance(124_999);
  assert.equal(answered.result, undefined);
  await timers.advance(1);
  assert.ok(answered.result instanceof TimeoutError);
  assert.equal(ended.result.by, "client");
  const cancel = socket.next();
  assert.deepEqual([cancel.Type, cancel.RelatedID], ["CANCEL", invite.CSeq]);
});

test("hanging up while it rings", async () => {
  const { call, invite, socket, answered, ended } = await calling();
  await socket.answer(invite, 180);
  const over = watch(call.hangUp());
  watch(call.hangUp());
  const cancel = socket.next();
  assert.deepEqual([cancel.Type, cancel.RelatedID, cancel.DialogueID], ["CANCEL", invite.CSeq, call.id]);
  await socket.answer(cancel);
  assert.equal(over.result, undefined);
  await socket.answer(invite, 487);
  assert.equal(over.result, "done");
  assert.equal(answered.result.code, 487);
  assert.deepEqual(ended.result, { by: "self", reason: "cancelled" });
  assert.deepEqual([socket.next().Type, socket.next()], ["ACK", undefined]);
});

test("the answer crosses the CANCEL", async () => {
  const { call, invite, socket, answered } = await calling();
  const over = watch(call.hangUp());
  const cancel = socket.next();
  await socket.answer(invite, 200);
  await socket.answer(cancel, 481);
  assert.deepEqual([socket.next().Type, socket.next().Type], ["ACK", "BYE"]);
  assert.equal(over.result, "done");
  assert.equal(answered.result.code, 487);
});

test("nobody answers the CANCEL", async () => {
  const { call, invite, socket, timers } = await calling({ silence: Infinity });
  const over = watch(call.hangUp());
  await timers.advance(31_999);
  assert.equal(over.result, undefined);
  await timers.advance(1);
  assert.equal(over.result, "done");
  // The answer that comes after all is hung up on.
  socket.next();
  await socket.answer(invite, 200);
  assert.deepEqual([socket.next().Type, socket.next().Type], ["ACK", "BYE"]);
});

test("the other side hangs up", async () => {
  const { call, socket, ended } = await up();
  const events = [];
  call.on("end", (end) => events.push(end.by));
  await socket.receive(request("BYE", { DialogueID: call.id, Reason: "battery" }));
  assert.equal(socket.next().Code, 200);
  assert.deepEqual([ended.result, events], [{ by: "peer", reason: "battery" }, ["peer"]]);
});

test("a BYE before any answer", async () => {
  const { call, invite, socket, answered } = await calling();
  await socket.receive(request("BYE", { DialogueID: call.id }));
  assert.equal(answered.result.code, 487);
  assert.equal(socket.next().Code, 200);
  await socket.answer(invite, 487);
  assert.equal(socket.next().Type, "ACK");
});

test("a call is taken", async () => {
  const { call, socket, answered } = await called();
  assert.deepEqual([call.peer, call.direction, call.state, call.body], ["bob@test.com", "in", "calling", "offer"]);
  call.progress();
  call.progress(183, "early");
  assert.equal(call.state, "early");
  call.accept("answer", { "Content-Type": "sdp" });
  call.accept("again");
  call.reject();
  call.progress();
  assert.deepEqual(socket.sent.map(({ Code, Body }) => [Code, Body]), [[180, undefined], [183, "early"], [200, "answer"]]);
  assert.equal(call.state, "answered");
  await socket.receive(ack({ RelatedID: 6 })); // of another one
  assert.equal(call.state, "answered");
  await socket.receive(ack());
  assert.equal(call.state, "confirmed");
  assert.equal(answered.result.Body, "answer");
  watch(call.hangUp());
  const bye = socket.sent.at(-1);
  assert.deepEqual([bye.Type, bye["Request-URI"], bye.From, bye.To], ["BYE", "bob@test.com", "alice@test.com", "bob@test.com"]);
});

test("a call is refused", async () => {
  for (const [refuse, code, reason] of [
    [(call) => call.reject(), 486, undefined],
    [(call) => call.reject(603, "not now"), 603, "not now"],
    [(call) => call.hangUp(), 603, undefined],
  ]) {
    const { call, socket, answered, ended } = await called();
    await refuse(call);
    const { Code, Reason } = socket.next();
    assert.deepEqual([Code, Reason, ended.result.by, answered.result.code], [code, reason, "self", 487]);
  }
});

test("the caller has second thoughts", async () => {
  for (const [Type, answers] of [["CANCEL", [200, 487]], ["BYE", [200, 487]]]) {
    const { call, socket, ended, answered } = await called();
    await socket.receive(request(Type, { CSeq: 8, RelatedID: 7 }));
    assert.deepEqual(socket.sent.map(({ Code }) => Code), answers);
    assert.deepEqual([ended.result.by, call.state, answered.result.code], ["peer", "ended", 487]);
    call.accept();
    assert.equal(socket.sent.length, 2);
  }
  const { call, socket } = await called();
  call.accept();
  await socket.receive(request("CANCEL", { CSeq: 8, RelatedID: 7 }));
  assert.deepEqual(socket.sent.map(({ Code }) => Code), [200, 481], "too late");
});

test("a call that is not taken in time, and one whose ACK never comes", async () => {
  const world = await called();
  await world.timers.advance(100_000);
  world.call.progress();
  await world.timers.advance(124_999);
  assert.equal(world.ended.result, undefined);
  await world.timers.advance(1);
  assert.deepEqual([world.ended.result.by, world.socket.sent.at(-1).Code], ["client", 480]);
  const other = await called();
  other.call.accept();
  await other.timers.advance(40_000);
  assert.deepEqual([other.ended.result.by, other.socket.sent.at(-1).Type], ["client", "BYE"]);
});

test("requests within a call, both ways", async () => {
  const { call, socket } = await up();
  const info = watch(call.info({ key: "5" }, { contentType: "dtmf" }));
  const sent = socket.next();
  assert.deepEqual([sent.Type, sent.Body, sent["Content-Type"], sent.DialogueID], ["INFO", { key: "5" }, "dtmf", call.id]);
  await socket.answer(sent);
  assert.equal(info.result.Code, 200);

  for (const [Type, code] of [["PRACK", 200], ["UPDATE", 200], ["INFO", 501], ["INVITE", 488], ["CANCEL", 481]]) {
    await socket.receive(request(Type, { DialogueID: call.id, CSeq: code }));
    assert.equal(socket.next().Code, code, Type);
  }
  call.on("request", (incoming) => incoming.respond(200, { Body: incoming.method }));
  await socket.receive(request("INVITE", { DialogueID: call.id, CSeq: 20 }));
  assert.equal(socket.next().Body, "INVITE");
  await socket.receive(ack({ DialogueID: call.id, CSeq: 21, RelatedID: 20 }));
  assert.equal(call.state, "confirmed");
});

test("re-INVITEs, taken and refused", async () => {
  const { call, socket } = await up();
  for (const code of [200, 491]) {
    const changed = watch(call.reinvite("new offer", { "Content-Type": "sdp" }));
    await settled();
    const invite = socket.next();
    assert.deepEqual([invite.Type, invite.Body, invite.DialogueID], ["INVITE", "new offer", call.id]);
    await socket.answer(invite, code);
    const { Type, RelatedID } = socket.next();
    assert.deepEqual([Type, RelatedID], ["ACK", invite.CSeq]);
    assert.equal(changed.result.Code ?? changed.result.code, code);
    assert.equal(call.state, "confirmed");
  }
});

test("the answer to a re-INVITE comes when the call is over", async () => {
  const { call, socket, timers } = await up({ silence: Infinity });
  const changed = watch(call.reinvite("new offer"));
  await settled();
  const invite = socket.next();
  watch(call.hangUp());
  await socket.answer(socket.next());
  await socket.answer(invite, 487);
  assert.deepEqual([changed.result.code, socket.next().Type, timers.pending], [487, "ACK", 0]);
});

test("a re-INVITE waits for the ACK of the other side's", async () => {
  for (const end of ["ACK", "time", "BYE"]) {
    const { call, socket, timers } = await up({ silence: Infinity });
    call.on("request", (incoming) => incoming.respond(200));
    await socket.receive(request("INVITE", { DialogueID: call.id, CSeq: 20 }));
    const changed = watch(call.reinvite("new offer"));
    await settled();
    assert.equal(socket.sent.at(-1).Code, 200);
    if (end === "ACK") await socket.receive(ack({ DialogueID: call.id, CSeq: 21, RelatedID: 20 }));
    if (end === "time") await timers.advance(32_000);
    if (end === "BYE") await socket.receive(request("BYE", { DialogueID: call.id, CSeq: 22 }));
    if (end === "BYE") assert.equal(changed.result.code, 481);
    else assert.equal(socket.sent.at(-1).Body, "new offer");
  }
});

test("the caller refreshes the call, and gives it up when that fails", async () => {
  const { socket, timers, ended } = await up({ silence: Infinity });
  await timers.advance(199_999);
  assert.equal(socket.next(), undefined);
  const start = socket.sent.length;
  await timers.advance(1);
  const update = socket.sent[start];
  assert.deepEqual([update.Type, update.Expire], ["UPDATE", 600]);
  await socket.answer(update);
  await timers.advance(604_999);
  assert.equal(ended.result, undefined);
  assert.deepEqual(socket.sent.slice(start + 1).map(({ Type }) => Type), ["UPDATE", "UPDATE", "UPDATE"]);
  await timers.advance(1);
  assert.deepEqual([ended.result.by, socket.sent.at(-1).Type], ["client", "BYE"]);
});

test("a server that does not know the call ends it", async () => {
  const { socket, timers, ended } = await up();
  await timers.advance(200_000);
  await socket.answer(socket.next(), 481);
  assert.equal(ended.result.by, "client");
  assert.equal(socket.sent.at(-1).Type, "UPDATE", "there is nobody to say good-bye to");
});

test("the called one waits for refreshes", async () => {
  const { call, socket, timers, ended } = await called();
  call.accept();
  await socket.receive(ack());
  await timers.advance(304_999);
  await socket.receive(request("UPDATE", { CSeq: 9 }));
  assert.equal(socket.sent.at(-1).Code, 200);
  await timers.advance(304_999);
  assert.equal(ended.result, undefined);
  await timers.advance(1);
  assert.deepEqual([ended.result.by, socket.sent.at(-1).Type], ["client", "BYE"]);
});

test("a call goes on over a new socket, and both sides ask whether it does", async () => {
  const out = await up();
  const socket = await reconnect(out);
  assert.deepEqual(socket.sent.map(({ Type }) => Type), ["ACK", "UPDATE"]);
  await socket.answer(out.invite, 200, { Body: "answer" }); // the server did not get the ACK
  assert.deepEqual(socket.sent.slice(2), [socket.sent[0]]);
  await socket.answer(socket.sent[1]);
  assert.equal(out.call.state, "confirmed");
  const next = await reconnect(out);
  await next.answer(next.sent.find(({ Type }) => Type === "UPDATE"), 481);
  assert.equal(out.ended.result.by, "client");

  const inward = await called();
  inward.call.accept("answer");
  const second = await reconnect(inward);
  assert.deepEqual(second.sent.map(({ Code, Type }) => Code ?? Type), [200, "UPDATE"], "it has no ACK yet");
  await second.receive(request("INVITE", { Body: "offer", Expire: 300 }));
  assert.equal(second.sent.length, 3);
  await second.receive(ack());
  const third = await reconnect(inward);
  assert.deepEqual(third.sent.map(({ Code, Type }) => Code ?? Type), ["UPDATE"], "the ACK has said that the answer arrived");
});

test("calling while there is no socket", async () => {
  const world = await online();
  await world.socket.lose();
  const call = world.client.invite("bob@test.com", "offer");
  const over = watch(call.hangUp());
  await world.timers.advance(250);
  await world.socket.open();
  const [invite, cancel] = world.socket.sent;
  assert.deepEqual([invite.Type, cancel.Type], ["INVITE", "CANCEL"]);
  await world.socket.answer(cancel);
  await world.socket.answer(invite, 487);
  assert.equal(over.result, "done");
});

test("closing the client ends its calls", async () => {
  const out = await up();
  void out.client.close();
  assert.equal(out.socket.next().Type, "BYE");
  const ringing = await calling();
  void ringing.client.close();
  assert.equal(ringing.socket.next().Type, "CANCEL");
  const inward = await called();
  void inward.client.close();
  assert.equal(inward.socket.next().Code, 480);
  const replaced = await up();
  await replaced.socket.lose(4001);
  for (const { ended, answered, timers, socket } of [out, ringing, inward, replaced]) {
    socket.finish();
    await Promise.resolve();
    assert.equal(ended.result.by, "client");
    if (answered.result.Code !== 200) assert.ok(answered.result instanceof ClosedError);
    assert.equal(timers.pending, 0);
  }
});

test("an INVITE that is too large", async () => {
  const world = await online({ maxMessageSize: 1000 });
  const call = world.client.invite("bob@test.com", "x".repeat(1000));
  await assert.rejects(call.answered, { code: 513 });
  assert.equal(call.state, "ended");
  await assert.rejects(async () => (await call.ended).by === "client" && Promise.reject(new Error("ended")), { message: "ended" });
});
