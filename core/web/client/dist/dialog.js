/** A call, as its user sees it. */
export {};
