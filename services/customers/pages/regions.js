// Regions with little traffic: what is suggested for them, and the figures behind it.

import { at, get, may } from "./api.js";
import { count, decimal, percent } from "./format.js";
import { locale, t } from "./i18n.js";
import { Badge, Empty, Failure, List, Loading, html, useAsk } from "./ui.js";
import "./words_insights.js";

const signed = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const change = (points) => (points === null || points === undefined ? "–" : signed.format(points / 10_000));

// An instrument for codes that count in the stores of the region only.
function idea({ region }) {
  const suggested = {
    name: t("Code in stores of {region}", { region }),
    conditions: [{ kind: "region", regions: [region] }, { kind: "promo_code" }],
    benefit: { kind: "percent_off", percent: 1000 },
  };
  return at("emission", `/instruments/new?suggested=${encodeURIComponent(JSON.stringify(suggested))}`);
}

function said(one, weeks) {
  const texts = [];
  if (one.reasons.includes("falls_behind")) {
    texts.push(t("Purchases per week changed by {change} against the {before} weeks before, those of the chain by {chain}: {against} against the chain, and that is no chance (95%).", {
      change: change(one.change), before: weeks.before, chain: change(one.chain_change), against: change(one.against_chain),
    }));
  }
  if (one.reasons.includes("few_per_store")) texts.push(t("A store there has {share} of the purchases of a store of the chain.", { share: percent(one.per_store / 10_000) }));
  return texts.join(" ");
}

function Weeks({ one }) {
  const most = Math.max(1, ...one.weeks);
  return html`<svg class="spark" viewBox="0 0 120 28" width="120" height="28" role="img" aria-label=${t("{region}: {from} purchases a week at first, {to} in the last week", { region: one.region, from: count(one.weeks[0]), to: count(one.weeks[one.weeks.length - 1]) })}>
    ${one.weeks.map((value, n) => html`<rect key=${n} x=${n * 10 + 1} width="8" y=${27 - (value * 26) / most} height=${(value * 26) / most + 1} />`)}</svg>`;
}

export function Regions() {
  const { data, problem, reload } = useAsk((signal) => get("customers", "/v1/regions/traffic", { signal }), []);
  const weeks = { recent: data?.recent_weeks, before: data?.before_weeks };
  const suggested = data?.items.filter((one) => one.reasons.length) ?? [];
  const columns = [
    { key: "region", title: t("Region"), cell: (one) => html`<b>${one.region}</b>${one.reasons.length > 0 && html`<span class="sub"><${Badge} kind="warn">${t("little traffic")}<//></span>`}` },
    { key: "weeks", title: t("Purchases by week"), cell: (one) => html`<${Weeks} one=${one} />` },
    { key: "recent", number: true, title: t("A week, lately"), cell: (one) => html`${decimal(one.recent / weeks.recent, 0)}<span class="sub">${t("before: {n}", { n: decimal(one.before / weeks.before, 0) })}</span>` },
    { key: "change", number: true, title: t("Change"), cell: (one) => html`${change(one.change)}<span class="sub">${t("chain: {change}", { change: change(one.chain_change) })}</span>` },
    { key: "against", number: true, title: t("Against the chain"), cell: (one) => change(one.against_chain) },
    { key: "customers", number: true, title: t("Customers"), cell: (one) => html`${count(one.customers)}<span class="sub">${one.customers ? t("{n} purchases each", { n: decimal(one.recent / one.customers) }) : "–"}</span>` },
    { key: "stores", number: true, title: t("Stores"), cell: (one) => html`${count(one.stores)}<span class="sub">${one.per_store === null ? "–" : t("{share} of the chain’s purchases per store", { share: percent(one.per_store / 10_000) })}</span>` },
  ];
  return html`<section class="panel" id="regions" aria-labelledby="regions-title">
    <header><h2 id="regions-title">${t("Regions with little traffic")}</h2>${data && html`<p class="muted small">${t("the last {recent} whole weeks against the {before} before them", weeks)}</p>`}</header>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />` : html`
      <div class="body">${suggested.length ? html`<ul class="plain-list suggestions">${suggested.map((one) => html`<li key=${one.region} data-region=${one.region}><p><b>${t("Codes for stores of {region}", { region: one.region })}</b></p><p>${said(one, weeks)}</p>
          ${may("campaigns:write") && html`<p><a href=${idea(one)}>${t("Make a promotion for {region}", { region: one.region })}</a></p>`}</li>`)}</ul>`
        : html`<p class="muted">${t("No region falls behind the chain, or too little is known of them.")}</p>`}</div>
      <${List} label=${t("Regions")} columns=${columns} rows=${data.items} rowKey=${(one) => one.region} empty=${html`<${Empty} title=${t("No stores yet")} />`} />`}
  </section>`;
}
