/** Ids that nobody else makes. */
/** 128 random bits in hexadecimal digits. `crypto.randomUUID` is not there for pages that are served without TLS. */
export declare function randomId(): string;
