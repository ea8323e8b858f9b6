// The dashboard's panels: by place, by campaign, instrument and code, and why there was no benefit.

import { Bars, TileMap, topOf } from "./bars.js";
import { count, money, percent } from "./format.js";
import { t } from "./i18n.js";
import { useMap, RegionMap } from "./map.js";
import * as names from "./names.js";
import { Panel, Table, csv } from "./tables.js";
import { conversion, lessActivations, lessBonuses, lessDiscount } from "./tiles.js";
import { html } from "./ui.js";
import "./words_statistics.js";

const noActivations = () => t("No activations in this period. A paid receipt with a benefit is one.");
const isActive = ({ instruments: uses }) => uses.gross_activations || uses.returned;
const number = (key, title, value, write, help) => ({ key, title, help, number: true, value, cell: (row) => write(value(row)) });

// The columns of what instruments did: `of(row)` are these figures.
function usesColumns(of, currency) {
  const inMoney = (minor) => money(minor, currency);
  return [
    { ...number("activations", t("Activations"), (row) => of(row).activations, count, t("Paid receipts that used it, less those that were returned")),
      className: "strong", cell: (row) => html`${count(of(row).activations)}<span class="sub">${lessActivations(of(row))}</span>` },
    { ...number("conversion", t("Conversion"), (row) => of(row).conversion), cell: (row) => conversion(of(row)) },
    { ...number("discount", t("Discount cost"), (row) => of(row).net_discount), cell: (row) => html`${inMoney(of(row).net_discount)}<span class="sub">${lessDiscount(of(row), currency)}</span>` },
    number("revenue", t("Revenue"), (row) => of(row).revenue, inMoney, t("Paid amount of the receipts that used it, before returns")),
  ];
}

function placeColumns(title, currency, name) {
  const inMoney = (minor) => money(minor, currency);
  return [
    { key: "name", title, value: name, cell: name },
    ...usesColumns((row) => row.instruments, currency),
    number("receipts", t("Receipts"), (row) => row.receipts.receipts, count),
    number("paid", t("Sales"), (row) => row.receipts.paid, inMoney),
    number("average", t("Average receipt"), (row) => row.receipts.average, inMoney),
  ];
}

const title = (name, uses, currency) => [
  name, `${t("Activations")}: ${count(uses.activations)}`, lessActivations(uses), `${t("Discount cost")}: ${money(uses.net_discount, currency)}`,
].filter(Boolean).join("\n");

function Place({ id, heading, column, filter, rows, name = (row) => row.name, path, snapshot, query, asked, pick, children }) {
  const currency = snapshot?.currency;
  const active = rows.filter(isActive);
  const bars = active.map((row) => ({ id: row.id, name: name(row), value: row.instruments.activations, title: title(name(row), row.instruments, currency) }));
  return html`<${Panel} id=${id} title=${heading} units=${t("activations")} note=${children ? "" : topOf(active, snapshot?.truncated)} download=${csv(path, query)}
      empty=${snapshot && !active.length && noActivations()}
      table=${{ columns: placeColumns(column, currency, name), rows, rowKey: (row) => row.id, onPick: pick(filter), picked: (row) => row.id === asked[filter] }}>
    ${children ? children(bars) : html`<${Bars} id=${id} rows=${bars} onPick=${pick(filter)} picked=${asked[filter]} />`}
  <//>`;
}

export const Stores = (given) => html`<${Place} id="stores" heading=${t("Activations by store")} column=${t("Store")} filter="store_id" path="by/store" rows=${given.snapshot?.stores ?? []} ...${given} />`;

export const Devices = (given) => html`<${Place} id="devices" heading=${t("Activations by device")} column=${t("Device")} filter="device" path="by/device"
  rows=${given.snapshot?.devices ?? []} name=${(row) => names.device(row.id)} ...${given} />`;

export function Regions(given) {
  const { snapshot, asked, pick } = given;
  const map = useMap();
  return html`<${Place} id="regions" heading=${t("Activations by region")} column=${t("Region")} filter="region" path="by/region" rows=${snapshot?.regions ?? []} ...${given}>
    ${(rows) => (map ? html`<${RegionMap} map=${map} rows=${rows} onPick=${pick("region")} picked=${asked.region} />`
    : html`<${TileMap} id="regions" rows=${rows} onPick=${pick("region")} picked=${asked.region} />`)}
  <//>`;
}

export function Campaigns({ snapshot, query, asked, pick }) {
  const rows = (snapshot?.campaigns ?? []).map((row) => ({ ...row, id: row.campaign_id, name: row.campaign }));
  const { currency } = snapshot ?? {};
  const active = rows.filter((row) => row.gross_activations || row.returned);
  const columns = [{ key: "name", title: t("Campaign"), value: (row) => row.name, cell: (row) => row.name }, ...usesColumns((row) => row, currency)];
  return html`<${Panel} id="campaigns" title=${t("Activations by campaign")} units=${t("activations")} note=${topOf(active, snapshot?.truncated)} download=${csv("campaigns", query)}
      empty=${snapshot && !active.length && noActivations()}
      table=${{ columns, rows, rowKey: (row) => row.id, onPick: pick("campaign_id"), picked: (row) => row.id === asked.campaign_id }}>
    <${Bars} id="campaigns" rows=${active.map((row) => ({ id: row.id, name: row.name, value: row.activations, title: title(row.name, row, currency) }))} onPick=${pick("campaign_id")} picked=${asked.campaign_id} />
  <//>`;
}

