/** How a client is made. */

import { DEFAULT_BACKOFF, type BackoffOptions } from "./backoff.js";
import type { Fetch } from "./history.js";
import type { StackOptions } from "./stack.js";
import { systemTimers, type Timers } from "./timers.js";
import type { WebSocketClass } from "./transport.js";

/** Of `new Client`. Times are in ms. */
export interface ClientOptions {
  /** The server: `ws://HOST:PORT/rtc` or `wss://…`. */
  url: string;
  /** Who this is, such as `alice@example.com`. */
  user: string;
  /** The name of this device: each device of a user has a socket of its own. */
  device?: string | undefined;
  /** The class to connect with; the global one if nothing is said. */
  WebSocket?: unknown;
  /** For the HTTP APIs; the global one if nothing is said. */
  fetch?: unknown;
  /** Where the HTTP APIs are; `/api` of the same host if nothing is said. */
  apiUrl?: string;
  /** How to wait between tries to connect. */
  backoff?: Partial<BackoffOptions>;
  /** A request waits so long for its answer; default 30 s, below the 32 s for which the server knows repeats. */
  timeout?: number;
  /** If nothing is heard for so long while an answer is due, the socket is given up; default 10 s. */
  silence?: number;
  /** If nothing is heard for so long, the server is asked for a sign; default 75 s. */
  heartbeat?: number;
  /** Requests without an answer; default 1024. */
  maxPending?: number;
  /** Bytes of the largest frame; default 64 KiB. */
  maxMessageSize?: number;
  /** At least 0 and below 1; `Math.random` if nothing is said. */
  random?: () => number;
  /** For tests. */
  timers?: Timers;
}

/** What is made of them. */
export interface CheckedOptions extends StackOptions {
  user: string;
  device: string | undefined;
  /** `user`, or `user;device=DEVICE`. */
  uri: string;
  apiUrl: string;
  fetch: Fetch;
}

/**
 * Checks, and fills in what was not said.
 * @throws TypeError
 */
export function check(options: ClientOptions): CheckedOptions {
  const { user, device } = options;
  if (typeof user !== "string" || user === "") throw new TypeError("user: a name is needed");
  if (device !== undefined && !/^[\w.-]{1,64}$/.test(device)) {
    throw new TypeError("device: 1 to 64 letters, digits, _, . and - are needed");
  }
  const url = new URL(options.url);
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw new TypeError("url: ws: or wss: is needed");
  const api = `${url.protocol === "ws:" ? "http:" : "https:"}//${url.host}/api`;
  url.searchParams.set("userid", user);
  if (device !== undefined) url.searchParams.set("device", device);
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (typeof WebSocket !== "function") throw new TypeError("WebSocket: there is no global one here; give one, such as that of the package ws");
  return {
    url: url.href,
    user,
    device,
    uri: device === undefined ? user : `${user};device=${device}`,
    apiUrl: (options.apiUrl ?? api).replace(/\/+$/, ""),
    // Browsers insist on being the `this` of their fetch.
    fetch: (options.fetch ?? ((...given: Parameters<typeof fetch>) => globalThis.fetch(...given))) as Fetch,
    WebSocket: WebSocket as WebSocketClass,
    backoff: { ...DEFAULT_BACKOFF, ...options.backoff },
    timeout: options.timeout ?? 30_000,
    silence: options.silence ?? 10_000,
    heartbeat: options.heartbeat ?? 75_000,
    maxPending: options.maxPending ?? 1024,
    maxMessageSize: options.maxMessageSize ?? 65_536,
    random: options.random ?? Math.random,
    timers: options.timers ?? systemTimers,
  };
}
