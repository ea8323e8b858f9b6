// What the pages of segments share: names, progress, small charts.

import { count, day } from "./format.js";
import { t } from "./i18n.js";
import { html } from "./ui.js";
import "./words_segments.js";

// What is there from the start has a name in either language.
const BUILT_IN = () => ({
  "Frequent users of promo codes": t("Frequent users of promo codes"), "Rare or first-time users of promo codes": t("Rare or first-time users of promo codes"),
  "RFM: champions": t("RFM: champions"), "RFM: loyal": t("RFM: loyal"), "RFM: potential loyalists": t("RFM: potential loyalists"), "RFM: new": t("RFM: new"),
  "RFM: promising": t("RFM: promising"), "RFM: needs attention": t("RFM: needs attention"), "RFM: about to sleep": t("RFM: about to sleep"), "RFM: at risk": t("RFM: at risk"),
  "RFM: cannot lose": t("RFM: cannot lose"), "RFM: hibernating": t("RFM: hibernating"),
});
export const nameOf = (segment) => (segment.builtin ? BUILT_IN()[segment.name] ?? segment.name : segment.name);

export function Progress({ segment: { progress } }) {
  if (!progress) return null;
  const text = t("{done} of {total} customers looked at", { done: count(progress.done), total: count(progress.total) });
  return html`<div class="progress-line"><progress max=${Math.max(1, progress.total)} value=${progress.done} aria-label=${text}></progress><span class="muted small">${text}</span></div>`;
}

const WIDTH = 120;
const HEIGHT = 28;

export function Spark({ values, label }) {
  const most = Math.max(1, ...values);
  const points = values.map((value, n) => `${(n * WIDTH) / Math.max(1, values.length - 1)},${HEIGHT - 2 - (value * (HEIGHT - 4)) / most}`).join(" ");
  return html`<svg class="spark" viewBox="0 0 ${WIDTH} ${HEIGHT}" width=${WIDTH} height=${HEIGHT} role="img" aria-label=${label}><polyline points=${points} /></svg>`;
}

const LONG = 720;
const TALL = 200;

// Who entered (up) and who left (down) on each day.
export function EnteredAndLeft({ days }) {
  const most = Math.max(1, ...days.map((one) => Math.max(one.entered, one.left)));
  const step = LONG / days.length;
  const size = (value) => (value * (TALL / 2 - 8)) / most;
  const entered = days.reduce((sum, one) => sum + one.entered, 0);
  const left = days.reduce((sum, one) => sum + one.left, 0);
  const said = t("{entered} entered and {left} left in {n} days", { entered: count(entered), left: count(left), n: count(days.length) });
  return html`<p>${said}</p>
    <svg class="entered" viewBox="0 0 ${LONG} ${TALL}" role="img" aria-label=${said} preserveAspectRatio="none">
      ${days.map((one, n) => html`<g key=${one.day}><title>${day(one.day)}: +${one.entered} −${one.left}</title>
        <rect class="in" x=${n * step + 1} width=${Math.max(1, step - 2)} y=${TALL / 2 - size(one.entered)} height=${size(one.entered)} />
        <rect class="out" x=${n * step + 1} width=${Math.max(1, step - 2)} y=${TALL / 2} height=${size(one.left)} /></g>`)}
      <line x1="0" x2=${LONG} y1=${TALL / 2} y2=${TALL / 2} /></svg>
    <p class="row muted small"><span class="key in">${t("entered")}</span><span class="key out">${t("left")}</span><span>${day(days[0].day)} – ${day(days[days.length - 1].day)}</span></p>
    <details><summary>${t("As a table")}</summary><div class="table-box" tabindex="0" role="region" aria-label=${t("Entered and left by day")}><table class="list">
      <thead><tr><th scope="col">${t("Day (UTC)")}</th><th scope="col" class="number">${t("entered")}</th><th scope="col" class="number">${t("left")}</th><th scope="col" class="number">${t("Members")}</th></tr></thead>
      <tbody>${[...days].reverse().map((one) => html`<tr key=${one.day}><td>${day(one.day)}</td><td class="number">${count(one.entered)}</td><td class="number">${count(one.left)}</td><td class="number">${count(one.members)}</td></tr>`)}</tbody></table></div></details>`;
}
