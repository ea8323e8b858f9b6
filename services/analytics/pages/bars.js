// Ranked bars and tiles of regions: elements, not a canvas, so that each can be reached by keyboard and pressed.

import { count } from "./format.js";
import { t } from "./i18n.js";
import { html } from "./ui.js";
import "./words_statistics.js";

const MOST = 8;

// rows: [{ id, name, value, title }], largest first. Few bars stay at the top: their places don't move when others come.
export function Bars({ id, rows, colour = "activations", onPick, picked, most = MOST, write = count }) {
  const shown = rows.slice(0, most);
  const largest = Math.max(...shown.map((row) => Math.abs(row.value)), 1);
  return html`<ol class="bars" id=${id} data-colour=${colour}>${shown.map((row) => {
    const inner = html`<span class="bar-name">${row.name}</span>
      <span class="bar-track" aria-hidden="true"><i style=${{ width: `${(100 * Math.max(row.value, 0)) / largest}%` }}></i></span>
      <span class="bar-value">${write(row.value)}</span>`;
    return html`<li key=${row.id} data-id=${row.id}>${onPick
      ? html`<button type="button" title=${row.title ?? row.name} aria-pressed=${row.id === picked} onClick=${() => onPick(row)}>${inner}</button>`
      : html`<div title=${row.title ?? row.name}>${inner}</div>`}</li>`;
  })}</ol>`;
}

export const topOf = (rows, truncated, most = MOST) =>
  (rows.length <= most ? "" : truncated && rows.length >= 50
    ? t("top {n} of more than {all}", { n: most, all: count(rows.length) }) : t("top {n} of {all}", { n: most, all: count(rows.length) }));

const LEVELS = 6;

// A map without a map: a tile for each region, in the order of their names; the darker, the more.
export function TileMap({ id, rows, onPick, picked }) {
  const largest = Math.max(...rows.map((row) => row.value), 1);
  const level = (value) => (value <= 0 ? 0 : Math.max(1, Math.ceil((LEVELS * value) / largest)));
  const tiles = [...rows].sort((a, b) => a.name.localeCompare(b.name));
  return html`<ul class="tile-map" id=${id} data-many=${tiles.length > 16}>${tiles.map((row) => html`
    <li key=${row.id} data-id=${row.id}><button type="button" data-level=${level(row.value)} aria-pressed=${row.id === picked} title=${row.title ?? row.name} onClick=${() => onPick(row)}>
      <span class="tile-name">${row.name}</span><b>${count(row.value)}</b></button></li>`)}</ul>`;
}
