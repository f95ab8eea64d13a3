// Somebody who uses no page, and may have any name.
import { createRequire } from "node:module";
import { Client } from "../../client/dist/rtcd-client.js";

const WebSocket = globalThis.WebSocket ?? createRequire(import.meta.url)("ws");

/** One who is signed in, until the test ends. */
export async function stranger(t, server, user, device) {
  const client = new Client({ url: `${server.url.replace("http", "ws")}rtc`, user, device, WebSocket });
  client.on("message", () => {});
  await client.connect();
  t.after(() => client.close());
  await client.register();
  return client;
}
