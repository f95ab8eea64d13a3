// Rooms that are joined and people who are watched, without a page and without a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Followed } from "../demo/js/followed.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const refused = (code) => Object.assign(new Error("no"), { name: "RejectedError", code });

/** A client whose requests are answered by the test. */
function rig(t) {
  const world = { asked: [], troubles: [], isWanted: true, waiting: [] };
  t.mock.method(globalThis, "setTimeout", (callback) => world.waiting.push(callback));
  /** Time is over for all that waits. */
  world.tick = () => world.waiting.splice(0).forEach((callback) => callback());
  const ask = (name) => new Promise((resolve, reject) => world.asked.push({ name, resolve, reject }));
  const client = { user: "alice", room: (name) => ({ join: () => ask(name) }), subscribePresence: ask };
  world.followed = new Followed(client, () => world.isWanted, ({ code }) => world.troubles.push(code));
  world.names = () => world.asked.map(({ name }) => name);
  world.refuse = (at, code) => {
    world.asked[at].reject(refused(code));
    return settled();
  };
  return world;
}

test("what cannot be followed now is tried again, and told once", async (t) => {
  const world = rig(t);
  for (const name of ["room:x", "bob"]) world.followed.add(name);
  await world.refuse(0, 503);
  await world.refuse(1, 503);
  world.tick();
  assert.deepEqual(world.names(), ["room:x", "bob", "room:x", "bob"]);
  await world.refuse(2, 503);
  assert.deepEqual(world.troubles, [503]);
  world.isWanted = false;
  world.tick();
  assert.equal(world.asked.length, 4);
});

test("what is refused for good is tried when somebody asks for it", async (t) => {
  const world = rig(t);
  world.followed.add("room:x");
  await world.refuse(0, 403);
  world.tick();
  assert.deepEqual([world.names(), world.troubles], [["room:x"], [403]]);
  world.followed.add("room:x");
  assert.equal(world.asked.length, 2);
});

test("what fails late takes nothing away from what was begun after it", async (t) => {
  const world = rig(t);
  world.followed.add("room:x");
  world.followed.onConnected();
  const begun = world.followed.add("room:x");
  await world.refuse(0, 503);
  assert.equal(world.followed.add("room:x"), begun);
  assert.deepEqual([world.names(), world.troubles], [["room:x", "room:x"], []]);
});
