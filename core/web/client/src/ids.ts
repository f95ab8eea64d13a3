/** Ids that nobody else makes. */

/** 128 random bits in hexadecimal digits. `crypto.randomUUID` is not there for pages that are served without TLS. */
export function randomId(): string {
  return Array.from(randomBytes(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function randomBytes(count: number): Uint8Array {
  // Node 18 has no global one. Ids must be unique, and are no secrets: who may do what is decided by whose socket it comes from.
  const source = globalThis.crypto as Crypto | undefined;
  return source ? source.getRandomValues(new Uint8Array(count)) : Uint8Array.from({ length: count }, () => Math.random() * 256);
}
