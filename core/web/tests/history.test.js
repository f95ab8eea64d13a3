// Pages of history, without a page and without a server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../demo/js/conversation.js";
import { History } from "../demo/js/history.js";

/** A server that keeps so many messages of bob, the last of them unread, and gives few of them at once. */
function rig(count, unread, most = 7) {
  const stored = Array.from({ length: count }, (_, at) => ({
    seq: at + 1, id: `m${at + 1}`, from: "bob", date: new Date(1000 + at), body: `m${at + 1}`, state: at < count - unread ? "read" : "delivered",
  }));
  const world = { conversation: new Conversation("bob") };
  const client = {
    async history(name, { before = Infinity, after }) {
      const rest = stored.filter(({ seq }) => (after === undefined ? seq < before : seq > after));
      const messages = after === undefined ? rest.slice(-most) : rest.slice(0, most);
      const isEnd = messages.length === rest.length;
      return { messages, next: isEnd ? null : (after === undefined ? messages[0] : messages.at(-1)).seq };
    },
  };
  world.history = new History(client, "alice", { readUntil: () => 0 });
  world.catchUp = async (number) => {
    await world.history.catchUp(world.conversation);
    if (number !== undefined) await world.history.unread(world.conversation, number);
  };
  world.count = () => world.conversation.messages.length;
  return world;
}

test("all that is unread comes, in pages that are shorter than was asked for, and no more", async () => {
  const world = rig(100, 30);
  await world.catchUp(30);
  assert.deepEqual([world.conversation.unread, world.count(), world.conversation.older], [30, 35, 66]);
  world.conversation.markReadUntil(Infinity);
  await world.catchUp(30);
  assert.equal(world.count(), 35, "what was said once is not asked for again");
});

test("as long as nobody knows how much is unread, the latest page is here, and the rest comes later", async () => {
  const world = rig(100, 30);
  await world.catchUp();
  assert.equal(world.count(), 7);
  // Read here, and the server knows it.
  world.conversation.markReadUntil(Infinity);
  await world.catchUp(23);
  assert.deepEqual([world.conversation.unread, world.count()], [23, 35]);
});

test("two who ask at once get no less", async () => {
  const world = rig(100, 30);
  await Promise.all([world.catchUp(30), world.catchUp(30)]);
  assert.deepEqual([world.conversation.unread, world.conversation.older], [30, 66]);
});

test("what came meanwhile is here to its end, however short the pages are", async () => {
  const world = rig(100, 0, 1);
  world.conversation.older = 50;
  world.conversation.newestSeq = 60;
  await world.catchUp(0);
  assert.equal(world.count(), 40);
  assert.equal(world.conversation.newestSeq, 100);
});
