// Calls in which all happens at once: both sides do what they like while their wires are cut. However it goes, both learn that it is over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "rtcd-client";
import WebSocket from "ws";
import { Server, Wire } from "./support/server.mjs";

const ROUNDS = Number(process.env.RTCD_ROUNDS ?? 60);
const SEED = Number(process.env.RTCD_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: what is drawn can be drawn again. */
function drawing(seed) {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** A few turns of the event loop: what is done in between falls between any two frames. */
async function turns(count) {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

test("calls that cross", { timeout: 300_000 }, async (t) => {
  t.diagnostic(`RTCD_SEED=${SEED}`);
  const draw = drawing(SEED);
  const server = await Server.start();
  t.after(() => server.stop());
  const wires = [await Wire.to(server.rtc), await Wire.to(server.rtc)];
  t.after(() => Promise.all(wires.map((wire) => wire.stop())));
  const [alice, bob] = ["alice@test.com", "bob@test.com"].map(
    (user, index) => new Client({ url: wires[index].url, user, WebSocket, backoff: { base: 5, cap: 20 } }),
  );
  t.after(() => Promise.all([alice.close(), bob.close()]));
  await Promise.all([alice.connect(), bob.connect()]);

  const taken = [];
  bob.on("invite", (call) => {
    taken.push(call);
    const [ring, accept, refuse, wait] = [() => call.progress(), () => call.accept("answer"), () => call.reject(603), () => {}];
    void act(call, [ring, ring, accept, accept, accept, accept, refuse, () => call.hangUp(), wait, wait]);
  });

  /** What both sides do, until it is over. */
  async function act(call, actions) {
    call.on("request", (request) => request.respond(200));
    while (call.state !== "ended") {
      await turns(draw(1000));
      if (draw(6) === 0) wires[draw(2)].cut();
      const anything = [...actions, () => call.info("?").catch(() => {}), () => call.reinvite("offer").catch(() => {})];
      anything[draw(anything.length)]();
    }
  }

  const outcomes = {};
  for (let round = 0; round < ROUNDS; round += 1) {
    const call = alice.invite("bob@test.com", "offer");
    const answered = call.answered.then(() => "answered", ({ code, name }) => code ?? name);
    void act(call, [() => call.hangUp(), ...Array(8).fill(() => {})]);
    const [outcome] = await Promise.all([answered, call.ended]);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  await Promise.all(taken.map((call) => call.ended));
  t.diagnostic(JSON.stringify(outcomes));
  const known = ["answered", "486", "487", "603", "480"];
  assert.deepEqual(Object.keys(outcomes).filter((outcome) => !known.includes(outcome)), []);

});
