// What happened over time, and two campaigns side by side.

import { activity, Chart, compared } from "./charts.js";
import { change, longMoment } from "./names.js";
import { count, money } from "./format.js";
import { t } from "./i18n.js";
import { Panel, Table, Told, csv } from "./tables.js";
import { conversion } from "./tiles.js";
import { html, useRef, useState } from "./ui.js";
import "./words_statistics.js";

const MOST_ROWS = 200;
const STEP_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const STEPS = () => ({ minute: t("per minute"), hour: t("per hour"), day: t("per day") });

const Legend = ({ of }) => html`<ul class="legend" aria-label=${t("Legend")}>${of.map(([name, text]) => html`<li key=${name} class="c-${name}">${text}</li>`)}</ul>`;

export function Activity({ snapshot, query, set, nothing }) {
  const [zoomed, setZoomed] = useState(null);
  const latest = useRef(snapshot);
  latest.current = snapshot;
  const { points = [], step = "day", currency } = snapshot ?? {};
  // A point's time becomes the time that is asked; the end of a day is where the next begins.
  const from = (i) => points[i].at;
  const until = (i) => points[i + 1]?.at ?? new Date(Date.parse(points[i].at) + STEP_MS[step]).toISOString();
  const zoomTo = (first, last) => set({ period: "", from: from(first), to: until(last) });
  const zoom = ({ start, end }) => {
    const last = latest.current.points.length - 1;
    const [first, final] = [Math.round((start / 100) * last), Math.round((end / 100) * last)];
    setZoomed(first > 0 || final < last ? [first, final] : null);
  };
  const columns = [
    { key: "at", title: t("Time"), cell: (row) => longMoment(row.at, step) },
    { key: "activations", title: t("Activations before returns"), number: true, cell: (row) => count(row.instruments.gross_activations) },
    { key: "returned", title: t("Returned"), number: true, cell: (row) => count(row.instruments.returned) },
    { key: "discount", title: t("Discount given"), number: true, cell: (row) => money(row.instruments.discount, currency) },
    { key: "receipts", title: t("Receipts"), number: true, cell: (row) => count(row.receipts.receipts) },
    { key: "paid", title: t("Sales"), number: true, cell: (row) => money(row.receipts.paid, currency) },
  ];
  const totals = snapshot?.totals;
  const empty = totals && !totals.receipts.receipts && !totals.receipts.returns && !totals.instruments.carts && !totals.instruments.gross_activations;
  const canZoom = zoomed && zoomed[1] < points.length;
  return html`<${Panel} id="activity-panel" title=${t("Activity")} units=${snapshot && STEPS()[step]} size="large" wide=${true} empty=${empty && nothing}
      download=${csv("series", query)}
      legend=${html`${canZoom && html`<button type="button" class="small" onClick=${() => { zoomTo(...zoomed); setZoomed(null); }}>${t("Show only this time")}</button>`}
        <${Legend} of=${[["activations", t("Activations before returns")], ["discount", t("Discount given")], ["receipts", t("Receipts")]]} />`}
      table=${{ columns, rows: points.slice(-MOST_ROWS), rowKey: (row) => row.at, onPick: step === "minute" ? undefined : (row) => zoomTo(points.indexOf(row), points.indexOf(row)) }}>
    ${snapshot && html`<${Chart} id="activity" label=${t("Activity")} className="fill" option=${(colour) => activity(snapshot, colour)} drawn=${[snapshot]}
      on=${{ datazoom: zoom, click: ({ dataIndex }) => step !== "minute" && points[dataIndex] && zoomTo(dataIndex, dataIndex) }} />`}
  <//>`;
}

