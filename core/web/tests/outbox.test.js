// What waits to be sent, without a page: in order, and told as failed only if it is.
import "./support/storage.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../demo/js/outbox.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const late = () => Object.assign(new Error("no answer in time"), { name: "TimeoutError" });
const refused = () => Object.assign(new Error("busy"), { name: "RejectedError", code: 503 });

/** An outbox whose messages leave when the test says so. */
function rig(user) {
  const world = { sent: [], fates: [], isConnected: true };
  const transmit = (item) => new Promise((resolve, reject) => world.sent.push({ id: item.id, resolve, reject }));
  world.outbox = new Outbox(user, transmit, ({ id }, status) => world.fates.push(`${id} ${status}`));
  world.outbox.isConnected = () => world.isConnected;
  world.put = (id, to = "bob") => world.outbox.put({ id, to, text: id, date: 1 });
  world.ids = () => world.sent.map(({ id }) => id);
  /** What becomes of the last one. */
  world.end = (error) => {
    if (error) world.sent.at(-1).reject(error);
    else world.sent.at(-1).resolve({ status: "sent", date: null });
    return settled();
  };
  return world;
}

test("what was written offline arrives in its order, however long it took", async () => {
  const world = rig("a");
  world.isConnected = false;
  world.put("one");
  world.put("two");
  await world.end(late());
  assert.deepEqual([world.ids(), world.fates], [["one"], []]);
  world.isConnected = true;
  world.outbox.flush();
  await world.end();
  await world.end();
  assert.deepEqual([world.ids(), world.fates], [["one", "one", "two"], ["one sent", "two sent"]]);
  assert.deepEqual(world.outbox.items(), []);
});

test("those to others do not wait", async () => {
  const world = rig("b");
  world.put("one");
  world.put("other", "carol");
  assert.deepEqual(world.ids(), ["one", "other"]);
});

test("whose time is over just after the connection is back leaves again", async () => {
  const world = rig("c");
  world.isConnected = false;
  world.put("one");
  world.isConnected = true;
  world.outbox.flush();
  await world.end(late());
  assert.deepEqual([world.ids(), world.fates], [["one", "one"], []]);
  await world.end(late());
  assert.deepEqual(world.fates, ["one failed"], "on this connection it had all its time");
});

test("one that was refused does not hold up the next, and says so until it is tried again", async () => {
  const world = rig("d");
  world.put("one");
  world.put("two");
  await world.end(refused());
  await world.end();
  assert.deepEqual([world.ids(), world.fates], [["one", "two"], ["one failed", "two sent"]]);
  assert.equal(new Outbox("d").items()[0].failed, true);
  world.outbox.retry("one");
  assert.equal(new Outbox("d").items()[0].failed, undefined, "kept over a reload");
  await world.end();
  assert.deepEqual([world.fates.at(-1), world.outbox.items()], ["one sent", []]);
});

test("what was taken back meanwhile has no fate", async () => {
  const world = rig("e");
  world.put("one");
  world.put("two");
  world.outbox.drop("one");
  await world.end(refused());
  assert.deepEqual([world.ids(), world.fates], [["one", "two"], []]);
});
