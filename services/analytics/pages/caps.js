// What remains of each cap, and when it will be used up.

import { get } from "./api.js";
import { count, decimal, money, percent, time } from "./format.js";
import { t } from "./i18n.js";
import { Panel, csv } from "./tables.js";
import { Failure, html, useAsk, usePaced } from "./ui.js";
import "./words_statistics.js";

const EVERY_MS = 5_000;

const amount = (row, value) => (value === null ? "–" : row.counts === "money" ? money(value, row.currency) : count(value));
const name = (row) => [row.campaign, row.instrument, row.kind === "code" ? t("codes of {emission}", { emission: row.emission_id }) : null].filter(Boolean).join(" · ");
const key = (row) => [row.campaign_id, row.instrument_id, row.emission_id, row.condition_id, row.kind, row.counts, row.period?.kind].join("/");
const PER = () => ({ customer: t("customer"), day: t("day"), store: t("store"), receipt: t("receipt"), code: t("code"), week: t("week"), month: t("month") });

function forecast(row) {
  const told = row.forecast;
  if (!told) return "";
  if (told.state === "used_up") return t("used up");
  if (told.state === "sliding") return t("frees itself again: no forecast");
  if (told.state === "too_little_data") return t("too little data for a forecast");
  const rate = told.per_day === null ? "" : t("{n} a day", { n: row.counts === "money" ? amount(row, Math.round(told.per_day)) : decimal(told.per_day, 1) });
  if (told.state === "not_within") {
    const might = told.earliest ? t("lasts for the period, but might be used up from {at}", { at: time(told.earliest) }) : t("lasts for the period");
    return [might, rate].filter(Boolean).join(" · ");
  }
  const between = told.latest ? t("used up about {at} (95%: {earliest} – {latest})", { at: time(told.at), earliest: time(told.earliest), latest: time(told.latest) })
    : t("used up about {at} (95%: from {earliest}, or not at all)", { at: time(told.at), earliest: time(told.earliest) });
  return [between, rate].filter(Boolean).join(" · ");
}

const per = (row) => (row.per?.length ? t("for each {what}", { what: row.per.map((one) => PER()[one] ?? one).join(" · ") }) : row.kind === "code" && row.used === null ? t("for each code") : "");

function Cap({ row }) {
  const share = row.cap ? Math.min(1, row.used / row.cap) : 0;
  const urgent = row.forecast?.state === "used_up" ? "out" : row.forecast?.state === "expected" ? "soon" : "";
  return html`<li class="cap ${urgent}" data-campaign=${row.campaign_id}>
    <p class="cap-head"><span class="strong">${name(row)}</span> <span><b data-remaining>${amount(row, row.remaining)}</b> <span class="muted">${t("of {cap} left", { cap: amount(row, row.cap) })}</span></span></p>
    <span class="bar-track" role="img" aria-label=${t("{share} used", { share: percent(share, 0) })}><i style=${{ width: `${100 * share}%` }}></i></span>
    <p class="muted small cap-note">${forecast(row)}</p>
  </li>`;
}

// Asked again when the figures have changed, but not each time.
export function Caps({ campaign, changed }) {
  const query = campaign ? new URLSearchParams({ campaign_id: campaign }).toString() : "";
  const paced = usePaced(changed, EVERY_MS);
  const { data, problem, reload } = useAsk((signal) => get("analytics", `/v1/statistics/caps?${query}`, { signal, stay: true }), [query, paced]);
  const rows = data?.rows ?? [];
  const counted = rows.filter((row) => row.remaining !== null);
  const columns = [
    { key: "name", title: t("Limit"), value: name, cell: (row) => html`${name(row)}<span class="sub">${per(row)}</span>` },
    { key: "cap", title: t("Cap"), number: true, value: (row) => row.cap, cell: (row) => amount(row, row.cap) },
    { key: "used", title: t("Used"), number: true, value: (row) => row.used, cell: (row) => amount(row, row.used) },
    { key: "remaining", title: t("Remaining"), number: true, value: (row) => row.remaining, cell: (row) => amount(row, row.remaining) },
    { key: "forecast", title: t("Forecast"), cell: forecast },
  ];
  return html`<${Panel} id="caps" title=${t("What is left")} units=${t("redemptions or money")} download=${csv("caps", query)}
      table=${{ columns, rows, rowKey: key }} empty=${problem ? html`<${Failure} problem=${problem} retry=${reload} />` : data && !counted.length ? t("No campaign here has a cap that counts down.") : null}>
    <ul class="caps scroll" tabindex="0" aria-label=${t("What is left")}>${counted.map((row) => html`<${Cap} key=${key(row)} row=${row} />`)}</ul>
  <//>`;
}
