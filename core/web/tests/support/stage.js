// What each file of tests here has: a server and a browser.
import { after, afterEach, before } from "node:test";
import { Browser } from "./browser.js";
import { Server } from "./server.js";

/** Starts them before the tests of the file that calls it, in a folder of its own if it brings one, and ends them after. */
export function stage(folder = async () => null) {
  const stage = { server: null, browser: null };
  before(async () => {
    stage.server = await Server.start(0, await folder());
    stage.browser = await Browser.launch();
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
  });
  afterEach(() => stage.browser?.clear());
  return stage;
}
