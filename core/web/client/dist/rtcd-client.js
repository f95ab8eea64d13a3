/** Client of rtcd: JSIP over WebSocket, for browsers and Node. README.md has the whole of it. */
export { Client } from "./client.js";
export { ClosedError, ConnectionError, HttpError, RejectedError, ReplacedError, RtcdError, TimeoutError } from "./errors.js";
