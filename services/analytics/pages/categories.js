// Which categories of products are bought with which codes, and the margin where costs are known.

import { useAsked } from "./asked.js";
import { count, money, percent, quantity, shortMoney } from "./format.js";
import { t } from "./i18n.js";
import { Table, csv } from "./tables.js";
import { Empty, Failure, html, Loading, useState } from "./ui.js";
import "./words_statistics.js";

const MOST_CODES = 8;
const MOST_GROUPS = 14;
const LEVELS = 6;
const group = (row) => row.group ?? t("Without a category");
const code = (row) => row.emission_id || t("Without a code");

const MEASURES = () => ({
  revenue: [t("Revenue"), (cell) => cell.revenue, (cell, currency) => shortMoney(cell.revenue, currency)],
  receipts: [t("Receipts"), (cell) => cell.receipts, (cell) => count(cell.receipts)],
  discount: [t("Discount"), (cell) => cell.discount, (cell, currency) => shortMoney(cell.discount, currency)],
  margin: [t("Margin"), (cell) => (cell.covered_revenue ? cell.margin / cell.covered_revenue : 0), (cell) => (cell.covered_revenue ? percent(cell.margin / cell.covered_revenue) : "–")],
});

const SUMS = ["receipts", "quantity", "amount", "discount", "revenue", "covered_revenue", "cost", "margin"];
function summed(rows, by) {
  const sums = new Map();
  for (const row of rows) {
    const key = by(row);
    const sum = sums.get(key) ?? { key, ...Object.fromEntries(SUMS.map((name) => [name, 0])) };
    for (const name of SUMS) sum[name] += row[name] ?? 0;
    sums.set(key, sum);
  }
  return [...sums.values()].sort((a, b) => b.revenue - a.revenue);
}

function Heat({ rows, currency, measure }) {
  const [, value, write] = MEASURES()[measure];
  const codes = summed(rows, code).slice(0, MOST_CODES).map((one) => one.key);
  const groups = summed(rows, group).slice(0, MOST_GROUPS).map((one) => one.key);
  const cells = new Map(summed(rows, (row) => `${group(row)}\n${code(row)}`).map((one) => [one.key, one]));
  const most = Math.max(...[...cells.values()].map(value), Number.EPSILON);
  return html`<table class="list heat" id="heat"><caption class="visually-hidden">${t("Categories by code")}</caption>
    <thead><tr><th scope="col">${t("Category")}</th>${codes.map((name) => html`<th scope="col" class="number" key=${name}>${name}</th>`)}</tr></thead>
    <tbody>${groups.map((name) => html`<tr key=${name}><th scope="row">${name}</th>${codes.map((each) => {
      const cell = cells.get(`${name}\n${each}`);
      return html`<td key=${each} class="number" data-level=${cell ? Math.max(0, Math.ceil((LEVELS * value(cell)) / most)) : undefined}>${cell ? write(cell, currency) : ""}</td>`;
    })}</tr>`)}</tbody></table>`;
}

function Margins({ rows, currency }) {
  const inMoney = (minor) => money(minor, currency);
  const number = (key, title, write, value = (row) => row[key]) => ({ key, title, number: true, value, cell: (row) => write(value(row)) });
  const known = (row) => (row.covered_revenue ? row.margin / row.covered_revenue : null);
  const columns = [
    { key: "group", title: t("Category"), value: (row) => row.key, cell: (row) => row.key },
    number("quantity", t("Quantity"), quantity),
    number("amount", t("Before discounts"), inMoney),
    number("discount", t("Discount"), inMoney),
    number("revenue", t("Revenue"), inMoney),
    number("cost", t("Cost"), (value) => (value ? inMoney(value) : "–")),
    number("margin", t("Margin"), (value) => (value === null ? "–" : inMoney(value)), (row) => (row.covered_revenue ? row.margin : null)),
    number("share", t("Margin, %"), (value) => (value === null ? "–" : percent(value)), known),
    number("covered", t("Costs known of"), percent, (row) => (row.revenue ? row.covered_revenue / row.revenue : 0)),
  ];
  return html`<${Table} id="margins" label=${t("Margin by category")} columns=${columns} rows=${summed(rows, group)} rowKey=${(row) => row.key} first=${{ key: "revenue", descending: true }} />`;
}

// `narrowed`: a place is chosen, which these figures can't be asked for.
export function Categories({ query, narrowed }) {
  const wanted = `${query}&limit=1000`;
  const { data, problem, reload } = useAsked("categories", wanted);
  const [measure, setMeasure] = useState("revenue");
  const rows = data?.rows ?? [];
  const known = rows.some((row) => row.covered_revenue);
  return html`<section class="panel" aria-label=${t("Categories by code")}>
      <header><h2>${t("Categories by code")}</h2>
        <p class="muted small">${narrowed ? t("of all places: it is not counted by place") : t("what is on the receipts on which a code was used")}</p>
        <div class="actions">
          <label class="row small"><span class="muted">${t("Show")}</span> <select value=${measure} onChange=${(event) => setMeasure(event.target.value)}>
            ${Object.entries(MEASURES()).map(([key, [text]]) => html`<option key=${key} value=${key} selected=${key === measure}>${text}</option>`)}</select></label>
          <a class="button small quiet" href=${csv("categories", wanted)} download aria-label=${t("Download {title} as CSV", { title: t("Categories by code") })}>CSV</a></div></header>
      ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />` : !rows.length
        ? html`<${Empty} title=${t("Nothing was bought with a promotion here")}>${t("Choose a longer period, or clear the filters.")}<//>`
        : html`<div class="box"><div class="scroll" tabindex="0" role="region" aria-label=${t("Categories by code")}><${Heat} rows=${rows} currency=${data.currency} measure=${measure} /></div></div>`}
    </section>
    <section class="panel" aria-label=${t("Margin by category")}>
      <header><h2>${t("Margin by category")}</h2><p class="muted small">${data && !known ? t("No costs are known: give them in the catalogue of products.") : t("revenue less cost, of products whose cost is known; a receipt that used several instruments counts with each")}</p></header>
      <div class="box"><div class="scroll" tabindex="0" role="region" aria-label=${t("Margin by category")}><${Margins} rows=${rows} currency=${data?.currency} /></div></div>
    </section>`;
}
