// What is left of a campaign's limits, each with its certificate.

import { at, get, may } from "./api.js";
import { count, money, percent } from "./format.js";
import { t, tn } from "./i18n.js";
import { useCurrency } from "./currency.js";
import { limitOf } from "./reasons.js";
import { Empty, Failure, List, Loading, html, useAsk } from "./ui.js";

const PAGE = 1_000;
const MOST_PAGES = 5;

async function limitsOf(id, signal) {
  const all = [];
  let after = "";
  for (let page = 0; page < MOST_PAGES && after !== null; page += 1) {
    const answer = await get("evaluator", `/v1/limits?${new URLSearchParams({ search: `${id}/`, limit: PAGE, after })}`, { signal });
    all.push(...answer.limits);
    after = answer.next;
  }
  return all.filter((one) => one.limit_id.startsWith(`${id}/`));
}

// One row for each rule: of a limit per customer, say, there are as many counters as customers.
function rules(limits) {
  const found = new Map();
  for (const one of limits) {
    const [rule] = one.limit_id.split(/[=@]/, 1);
    found.set(rule, [...(found.get(rule) ?? []), one]);
  }
  return [...found].map(([rule, counters]) => ({ rule, counters, only: counters.length === 1 && !/[=@]/.test(counters[0].limit_id) ? counters[0] : null }))
    .sort((one, other) => Boolean(other.only) - Boolean(one.only));
}

// "{campaign}/{instrument}/~customer": of what, and what it counts.
function named(rule, id) {
  const parts = rule.slice(id.length + 1).split("/");
  const last = parts[parts.length - 1];
  if (last.startsWith("~")) return [parts.length > 1 ? parts[0] : t("the whole campaign"), limitOf(last.slice(1).split(".").filter(Boolean))];
  return [parts[0], parts.length > 1 ? t("first ones with a code") : limitOf([])];
}

export function LimitsOf({ id }) {
  const currency = useCurrency();
  const { data, problem, reload } = useAsk((signal) => (may("ledger:read") ? limitsOf(id, signal) : Promise.resolve([])), []);
  const figure = (one, value) => (one.money ? money(value, currency) : count(value));
  const only = (cell) => ({ only: one }) => (one ? cell(one) : "");
  const columns = [
    { key: "limit", title: t("Limit"), cell: ({ rule }) => html`<span class="strong">${named(rule, id)[1]}</span><span class="sub">${named(rule, id)[0]}</span>` },
    { key: "used", title: t("Used"), number: true, cell: only((one) => figure(one, one.used)) },
    { key: "held", title: t("Held by open receipts"), number: true, cell: only((one) => figure(one, one.held + one.leased)) },
    { key: "free", title: t("Left"), number: true, cell: only((one) => html`<span class="strong">${figure(one, one.free)}</span>`) },
    { key: "cap", title: t("Of"), number: true, cell: ({ counters: [one] }) => figure(one, one.cap) },
    { key: "share", title: t("Used up"), cell: ({ only: one, counters }) => (one?.cap ? html`<progress max=${one.cap} value=${one.cap - one.free} aria-label=${t("Used up")}></progress><span class="sub">${percent((one.cap - one.free) / one.cap)}</span>`
      : html`${tn(counters.length, "{n} counter", "{n} counters")}<span class="sub">${tn(counters.filter((each) => each.free <= 0).length, "{n} used up", "{n} used up")}</span>`) },
    { key: "certificate", title: t("Certificate"), cell: ({ only: one, rule }) => (one ? html`<a href=${at("evaluator", `/certificate?limit=${encodeURIComponent(one.limit_id)}`)}>${t("Every slot")}</a>`
      : html`<a href=${at("evaluator", `/certificate?search=${encodeURIComponent(rule)}`)}>${t("All of them")}</a>`) },
  ];
  return html`<section class="panel" aria-label=${t("Limits")}>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
      : html`<${List} label=${t("Limits")} columns=${columns} rows=${rules(data)} rowKey=${(row) => row.rule} empty=${html`<${Empty} title=${t("No limit has been used yet")}>${t("They are shown from the first receipt on.")}<//>`} />`}
  </section>`;
}
