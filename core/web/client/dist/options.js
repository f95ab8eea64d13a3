/** How a client is made. */
import { DEFAULT_BACKOFF } from "./backoff.js";
import { systemTimers } from "./timers.js";
/**
 * Checks, and fills in what was not said.
 * @throws TypeError
 */
export function check(options) {
    const { user, device } = options;
    if (typeof user !== "string" || user === "")
        throw new TypeError("user: a name is needed");
    if (device !== undefined && !/^[\w.-]{1,64}$/.test(device)) {
        throw new TypeError("device: 1 to 64 letters, digits, _, . and - are needed");
    }
    const url = new URL(options.url);
    if (url.protocol !== "ws:" && url.protocol !== "wss:")
        throw new TypeError("url: ws: or wss: is needed");
    const api = `${url.protocol === "ws:" ? "http:" : "https:"}//${url.host}/api`;
    url.searchParams.set("userid", user);
    if (device !== undefined)
        url.searchParams.set("device", device);
    const WebSocket = options.WebSocket ?? globalThis.WebSocket;
    if (typeof WebSocket !== "function")
        throw new TypeError("WebSocket: there is no global one here; give one, such as that of the package ws");
    return {
        url: url.href,
        user,
        device,
        uri: device === undefined ? user : `${user};device=${device}`,
        apiUrl: (options.apiUrl ?? api).replace(/\/+$/, ""),
        // Browsers insist on being the `this` of their fetch.
        fetch: (options.fetch ?? ((...given) => globalThis.fetch(...given))),
        WebSocket: WebSocket,
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
