// Small charts, each with the table that says the same.

import { t } from "./i18n.js";
import { html } from "./ui.js";

const HEIGHT = 120;
const MOST_LABELS = 8;

// Bars one after another, as days are. rows: [{ key, name, value }]; said(value): as text.
export function Bars({ label, rows, said, heading, unit }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const every = Math.ceil(rows.length / MOST_LABELS);
  return html`<figure class="bars">
    <figcaption class="muted small">${unit}</figcaption>
    <svg viewBox="0 0 ${rows.length * 20} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}: ${t("at most {value}", { value: said(most) })}">
      ${rows.map((row, n) => html`<rect key=${row.key} x=${n * 20 + 3} width="14" y=${HEIGHT - (row.value / most) * (HEIGHT - 4)} height=${(row.value / most) * (HEIGHT - 4)}><title>${row.name}: ${said(row.value)}</title></rect>`)}
    </svg>
    <div class="bar-labels muted small" aria-hidden="true">${rows.filter((_, n) => n % every === 0).map((row) => html`<span key=${row.key}>${row.name}</span>`)}</div>
    <details><summary>${t("As a table")}</summary><div class="table-box"><table class="list"><thead><tr><th scope="col">${heading}</th><th scope="col" class="number">${label}</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.key}><td>${row.name}</td><td class="number">${said(row.value)}</td></tr>`)}</tbody></table></div></details>
  </figure>`;
}

// A ranking: a table whose rows have bars.
export function Ranking({ label, rows, said, heading }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  return html`<div class="table-box" tabindex="0" role="region" aria-label=${label}><table class="list"><thead><tr><th scope="col">${heading}</th><th scope="col" class="number" colspan="2">${label}</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.key}><td>${row.name}</td><td class="bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width=${(row.value / most) * 100} height="10" /></svg></td><td class="number">${said(row.value)}</td></tr>`)}</tbody></table></div>`;
}
