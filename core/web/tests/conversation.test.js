// A conversation without a page: each message once, in order, and never worse than it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation } from "../demo/js/conversation.js";
import { initials, roomOf, shown, userOf } from "../demo/js/names.js";

const theirs = (id, date, seq = null) => ({ id, date, seq, from: "bob", own: false, status: "unread", text: id });
const mine = (id, date, status = "sending") => ({ id, date, seq: null, from: "alice", own: true, status, text: id });
const ids = (conversation) => conversation.messages.map((message) => message.id);

test("live and from history, a message is there once", () => {
  const conversation = new Conversation("bob");
  assert.ok(conversation.add(theirs("a", 10)));
  assert.ok(!conversation.add(theirs("a", 10, 7)));
  assert.deepEqual(ids(conversation), ["a"]);
  assert.equal(conversation.messages[0].seq, 7);
});

test("whatever comes first, they stand by date, then by history, then as they came", () => {
  const conversation = new Conversation("bob");
  conversation.add(theirs("c", 30));
  conversation.add(theirs("a", 10, 1));
  conversation.add(theirs("b2", 20, 4));
  conversation.add(theirs("b1", 20, 3));
  conversation.add(theirs("c2", 30));
  assert.deepEqual(ids(conversation), ["a", "b1", "b2", "c", "c2"]);
});

test("messages of one moment stand as in the history, whatever came without its place", () => {
  const conversation = new Conversation("bob");
  conversation.add(theirs("three", 10, 3));
  conversation.add(theirs("two", 10));
  for (const [id, seq] of [["one", 1], ["two", 2], ["three", 3], ["four", 4]]) conversation.add(theirs(id, 10, seq));
  assert.deepEqual(ids(conversation), ["one", "two", "three", "four"]);
});

test("what is not sent stands last, whatever the clock here says", () => {
  const conversation = new Conversation("bob");
  conversation.add(mine("one", 5));
  conversation.add(mine("two", 4));
  conversation.add(theirs("a", 10));
  assert.deepEqual(ids(conversation), ["a", "one", "two"]);
  conversation.settle("one", "sent", 9);
  assert.deepEqual(ids(conversation), ["one", "a", "two"]);
});

test("a fate that comes late makes nothing worse", () => {
  const conversation = new Conversation("bob");
  conversation.add(mine("one", 5));
  conversation.settle("one", "read");
  conversation.settle("one", "delivered", 6);
  conversation.add({ ...mine("one", 6, "sent"), seq: 3 });
  assert.equal(conversation.ownById("one").status, "read");
  assert.ok(!conversation.reset("one", "failed", "late"));
  assert.ok(!conversation.settle("unknown", "read"));
});

test("what failed may go out again, or be dropped", () => {
  const conversation = new Conversation("bob");
  conversation.add(mine("one", 5));
  assert.ok(conversation.reset("one", "failed", "no room"));
  assert.ok(conversation.reset("one", "sending"));
  conversation.drop("one");
  conversation.drop("one");
  assert.equal(conversation.last, null);
});

test("names, as people write them", () => {
  assert.equal(userOf(" Alice "), "alice@rtc.example");
  assert.equal(userOf("bob@example.com"), "bob@example.com");
  for (const bad of ["", "a b", "a@", "@b", "room:x", "a;b", "a@b@c", "a/b"]) assert.equal(userOf(bad), null, bad);
  assert.equal(roomOf("#Lobby"), "room:lobby@rtc.example");
  assert.equal(roomOf("The Garden"), "room:the-garden@rtc.example");
  assert.equal(shown("room:lobby@rtc.example"), "lobby");
  assert.equal(shown("bob@example.com;device=phone"), "bob@example.com");
  assert.equal(initials("carol.diaz@rtc.example"), "CD");
  assert.equal(shown("a\u202egnp.exe@rtc.example"), "a\ufffdgnp.exe", "what turns the letters around is seen");
  assert.equal(userOf("bo\u200bb"), null);
});

test("an id that another sender uses again is that of another message", () => {
  const conversation = new Conversation("room:lobby");
  const of = (from, date, seq) => ({ ...theirs("same", date, seq), from, text: from });
  conversation.add(mine("same", 5, "sent"));
  assert.ok(conversation.add(of("mallory", 30, 9)));
  assert.ok(conversation.add(of("bob", 10, 2)));
  assert.ok(!conversation.add(of("bob", 10, 2)));
  assert.deepEqual(conversation.messages.map(({ from }) => from), ["alice", "bob", "mallory"]);
  conversation.settle("same", "read");
  assert.deepEqual(conversation.messages.map(({ status }) => status), ["read", "unread", "unread"]);
});

test("what is unread is counted, until it has been read here or elsewhere", () => {
  const conversation = new Conversation("bob");
  const [a, b, c] = [theirs("a", 10), theirs("b", 20), theirs("c", 30)];
  for (const message of [a, b, c]) conversation.add(message);
  assert.equal(conversation.unread, 3);
  conversation.markRead(a);
  conversation.add({ ...theirs("b", 20, 2), status: "read" });
  assert.deepEqual(conversation.unreadMessages(), [c]);
  conversation.markUnread(a);
  assert.deepEqual(conversation.unreadMessages(), [a, c]);
  conversation.markReadElsewhere(["a", "nobody's"]);
  assert.deepEqual(conversation.unreadMessages(), [c]);
  conversation.markReadUntil(30);
  assert.equal(conversation.unread, 0);
  assert.ok(conversation.messages.every(({ status }) => status === "read"));
});

test("whoever missed too much begins anew, but for what is not sent", () => {
  const conversation = new Conversation("bob");
  conversation.add(theirs("a", 10, 1));
  conversation.add(mine("one", 20));
  conversation.older = null;
  conversation.startAnew();
  assert.deepEqual([ids(conversation), conversation.unread, conversation.older], [["one"], 0, undefined]);
  assert.ok(conversation.settle("one", "sent", 30));
  assert.ok(conversation.add(theirs("a", 10, 1)));
});
