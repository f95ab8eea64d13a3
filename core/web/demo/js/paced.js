/** ms between two runs at least; of slow work, so many times as long as it took. */
const REST = 40;
const SHARE = 4;

/**
 * Work that is wanted again and again, as a function that asks for it: soon, when what is going on now is over, but not so often that
 * nothing else finds the time.
 * `rest`: ms between two runs at least.
 */
export function paced(work, rest = REST) {
  let isWanted = false;
  let restsUntil = 0;

  function run() {
    isWanted = false;
    const began = performance.now();
    work();
    const now = performance.now();
    restsUntil = now + Math.max(rest, (now - began) * SHARE);
  }

  return () => {
    if (isWanted) return;
    isWanted = true;
    const wait = restsUntil - performance.now();
    if (wait <= 0) queueMicrotask(run);
    else setTimeout(run, wait);
  };
}
