// Against the real server, from a browser.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Server, Wire } from "./support/server.mjs";

const PATIENCE = { timeout: 120_000 };
const dist = join(dirname(fileURLToPath(import.meta.url)), "../dist");

let rtcd, files, browser;
before(async () => {
  rtcd = await Server.start();
  files = createServer(async (request, response) => {
    const name = /^\/([\w-]+\.js)$/.exec(request.url)?.[1];
    response.setHeader("Content-Type", name === undefined ? "text/html" : "text/javascript");
    response.end(name === undefined ? "<!doctype html><title>test</title>" : await readFile(join(dist, name)));
  });
  files.listen(0, "127.0.0.1");
  await once(files, "listening");
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
});
after(async () => {
  await browser?.close();
  files?.close();
  await rtcd?.stop();
});

/** A tab with a client in `window.client`, whose messages gather in `window.seen`. */
async function tab(t, user, url = rtcd.url, backoff = { base: 20, cap: 200 }) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(error));
  t.after(() => assert.deepEqual(problems, []));
  await page.goto(`http://127.0.0.1:${files.address().port}/`);
  await page.evaluate(async ({ user, url, backoff }) => {
    const { Client } = await import("/rtcd-client.js");
    window.seen = [];
    window.states = [];
    window.client = new Client({ url, user, device: "tab", backoff });
    window.client.on("message", ({ from, body }) => window.seen.push(`${from}: ${body}`));
    window.client.on("state", (state) => window.states.push(state));
    await window.client.connect();
  }, { user, url, backoff });
  return page;
}

test("room chat between two tabs, over wires that are cut", PATIENCE, async (t) => {
  const wire = await Wire.to(rtcd.rtc);
  t.after(() => wire.stop());
  const [alice, bob] = [await tab(t, "alice@test.com", wire.url), await tab(t, "bob@test.com", wire.url)];
  for (const page of [alice, bob]) await page.evaluate(() => window.client.room("room:1@test.com").join(window.client.user));
  const expected = [];
  for (let index = 0; index < 10; index += 1) {
    const sent = alice.evaluate((body) => window.client.room("room:1@test.com").send(body), index);
    if (index % 3 === 2) wire.cut();
    await sent;
    expected.push(`alice@test.com: ${index}`);
  }
  await bob.waitForFunction((count) => window.seen.length >= count, expected.length);
  assert.deepEqual(await bob.evaluate(() => window.seen), expected);
  assert.ok((await alice.evaluate(() => window.states)).includes("reconnecting"));
});

test("messages, presence and history, from a page of another origin", PATIENCE, async (t) => {
  const [alice, bob] = [await tab(t, "alice5@test.com"), await tab(t, "bob5@test.com")];
  const online = alice.evaluate(async () => {
    await window.client.register();
    const seen = new Promise((resolve) => window.client.on("presence", ({ state }) => state === "online" && resolve(state)));
    await window.client.subscribePresence("bob5@test.com");
    return seen;
  });
  await bob.evaluate(() => window.client.register());
  assert.equal(await online, "online");
  const { status, id } = await alice.evaluate(() => window.client.message("bob5@test.com", { text: "hello" }));
  assert.equal(status, "delivered");
  await bob.waitForFunction(() => window.seen.length > 0);
  const kept = await bob.evaluate(async () => {
    for (;;) {
      const { messages } = await window.client.history("alice5@test.com");
      if (messages.length > 0) return messages.map(({ id, body }) => [id, body]);
    }
  });
  assert.deepEqual(kept, [[id, { text: "hello" }]]);
});

test("a call between two tabs", PATIENCE, async (t) => {
  const [alice, bob] = [await tab(t, "alice2@test.com"), await tab(t, "bob2@test.com")];
  await bob.evaluate(() => {
    window.client.on("invite", (call) => {
      call.progress();
      call.accept(`answer to ${call.body}`);
      window.call = call;
    });
  });
  const answer = await alice.evaluate(async () => {
    window.call = window.client.invite("bob2@test.com", "offer");
    return (await window.call.answered).Body;
  });
  assert.equal(answer, "answer to offer");
  await alice.evaluate(() => window.call.hangUp());
  assert.equal(await bob.evaluate(async () => (await window.call.ended).by), "peer");
});

test("a tab that goes offline connects as soon as it is online", PATIENCE, async (t) => {
  const wire = await Wire.to(rtcd.rtc);
  t.after(() => wire.stop());
  const page = await tab(t, "alice3@test.com", wire.url, { base: 3_600_000, cap: 3_600_000 });
  await page.evaluate(() => window.client.room("room:3@test.com").join("Al"));
  await page.context().setOffline(true);
  wire.cut();
  await page.waitForFunction(() => window.client.state === "reconnecting");
  const sent = page.evaluate(() => window.client.room("room:3@test.com").send("from the tunnel"));
  await page.context().setOffline(false);
  assert.match((await sent).id, /^[0-9a-f]{32}$/);
});

test("the same user and device in another tab", PATIENCE, async (t) => {
  const first = await tab(t, "alice4@test.com");
  await tab(t, "alice4@test.com");
  await first.waitForFunction(() => window.client.state === "closed");
  assert.deepEqual(await first.evaluate(() => window.states), ["connecting", "online", "closed"]);
});
