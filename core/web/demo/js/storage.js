// What the browser keeps. It may be forbidden, full, or hold nonsense: then the page does without. Whoever reads says what is no nonsense.

/** What is kept for longer than the tab. */
export const lasting = kept(() => localStorage);
/** What is the tab's own: two tabs may be two users. */
export const ofTab = kept(() => sessionStorage);

function kept(area) {
  return {
    /** `otherwise`, unless something is there and `isGood`. */
    read(name, otherwise, isGood) {
      try {
        const text = area().getItem(`rtcd.${name}`);
        const value = text === null ? otherwise : JSON.parse(text);
        return isGood(value) ? value : otherwise;
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

export const isText = (value) => typeof value === "string";

/** The values of an object that are good, by their names. */
export function goodEntries(object, isGood) {
  return typeof object === "object" && object !== null ? Object.entries(object).filter(([, value]) => isGood(value)) : [];
}

/** The device that this tab is: the same one after a reload, another one in another tab. */
export function deviceOfTab() {
  const known = ofTab.read("device", null, isText);
  if (known !== null && /^[\w.-]{1,64}$/.test(known)) return known;
  const device = `web-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
  ofTab.write("device", device);
  return device;
}
