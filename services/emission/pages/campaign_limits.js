// What is left of a campaign's limits, each with its certificate.

import { at, get, may } from "./api.js";
import { count, money, percent } from "./format.js";
import { t } from "./i18n.js";
import { useCurrency } from "./currency.js";
import { Empty, Failure, List, Loading, html, useAsk } from "./ui.js";

export function LimitsOf({ id }) {
  const currency = useCurrency();
  const { data, problem, reload } = useAsk(async (signal) => {
    if (!may("ledger:read")) return [];
    const { limits } = await get("evaluator", `/v1/limits?search=${encodeURIComponent(`${id}/`)}`, { signal });
    return limits.filter((one) => one.limit_id.startsWith(`${id}/`));
  }, []);
  const figure = (row, value) => (row.money ? money(value, currency) : count(value));
  const columns = [
    { key: "limit", title: t("Limit"), cell: (row) => html`<span class="mono">${row.limit_id.slice(id.length + 1)}</span>` },
    { key: "used", title: t("Used"), number: true, cell: (row) => figure(row, row.used) },
    { key: "held", title: t("Held by open receipts"), number: true, cell: (row) => figure(row, row.held + row.leased) },
    { key: "free", title: t("Left"), number: true, cell: (row) => html`<span class="strong">${figure(row, row.free)}</span>` },
    { key: "cap", title: t("Of"), number: true, cell: (row) => figure(row, row.cap) },
    { key: "share", title: t("Used up"), cell: (row) => (row.cap ? html`<progress max=${row.cap} value=${row.cap - row.free} aria-label=${t("Used up")}></progress><span class="sub">${percent((row.cap - row.free) / row.cap)}</span>` : "–") },
    { key: "certificate", title: t("Certificate"), cell: (row) => html`<a href=${at("evaluator", `/certificate?limit=${encodeURIComponent(row.limit_id)}`)}>${t("Every slot")}</a>` },
  ];
  return html`<section class="panel" aria-label=${t("Limits")}>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
      : html`<${List} label=${t("Limits")} columns=${columns} rows=${data} rowKey=${(row) => row.limit_id} empty=${html`<${Empty} title=${t("No limit has been used yet")}>${t("They are shown from the first receipt on.")}<//>`} />`}
  </section>`;
}
