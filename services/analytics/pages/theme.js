// The page's colours, for what is drawn on a canvas.

const NAMES = ["text", "muted", "faint", "grid", "surface", "sunken", "activations", "discount", "receipts", "refusals"];

export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

export function onThemeChange(listener) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
}

export const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
