// What the browser keeps. It may be forbidden, full, or hold nonsense: then the page does without.

/** What is kept for longer than the tab. */
export const lasting = kept(() => localStorage);
/** What is the tab's own: two tabs may be two users. */
export const ofTab = kept(() => sessionStorage);

function kept(area) {
  return {
    read(name, otherwise) {
      try {
        const text = area().getItem(`rtcd.${name}`);
        return text === null ? otherwise : JSON.parse(text);
      } catch {
        return otherwise;
      }
    },
    write(name, value) {
      try {
        area().setItem(`rtcd.${name}`, JSON.stringify(value));
      } catch {
        // Not kept.
      }
    },
    remove(name) {
      try {
        area().removeItem(`rtcd.${name}`);
      } catch {
        // Nor is it there.
      }
    },
  };
}

/** The device that this tab is: the same one after a reload, another one in another tab. */
export function deviceOfTab() {
  const known = ofTab.read("device");
  if (typeof known === "string") return known;
  const device = `web-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  ofTab.write("device", device);
  return device;
}
