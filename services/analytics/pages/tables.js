// Panels: a chart with the same figures as a table beside it, that can be sorted, clicked and downloaded.

import { at } from "./api.js";
import { t } from "./i18n.js";
import { withChanges } from "./filters.js";
import { html, useId, useState } from "./ui.js";
import "./words_statistics.js";

// Where a table can be had as CSV: all rows that the API gives.
export const csv = (path, query, more = {}) => at("analytics", `/v1/statistics/${path}?${withChanges(query, { ...more, format: "csv" })}`);

const compare = (a, b) => (a === null || a === undefined ? 1 : b === null || b === undefined ? -1 : typeof a === "string" ? a.localeCompare(b) : a - b);

// columns: [{ key, title, help, number, value: (row) => what is sorted by, cell: (row) => what is shown }].
// `onPick(row)`: what the first column's button does; without, it is text.
export function Table({ id, label, columns, rows, rowKey, onPick, picked, first = null, attributes = () => ({}) }) {
  const [sort, setSort] = useState(first);
  const column = sort && columns.find((one) => one.key === sort.key);
  const sorted = !column ? rows : [...rows].sort((a, b) => compare(column.value(a), column.value(b)) * (sort.descending ? -1 : 1));
  const turn = (one) => setSort({ key: one.key, descending: sort?.key === one.key ? !sort.descending : Boolean(one.number) });
  return html`<table class="list" id=${id}><caption class="visually-hidden">${label}</caption>
    <thead><tr>${columns.map((one) => html`<th scope="col" key=${one.key} class=${one.number ? "number" : ""}
        aria-sort=${sort?.key === one.key ? (sort.descending ? "descending" : "ascending") : undefined}>
      ${one.value ? html`<button type="button" title=${one.help} onClick=${() => turn(one)}>${one.title}</button>` : one.title}</th>`)}</tr></thead>
    <tbody>${sorted.map((row) => html`<tr key=${rowKey(row)} ...${attributes(row)}>${columns.map((one, i) => html`
      <td key=${one.key} class="${one.number ? "number" : ""} ${one.className ?? ""}">${i === 0 && onPick
        ? html`<button type="button" class="link" aria-pressed=${picked ? picked(row) : undefined} onClick=${() => onPick(row)}>${one.cell(row)}</button>` : one.cell(row)}</td>`)}</tr>`)}</tbody>
  </table>`;
}

// The same without anything to press, for who can't see the chart.
export const Told = ({ label, columns, rows, rowKey }) => html`<div class="visually-hidden"><table><caption>${label}</caption>
  <thead><tr>${columns.map((one) => html`<th scope="col" key=${one.key}>${one.title}</th>`)}</tr></thead>
  <tbody>${rows.map((row) => html`<tr key=${rowKey(row)}>${columns.map((one) => html`<td key=${one.key}>${one.cell(row)}</td>`)}</tr>`)}</tbody>
</table></div>`;

// A chart (`children`) that can be turned into its table. `table`: what Table takes. `size`: the class with its height.
export function Panel({ id, title, note, units, download, table, empty, size = "medium", wide = false, legend, children }) {
  const [open, setOpen] = useState(false);
  const heading = useId();
  return html`<section class="panel ${wide ? "wide" : ""}" aria-labelledby=${heading} data-panel=${id}>
    <header>
      <h2 id=${heading}>${title}</h2><p class="muted small">${[units, note].filter(Boolean).join(" · ")}</p>
      <div class="actions">
        ${legend}
        <button type="button" class="small quiet" aria-pressed=${open} aria-label=${t("{title} as a table", { title })} onClick=${() => setOpen(!open)}>${t("Table")}</button>
        ${download && html`<a class="button small quiet" href=${download} download aria-label=${t("Download {title} as CSV", { title })}>CSV</a>`}
      </div>
    </header>
    <div class="box ${size}">
      ${open ? html`<div class="scroll" tabindex="0" role="region" aria-labelledby=${heading}><${Table} label=${title} ...${table} /></div>`
        : html`${children}<${Told} label=${title} columns=${table.columns} rows=${table.rows} rowKey=${table.rowKey} />`}
      ${empty && html`<p class="nothing">${empty}</p>`}
    </div>
  </section>`;
}
