// Uplift against the control group, drawn with its interval: where the line crosses nought, it may be chance.

import { count, decimal, money, percent, time } from "./format.js";
import { locale, t, tn } from "./i18n.js";
import { html } from "./ui.js";
import "./words_statistics.js";

const signed = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
// Basis points as a change.
export const share = (points) => (points === null || points === undefined ? "–" : signed.format(points / 10_000));

const known = (row) => row.uplift && row.uplift.uplift !== null;

// A scale with nought on it, and round ticks.
function scaleOf(rows) {
  const ends = rows.filter(known).flatMap(({ uplift }) => [uplift.lower, uplift.upper]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends, 500)];
  const step = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000].find((one) => (most - least) / one <= 6) ?? 100_000;
  const [from, to] = [Math.floor(least / step) * step, Math.ceil(most / step) * step];
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  return { at: (points) => `${(100 * (points - from)) / (to - from)}%`, ticks };
}

function verdict(row) {
  const { uplift } = row;
  if (uplift.missing === "nothing_paid") return t("Nobody in one of the groups has paid anything yet.");
  if (uplift.uplift === null) {
    return t("Too little data: {treated} and {held} customers, {needed} of each are needed.", {
      treated: count(uplift.treated.customers), held: count(uplift.held_back.customers), needed: count(uplift.needed ?? 100),
    });
  }
  const values = { value: share(uplift.uplift), lower: share(uplift.lower), upper: share(uplift.upper) };
  if (uplift.lower > 0) return t("{value} more revenue because of it; 95% sure of {lower} to {upper}.", values);
  if (uplift.upper < 0) return t("{value}: it brings less than nothing; 95% sure of {lower} to {upper}.", values);
  return t("{value}, but it may be chance: 95% sure only of {lower} to {upper}.", values);
}

function Picture({ row, scale, label }) {
  if (!known(row)) return html`<svg class="whiskers" role="img" aria-label=${label}><line class="zero" x1=${scale.at(0)} x2=${scale.at(0)} y1="0" y2="100%" /></svg>`;
  const { uplift, lower, upper } = row.uplift;
  const proven = lower > 0 || upper < 0;
  return html`<svg class="whiskers" role="img" aria-label=${label} data-proven=${String(proven)}>
    ${scale.ticks.map((tick) => html`<line key=${tick} class=${tick === 0 ? "zero" : "grid"} x1=${scale.at(tick)} x2=${scale.at(tick)} y1="0" y2="100%" />`)}
    <line class="span" x1=${scale.at(lower)} x2=${scale.at(upper)} y1="50%" y2="50%" />
    <line class="span" x1=${scale.at(lower)} x2=${scale.at(lower)} y1="32%" y2="68%" />
    <line class="span" x1=${scale.at(upper)} x2=${scale.at(upper)} y1="32%" y2="68%" />
    <circle cx=${scale.at(uplift)} cy="50%" r="6" />
  </svg>`;
}

function brought({ uplift }, currency) {
  if (uplift?.incremental_revenue === null || uplift?.incremental_revenue === undefined) return "";
  const all = t("Because of it: {amount} ({lower} to {upper})", {
    amount: money(uplift.incremental_revenue, currency), lower: money(uplift.incremental_lower, currency), upper: money(uplift.incremental_upper, currency),
  });
  if (uplift.incremental_per_discount === null) return all;
  return `${all} · ${t("{n} for each 1.00 of discount", { n: decimal(uplift.incremental_per_discount) })}`;
}

const groups = ({ uplift }) =>
  t("Control group {share}; {treated} against {held} since {since}", {
    share: percent(uplift.control_group / 10_000), treated: tn(uplift.treated.customers, "{n} customer", "{n} customers"), held: count(uplift.held_back.customers), since: time(uplift.since),
  });

const MOST_NAMED = 6;
const names = (all) => all.slice(0, MOST_NAMED).join(", ") + (all.length > MOST_NAMED ? ` … (${count(all.length)})` : "");

export function Uplift({ rows, loaded, currency }) {
  const scale = scaleOf(rows);
  const shown = rows.filter((row) => row.uplift);
  const without = rows.filter((row) => !row.uplift).map((row) => row.campaign);
  return html`<section class="panel" id="uplift" aria-label=${t("Uplift against the control group")}>
    <header><h2>${t("Uplift against the control group")}</h2><p class="muted small">${t("revenue per customer, %, with the 95% interval; of the whole campaign so far")}</p></header>
    <ul class="uplifts">
      ${shown.map((row) => html`<li key=${row.campaign_id} data-campaign=${row.campaign_id}>
        <div><b>${row.campaign}</b><span class="sub muted small">${groups(row)}</span></div>
        <${Picture} row=${row} scale=${scale} label="${row.campaign}: ${verdict(row)}" />
        <div><p>${verdict(row)}</p><p class="muted small">${brought(row, currency)}</p></div></li>`)}
      ${loaded && rows.some(known) && html`<li class="axis" aria-hidden="true"><div></div><div class="ticks">${scale.ticks.map((tick) => html`<span key=${tick} style=${{ left: scale.at(tick) }}>${share(tick)}</span>`)}</div><div></div></li>`}
      ${loaded && !shown.length && html`<li class="none muted">${t("No campaign here has a control group. Give one to a campaign, and here is what it brings that would not have been bought anyway.")}</li>`}
    </ul>
    ${shown.length > 0 && without.length > 0 && html`<p class="muted small without">${t("Without a control group, so not known: {names}", { names: names(without) })}</p>`}
  </section>`;
}
