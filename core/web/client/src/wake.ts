/** When a browser's network or tab comes back. */

/** Calls back whenever it does. What is given back ends that. Elsewhere than in a browser nothing ever happens. */
export function onWake(callback: () => void): () => void {
  const page = globalThis.document;
  const onVisible = () => page.visibilityState === "visible" && callback();
  globalThis.addEventListener?.("online", callback);
  page?.addEventListener("visibilitychange", onVisible);
  return () => {
    globalThis.removeEventListener?.("online", callback);
    page?.removeEventListener("visibilitychange", onVisible);
  };
}
