/** Ids that nobody else makes. */

/** 128 random bits in hexadecimal digits. `crypto.randomUUID` is not there for pages that are served without TLS. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
