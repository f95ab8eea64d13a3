// The list of people and rooms as the browser keeps it, for two tabs of one user.
import "./support/storage.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Roster } from "../demo/js/roster.js";

const names = (roster) => roster.shown().map(([name]) => name).sort();
const key = (user) => `rtcd.roster.${user}`;

test("what another tab does not know of yet is not gone", () => {
  const [one, two] = [new Roster("a"), new Roster("a")];
  one.add("bob", 10);
  const written = localStorage.getItem(key("a"));
  // The other tab still sees what was kept before.
  localStorage.removeItem(key("a"));
  two.add("carol", 20);
  one.readAgain();
  assert.deepEqual(names(one), ["bob", "carol"]);
  localStorage.setItem(key("a"), written);
  two.readAgain();
  assert.deepEqual(names(two), ["bob", "carol"]);
  one.add("dan", 30);
  assert.deepEqual(names(new Roster("a")), ["bob", "carol", "dan"]);
});

test("what was removed in one tab is so in the other, and stays so, until it is added again", () => {
  const [one, two] = [new Roster("b"), new Roster("b")];
  one.add("room:x", 10);
  const written = localStorage.getItem(key("b"));
  two.readAgain();
  two.hide("room:x", 15);
  one.readAgain();
  assert.deepEqual([names(one), one.isRemoved("room:x"), one.isRemoved("bob")], [[], true, false]);
  localStorage.setItem(key("b"), written);
  for (const roster of [one, two]) {
    roster.readAgain();
    assert.ok(roster.isRemoved("room:x"), "by what is older it does not come back");
  }
  two.add("room:x", 20);
  one.readAgain();
  assert.deepEqual(names(one), ["room:x"]);
});

test("what was read in either tab is read", () => {
  const [one, two] = [new Roster("c"), new Roster("c")];
  one.add("room:x", 10);
  const written = localStorage.getItem(key("c"));
  two.readAgain();
  two.setReadUntil("room:x", 50);
  localStorage.setItem(key("c"), written);
  two.readAgain();
  one.setReadUntil("room:x", 40);
  assert.deepEqual([one.readUntil("room:x"), two.readUntil("room:x")], [40, 50]);
  two.add("bob", 60);
  one.readAgain();
  assert.equal(one.readUntil("room:x"), 50);
});
