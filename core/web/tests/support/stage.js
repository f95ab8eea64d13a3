// What each file of tests here has: a server and a browser; and a test that ends.
import { after, afterEach, before, test as plainTest } from "node:test";
import { Browser } from "./browser.js";
import { Server } from "./server.js";
import { within } from "./within.js";

/** ms for one test: none takes a tenth of it, unless something is wrong. */
const LIMIT = 120_000;
/** ms for the page to let somebody in. */
const SIGNED_IN = 30_000;

/** Whether a test of this file has failed: the page may be broken, and each wait of each further test would be waited out. */
let isSuspect = false;
let current = null;

/** Starts them before the tests of the file that calls it, in a folder of its own if it brings one, and ends them after. */
export function stage(folder = async () => null) {
  const stage = { server: null, browser: null };
  current = stage;
  before(async () => {
    stage.server = await Server.start(0, await folder());
    stage.browser = await Browser.launch();
    await tryPage(stage);
  });
  after(async () => {
    await stage.browser?.close();
    await stage.server?.stop();
  });
  afterEach(() => stage.browser?.clear());
  return stage;
}

/** A test that fails when its time is over; and at once, if one before it has failed and nobody can sign in any more. */
export function test(name, run) {
  plainTest(name, { timeout: LIMIT }, async (t) => {
    if (isSuspect) await tryPage(current);
    isSuspect = true;
    try {
      await run(t);
    } catch (error) {
      t.diagnostic(await current.browser.tell(name));
      throw error;
    }
    isSuspect = false;
  });
}

async function tryPage({ browser, server }) {
  const window = await browser.window();
  window.setDefaultTimeout(SIGNED_IN);
  const problem = new Promise((_, reject) => {
    browser.onProblem = (text) => reject(new Error(text));
  });
  const signedIn = browser.signIn(window, server.url, "probe");
  signedIn.catch(() => {}); // the problem may come first
  try {
    await within(SIGNED_IN, "signed in", Promise.race([signedIn, problem]));
  } catch (error) {
    throw new Error(`nobody can sign in on the page: ${error.message}`);
  } finally {
    browser.onProblem = null;
  }
  await browser.clear();
}
