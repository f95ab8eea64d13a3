// Elements without a framework. Whatever came from outside is only ever set as text.

const ICONS = {
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", "M12 2.5v2m0 15v2M2.5 12h2m15 0h2M5.3 5.3l1.4 1.4m10.6 10.6 1.4 1.4m0-13.4-1.4 1.4M6.7 17.3l-1.4 1.4"],
  moon: ["M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5Z"],
  back: ["M15 5l-7 7 7 7"],
  down: ["M12 5v14m-6-6 6 6 6-6"],
  close: ["M6 6l12 12M18 6 6 18"],
  send: ["M4.5 4.4 20.5 12 4.5 19.6 7 13l7-1-7-1Z"],
  phone: ["M6.5 4h3l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5v3a1.5 1.5 0 0 1-1.7 1.5A15.5 15.5 0 0 1 5 5.7 1.5 1.5 0 0 1 6.5 4Z"],
  video: ["M4.5 7h9A1.5 1.5 0 0 1 15 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7Z", "m15 11 5.5-3v8L15 13"],
  remove: ["M5 7h14M10 4h4M7 7l.8 12a1 1 0 0 0 1 1h6.4a1 1 0 0 0 1-1L17 7M10.5 11v5m3-5v5"],
  leave: ["M14 4H6.5A1.5 1.5 0 0 0 5 5.5v13A1.5 1.5 0 0 0 6.5 20H14M10 12h10m-3.5-3.5L20 12l-3.5 3.5"],
  room: ["M9.5 4 7.5 20M16.5 4l-2 16M4.5 9h16M3.5 15h16"],
  sending: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Z", "M12 8v4.2l2.6 1.6"],
  sent: ["m5 12.5 4.5 4.5L19 7"],
  delivered: ["m1.5 12.5 4.5 4.5L15.5 7", "m11.5 16 1 1L22.5 7"],
  failed: ["M12 4.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Z", "M12 8v4.5m0 3v.1"],
};
ICONS.read = ICONS.delivered;

/** An element: `h("p", { class: "hint", onclick }, "text", child)`. A child that is null or false is left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** A picture for a control; what it means stands in the control's label. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A round button with a picture, a name and, unless `data-tip` is null, a tip. */
export function iconButton(name, label, attributes = {}) {
  const all = { type: "button", "aria-label": label, "data-tip": label, ...attributes };
  all.class = ["icon-button", all["data-tip"] && "tip", attributes.class].filter(Boolean).join(" ");
  return h("button", all, icon(name));
}

export function byId(id) {
  return document.getElementById(id);
}

/** Sets a text only where it differs: a live region is not told the same twice. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Text with its web addresses made links. */
export function linked(text) {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const found of text.matchAll(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?')\]]/g)) {
    fragment.append(text.slice(at, found.index));
    fragment.append(h("a", { href: found[0], target: "_blank", rel: "noopener noreferrer nofollow" }, found[0]));
    at = found.index + found[0].length;
  }
  fragment.append(text.slice(at));
  return fragment;
}
