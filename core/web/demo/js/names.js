// Names as people write them, and as the server wants them.

/** The domain of a name that was written without one. It is not shown. */
const DOMAIN = "rtc.example";
const NAME = /^[^\s@:;,?#/\\"<>[\]]+@[A-Za-z0-9_.-]+$/;

/** `Alice` → `alice@rtc.example`; null if it is no name. */
export function userOf(text) {
  const name = text.trim().toLowerCase();
  const user = name.includes("@") ? name : `${name}@${DOMAIN}`;
  return NAME.test(user) && user.search(UNSEEN) < 0 ? user : null;
}

/** `#Lobby` → `room:lobby@rtc.example`; null if it is no name. */
export function roomOf(text) {
  const user = userOf(text.trim().replace(/^#/, "").replace(/^room:/i, "").replace(/\s+/g, "-"));
  return user && `room:${user}`;
}

/** Whether a conversation is a room, by its name. */
export function isRoom(name) {
  return name.startsWith("room:");
}

/** What cannot be seen, or turns the order of the letters around: with it a name could look like another one. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\u3164\ufeff\uffa0]/gu;

/** `alice@rtc.example` → `alice`; names of another domain are shown whole, parameters of a device never. */
export function shown(name) {
  const bare = name.replace(/^room:/, "").split(";")[0].replace(UNSEEN, "\ufffd");
  return bare.endsWith(`@${DOMAIN}`) ? bare.slice(0, -DOMAIN.length - 1) : bare;
}

/** One or two letters for the avatar. */
export function initials(name) {
  const parts = shown(name).split("@")[0].split(/[._-]+/).filter(Boolean);
  // By code points: half a letter is none.
  return parts.slice(0, 2).map((part) => Array.from(part)[0]).join("").toUpperCase();
}

/** One of the shades of avatars: always the same one for a name. */
export function shade(name) {
  let sum = 7;
  for (const letter of shown(name)) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return String(sum % 6);
}
