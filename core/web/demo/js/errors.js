// What went wrong, in words that help.

const BY_CODE = {
  400: "The server did not understand this message.",
  401: "The server does not let you in. Sign in again.",
  403: "You are not allowed to do that.",
  404: "There is nobody and nothing of that name.",
  408: "There was no answer in time.",
  413: "That is too long to be sent.",
  429: "That was too fast. Try again in a moment.",
  480: "The receiver cannot be reached at the moment.",
  500: "Something went wrong at the server.",
  503: "The server cannot take this right now. Try again in a moment.",
  513: "That is too long to be sent.",
};

/** A sentence for an error of the client library. */
export function explain(error) {
  if (error?.name === "TimeoutError") return BY_CODE[408];
  if (error?.name === "ClosedError") return "You are not connected.";
  const code = error?.name === "HttpError" ? error.status : error?.code;
  if (!code) return "That did not work. Check your connection.";
  return BY_CODE[code] ?? `The server refused (${code}).`;
}

/** Whether the same may work a little later, on this connection. */
export function isForNow(error) {
  const code = error?.name === "HttpError" ? error.status : error?.code;
  return !code || code === 408 || code === 429 || code >= 500;
}

/** Whether it is worth trying again by itself when the connection is back. */
export function isPassing(error) {
  return error?.name === "TimeoutError" || error?.name === "ClosedError" || error?.code === 408;
}
