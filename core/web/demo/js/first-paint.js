// Not a module: it runs before the first paint, so that a page in the dark does not flash.
try {
  const theme = localStorage.getItem("rtcd.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; the system's theme will do.
}