// The points of both, each time once.
function together(first, second) {
  const byTime = new Map();
  [first, second].forEach((snapshot, i) => {
    for (const point of snapshot?.points ?? []) {
      const row = byTime.get(point.at) ?? { at: point.at, activations: [0, 0] };
      row.activations[i] = point.instruments.activations;
      byTime.set(point.at, row);
    }
  });
  return [...byTime.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

// Two campaigns: their activations in one chart, and their figures beside each other.
export function Comparison({ first, second, names, query }) {
  const [open, setOpen] = useState(false);
  const both = first && second;
  const [a, b] = both ? [first.totals.instruments, second.totals.instruments] : [{}, {}];
  const currency = first?.currency;
  const same = both && first.currency === second.currency;
  const row = (key, title, value, write) => ({ key, title, a: value(a), b: value(b), write });
  const of = (name) => (uses) => uses[name];
  const inMoney = (which) => (value) => money(value, which ? second?.currency : currency);
  const rows = [
    row("activations", t("Activations"), of("activations"), () => count),
    row("conversion", t("Conversion"), of("conversion"), () => (value) => conversion({ conversion: value })),
    row("discount", t("Discount cost"), of("net_discount"), inMoney),
    row("revenue", t("Revenue"), of("revenue"), inMoney),
    row("per", t("Revenue per activation"), (uses) => (uses.gross_activations ? Math.round(uses.revenue / uses.gross_activations) : null), inMoney),
    row("bonuses", t("Bonuses"), of("net_bonuses"), () => count),
    row("refusals", t("Refused"), of("refusals"), () => count),
  ];
  const difference = (one) => {
    const changed = same || one.write !== inMoney ? change(one.b, one.a) : null;
    return changed ? `${{ up: "+", down: "−", same: "±" }[changed.sign]}${changed.share}` : "–";
  };
  const columns = [
    { key: "title", title: t("Figure"), cell: (one) => one.title },
    { key: "a", title: names[0], number: true, cell: (one) => (both ? one.write(0)(one.a) : "–") },
    { key: "b", title: names[1], number: true, cell: (one) => (both ? one.write(1)(one.b) : "–") },
    { key: "difference", title: t("Difference"), number: true, cell: difference },
  ];
  const over = t("Activations of {a} and {b} over time", { a: names[0], b: names[1] });
  const series = { label: over, rowKey: (one) => one.at, rows: together(first, second).slice(-MOST_ROWS), columns: [
    { key: "at", title: t("Time"), cell: (one) => longMoment(one.at, first.step) },
    ...names.map((name, i) => ({ key: `of-${i}`, title: name, number: true, cell: (one) => count(one.activations[i]) })),
  ] };
  const points = [first, second].map((snapshot, i) => ({ name: names[i], points: snapshot?.points ?? [] }));
  return html`<section class="panel comparison" aria-label=${t("Two campaigns compared")}>
    <header><h2>${t("Two campaigns compared")}</h2><p class="muted small">${first && STEPS()[first.step]}</p>
      <div class="actions"><${Legend} of=${names.map((name, i) => [`series-${i + 1}`, name])} />
        <button type="button" class="small quiet" aria-pressed=${open} aria-label=${t("{title} as a table", { title: over })} onClick=${() => setOpen(!open)}>${t("Table")}</button>
        <a class="button small quiet" href=${csv("campaigns", query, { campaign_id: null })} download aria-label=${t("Download {title} as CSV", { title: t("Campaigns") })}>CSV</a></div></header>
    <div class="side-by-side">
      ${!both ? html`<div class="chart fill"></div>`
        : open ? html`<div class="scroll fill" tabindex="0" role="region" aria-label=${over}><${Table} ...${series} /></div>`
        : html`<div class="fill"><${Chart} id="comparison" label=${over} className="fill" drawn=${[first, second]}
            option=${(colour) => compared(points, first.step, colour)} /><${Told} ...${series} /></div>`}
      <div class="table-box" tabindex="0" role="region" aria-label=${t("Figures side by side")}><table class="list" id="compared"><thead><tr>${columns.map((one) => html`
        <th scope="col" key=${one.key} class=${one.number ? "number" : ""}>${one.title}</th>`)}</tr></thead>
        <tbody>${rows.map((one) => html`<tr key=${one.key} data-row=${one.key}>${columns.map((each) => html`<td key=${each.key} class=${each.number ? "number" : ""}>${each.cell(one)}</td>`)}</tr>`)}</tbody></table></div>
    </div>
  </section>`;
}
