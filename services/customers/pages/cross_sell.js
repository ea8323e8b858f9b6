// Groups that are bought together, for a discount on related goods.

import { at, call, get, may } from "./api.js";
import { count, decimal, percent, time } from "./format.js";
import { t } from "./i18n.js";
import { Action, Empty, Failure, Input, List, Loading, Select, html, say, useAsk, useSettled, useState } from "./ui.js";
import "./words_insights.js";

const share = (points) => percent(points / 10_000);

// An instrument that says it: who buys the one gets the other for less.
function promotion({ group, related }) {
  const suggested = {
    name: t("{related} with {group}", { group, related }),
    conditions: [{ kind: "product_presence", products: { groups: [group] } }],
    benefit: { kind: "percent_off", percent: 1000, products: { groups: [related] } },
  };
  return at("emission", `/instruments/new?suggested=${encodeURIComponent(JSON.stringify(suggested))}`);
}

export function CrossSell() {
  const [asked, setAsked] = useState({ group: "", receipts: "20", lift: "1.2", sort: "lift" });
  const settled = useSettled(asked, 300);
  const lift = Math.round(Number(settled.lift.replace(",", ".")) * 100);
  const query = new URLSearchParams({ sort: settled.sort, limit: 50, min_receipts: Math.max(1, Number(settled.receipts) || 1), min_lift: lift >= 0 ? lift : 0, ...(settled.group && { group: settled.group }) });
  const { data, problem, loading, reload } = useAsk((signal) => get("customers", `/v1/cross-sell?${query}`, { signal }), [String(query)]);
  const { data: groups } = useAsk((signal) => get("customers", "/v1/cross-sell/groups?limit=300", { signal }), []);
  const set = (key) => (value) => setAsked({ ...asked, [key]: value });
  const renew = async () => {
    await call("customers", "POST", "/v1/cross-sell");
    say(t("Receipts were looked through anew"));
    reload();
  };
  const columns = [
    { key: "group", title: t("Who buys"), cell: (one) => one.group },
    { key: "related", title: t("buys, too"), cell: (one) => html`<b>${one.related}</b>` },
    { key: "together", number: true, title: t("Receipts with both"), cell: (one) => html`${count(one.together)}<span class="sub">${share(one.support)}</span>` },
    { key: "confidence", number: true, title: t("of those with the first"), cell: (one) => html`${share(one.confidence)}<span class="sub">${count(one.of_group)}</span>` },
    { key: "lift", number: true, title: t("Oftener than by chance"), cell: (one) => `× ${decimal(one.lift / 100)}` },
    ...(may("campaigns:write") ? [{ key: "make", title: "", cell: (one) => html`<a href=${promotion(one)}>${t("Make a promotion")}</a>` }] : []),
  ];
  const empty = html`<${Empty} title=${data?.made_at ? t("No pairs like that") : t("Not looked for yet")}>${data?.made_at ? t("Ask for less.") : t("Pairs are looked for as soon as there are 1,000 receipts, and every night.")}<//>`;
  return html`<section class="panel" id="cross-sell" aria-labelledby="cross-sell-title">
    <header><h2 id="cross-sell-title">${t("Bought together")}</h2>
      ${data?.made_at && html`<p class="muted small">${t("from {n} of {all} receipts of the last 90 days, as of {time}", { n: count(data.receipts), all: count(data.of_receipts), time: time(data.made_at) })}</p>`}
      <div class="actions">${may("customers:write") && html`<${Action} kind="small" onAct=${renew}>${t("Look anew")}<//>`}</div></header>
    <div class="body"><div class="columns">
      <${Select} label=${t("Product group")} options=${[["", t("any")], ...(groups?.items ?? []).map((one) => [one.group, one.group])]} value=${asked.group} onInput=${set("group")} />
      <${Input} label=${t("Receipts with both, at least")} type="number" min="1" value=${asked.receipts} onInput=${set("receipts")} />
      <${Input} label=${t("Times as often as by chance, at least")} inputmode="decimal" value=${asked.lift} onInput=${set("lift")} />
      <${Select} label=${t("First the highest")} options=${[["lift", t("oftener than by chance")], ["together", t("receipts with both")], ["confidence", t("share of the first")]]} value=${asked.sort} onInput=${set("sort")} />
    </div></div>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
      : html`<div aria-busy=${loading}><${List} label=${t("Bought together")} columns=${columns} rows=${data.items} rowKey=${(one) => `${one.group}/${one.related}`} empty=${empty} /></div>`}
  </section>`;
}
