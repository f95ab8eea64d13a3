// Dates as people say them.

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const long = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export function timeOf(date) {
  return time.format(date);
}

export function fullDate(date) {
  return full.format(date);
}

/** The day of a date, to be compared. */
export function dayOf(date) {
  return new Date(date).toDateString();
}

/** The heading of a day: "Today", "Yesterday", "Tuesday", or the whole date. */
export function dayName(date, now = Date.now()) {
  const days = daysBetween(date, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  // Days to come are there where this clock is slow.
  return days > 0 && days < 7 ? weekday.format(date) : long.format(date);
}

/** For the list: the time of today, the day of this week, else the date. */
export function shortWhen(date, now = Date.now()) {
  const days = daysBetween(date, now);
  if (days === 0) return time.format(date);
  if (days === 1) return "Yesterday";
  return days > 0 && days < 7 ? weekday.format(date) : short.format(date);
}

function daysBetween(date, now) {
  const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
  // Rounded: a day that changes to summer time has 23 hours.
  return Math.round((midnight(now) - midnight(date)) / 86_400_000);
}