export function Codes({ snapshot, query, asked, pick }) {
  const rows = (snapshot?.codes ?? []).map((row) => ({ ...row, id: row.emission_id, name: names.code(row) }));
  const { currency } = snapshot ?? {};
  const active = rows.filter((row) => row.gross_activations || row.returned);
  const columns = [{ key: "name", title: t("Code"), value: (row) => row.name, cell: (row) => row.name }, ...usesColumns((row) => row, currency)];
  // A use without a code can't be filtered by.
  const filter = (row) => row.id && pick("emission_id")(row);
  return html`<${Panel} id="codes" title=${t("Activations by code")} units=${t("activations")} note=${topOf(active, snapshot?.truncated)} download=${csv("codes", query)}
      empty=${snapshot && !active.length && noActivations()}
      table=${{ columns, rows, rowKey: (row) => row.id, onPick: filter, picked: (row) => row.id === asked.emission_id }}>
    <${Bars} id="codes" rows=${active.map((row) => ({ id: row.id, name: row.name, value: row.activations, title: title(row.name, row, currency) }))} onPick=${filter} picked=${asked.emission_id} />
  <//>`;
}

export function Refusals({ snapshot, query }) {
  const { reasons = [], refusals = 0, carts = 0 } = snapshot?.totals.instruments ?? {};
  const columns = [
    { key: "reason", title: t("Reason"), value: (row) => names.reason(row.reason), cell: (row) => names.reason(row.reason) },
    number("refusals", t("Refused"), (row) => row.refusals, count),
    number("share", t("Share"), (row) => row.refusals / refusals, percent),
  ];
  const empty = carts ? t("Every cart revision that was considered got its benefit.") : t("No cart was considered in this period.");
  return html`<${Panel} id="refusals" title=${t("Why there was no benefit")} units=${t("cart revisions")} note=${refusals ? t("{n} times considered, nothing given", { n: count(refusals) }) : ""}
      download=${csv("refusals", query)} empty=${snapshot && !reasons.length && empty} table=${{ columns, rows: reasons, rowKey: (row) => row.reason }}>
    <${Bars} id="refusals" most=${9} colour="refusals" rows=${reasons.map((row) => ({ id: row.reason, name: names.reason(row.reason), value: row.refusals, title: `${names.reason(row.reason)}: ${percent(row.refusals / refusals)}` }))} />
  <//>`;
}

const rate = (part, whole) => (whole ? percent(part / whole) : "");

function Reasons({ row: { reasons, refusals } }) {
  if (!refusals) return "–";
  return html`<span class="mix" aria-hidden="true">${reasons.map((one) => html`<i key=${one.reason} style=${{ flexGrow: one.refusals }}></i>`)}</span>
    ${reasons.map((one) => `${names.reason(one.reason)} ${count(one.refusals)}`).join(" · ")}`;
}

export function Instruments({ snapshot, query, asked, set, nothing }) {
  const { instruments: rows = [], currency, truncated } = snapshot ?? {};
  const columns = [
    { key: "name", title: t("Instrument"), value: (row) => row.name, cell: (row) => html`<b>${row.name}</b><span class="sub">${row.campaign}</span>` },
    number("carts", t("Cart revisions"), (row) => row.carts, count, t("Decisions at a checkout that considered it: every revision of a cart counts, so there may be more than receipts")),
    { ...number("decided", t("Decided"), (row) => row.decided, count, t("Cart revisions that it gave a benefit")), cell: (row) => html`${count(row.decided)}<span class="sub">${rate(row.decided, row.carts)}</span>` },
    ...usesColumns((row) => row, currency),
    { ...number("bonuses", t("Bonuses"), (row) => row.net_bonuses, count, t("Earned, less what returns took back")), cell: (row) => html`${count(row.net_bonuses)}<span class="sub">${lessBonuses(row)}</span>` },
    number("refusals", t("Refused"), (row) => row.refusals, count, t("Cart revisions that considered it and got nothing")),
    { key: "reasons", title: t("Reasons"), className: "reasons", cell: (row) => html`<${Reasons} row=${row} />` },
  ];
  const pick = (row) => set(asked.instrument_id === row.instrument_id ? { instrument_id: "" } : { campaign_id: row.campaign_id, instrument_id: row.instrument_id });
  const shown = rows.length ? t("{n} considered at a checkout", { n: `${count(rows.length)}${truncated ? "+" : ""}` }) : "";
  return html`<section class="panel" aria-label=${t("Instruments")}>
    <header><h2>${t("Instruments")}</h2><p class="muted small">${shown}</p>
      <div class="actions"><a class="button small quiet" href=${csv("instruments", query)} download aria-label=${t("Download {title} as CSV", { title: t("Instruments") })}>CSV</a></div></header>
    <div class="box table-tall"><div class="scroll" tabindex="0" role="region" aria-label=${t("Instruments")}>
      <${Table} id="instruments" label=${t("Instruments")} columns=${columns} rows=${rows} rowKey=${(row) => `${row.campaign_id}/${row.instrument_id}`} first=${{ key: "activations", descending: true }}
        onPick=${pick} picked=${(row) => row.instrument_id === asked.instrument_id && row.campaign_id === asked.campaign_id}
        attributes=${(row) => ({ "data-campaign": row.campaign_id, "data-instrument": row.instrument_id })} />
      </div>${snapshot && !rows.length && html`<p class="nothing">${nothing}</p>`}</div>
  </section>`;
}
