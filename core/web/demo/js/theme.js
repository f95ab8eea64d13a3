// Light and dark: the system's, until somebody switches.
import { icon } from "./dom.js";

const system = matchMedia("(prefers-color-scheme: dark)");

/** Makes every `.theme-switch` on the page work. */
export function wireTheme() {
  for (const control of document.querySelectorAll(".theme-switch")) {
    control.classList.add("tip");
    control.addEventListener("click", toggle);
  }
  system.addEventListener("change", show);
  show();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

function toggle() {
  const wanted = isDark() ? "light" : "dark";
  // What the system says anyway is no choice: the page follows the system again.
  if ((wanted === "dark") === system.matches) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  try {
    const chosen = document.documentElement.dataset.theme;
    if (chosen) localStorage.setItem("rtcd.theme", chosen);
    else localStorage.removeItem("rtcd.theme");
  } catch {
    // It holds until the next load.
  }
  show();
}

function show() {
  const label = isDark() ? "Light theme" : "Dark theme";
  for (const control of document.querySelectorAll(".theme-switch")) {
    control.replaceChildren(icon(isDark() ? "sun" : "moon"));
    control.setAttribute("aria-label", label);
    control.dataset.tip = label;
  }
}
