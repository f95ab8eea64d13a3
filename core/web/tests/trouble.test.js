// What the server cannot do is told in words, and all else goes on.
import { mkdir, rmdir } from "node:fs/promises";
import path from "node:path";
import { Server } from "./support/server.js";
import { stage, test } from "./support/stage.js";

let database;
const on = stage(async () => {
  const folder = await Server.folder();
  // A folder in its place: the database cannot be opened.
  database = path.join(folder, "state/messages.db");
  await mkdir(database, { recursive: true });
  return folder;
});

test("without a database those who are there talk; what cannot be kept is told, and leaves when tried again", async () => {
  const window = await on.browser.window();
  const alice = await on.browser.signIn(window, on.server.url, "alice");
  const bob = await on.browser.signIn(window, on.server.url, "bob");
  await alice.add("person", "bob");
  await alice.say("Can you hear me?");
  await bob.choose("alice");
  await bob.message("Can you hear me?").waitFor();
  await alice.tick("Can you hear me?", "read");
  await alice.page.getByText("Earlier messages cannot be shown now.").waitFor();

  await alice.add("person", "carol");
  await alice.say("Read this tomorrow");
  await alice.tick("Read this tomorrow", "failed");
  await alice.page.getByText("Not sent. The server cannot take this right now.").waitFor();
  await alice.page.locator("#announcer", { hasText: "Your message to carol could not be sent" }).waitFor({ state: "attached" });
  await alice.screenshot("not-sent");

  await alice.page.reload();
  await alice.tick("Read this tomorrow", "failed");
  await rmdir(database);
  await alice.retryUntilSent("Read this tomorrow");
  await alice.page.getByText("Not sent.").waitFor({ state: "hidden" });
});
