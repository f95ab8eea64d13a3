/** When a browser's network or tab comes back. */
/** Calls back whenever it does. What is given back ends that. Elsewhere than in a browser nothing ever happens. */
export declare function onWake(callback: () => void): () => void;
