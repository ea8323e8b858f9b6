// What a policy's offers brought against its control group, with intervals: a picture and the table beside it.

import { get } from "./api.js";
import { count, decimal, money, percent } from "./format.js";
import { locale, t, tn } from "./i18n.js";
import { Empty, Failure, Loading, html, useAsk } from "./ui.js";
import "./words_offers.js";

const LEAST = 30;
const signed = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
// Basis points as percentage points.
export const points = (value) => t("{value} pp", { value: signed.format(value / 100) });
const relative = (value) => `${signed.format(value / 100)}%`;
const rate = ({ buyers, customers }) => (customers ? percent(buyers / customers) : "–");
const mean = ({ paid, customers }, currency) => (customers ? money(Math.round(paid / customers), currency) : "–");

export function verdict({ more_buyers: found, treated, held_back: held }) {
  if (!found) return t("Too little data: {treated} and {held} customers whose days are over, {needed} of each are needed.", { treated: count(treated.customers), held: count(held.customers), needed: LEAST });
  const values = { value: points(found.value), lower: points(found.lower), upper: points(found.upper) };
  if (found.lower > 0) return t("{value} more of them buy because of the offers; 95% sure of {lower} to {upper}.", values);
  if (found.upper < 0) return t("{value}: fewer of them buy because of the offers; 95% sure of {lower} to {upper}.", values);
  return t("{value}, but it may be chance: 95% sure only of {lower} to {upper}.", values);
}

export const stepName = (step) => (step ? t("Days of step {n}", { n: step }) : t("Days of all steps"));

function scaleOf(rows) {
  const ends = rows.filter((row) => row.more_buyers).flatMap(({ more_buyers: one }) => [one.lower, one.upper]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends, 200)];
  const step = [50, 100, 200, 500, 1000, 2000, 5000].find((one) => (most - least) / one <= 6) ?? 10_000;
  const [from, to] = [Math.floor(least / step) * step, Math.ceil(most / step) * step];
  const ticks = Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => from + i * step);
  return { at: (value) => `${(100 * (value - from)) / (to - from)}%`, ticks };
}

function Picture({ found, scale, label }) {
  return html`<svg class="whiskers" role="img" aria-label=${label} data-proven=${String(Boolean(found?.proven))}>
    ${scale.ticks.map((tick) => html`<line key=${tick} class=${tick === 0 ? "zero" : "grid"} x1=${scale.at(tick)} x2=${scale.at(tick)} y1="0" y2="100%" />`)}
    ${found && html`<line class="span" x1=${scale.at(found.lower)} x2=${scale.at(found.upper)} y1="50%" y2="50%" />
      <line class="span" x1=${scale.at(found.lower)} x2=${scale.at(found.lower)} y1="32%" y2="68%" /><line class="span" x1=${scale.at(found.upper)} x2=${scale.at(found.upper)} y1="32%" y2="68%" />
      <circle cx=${scale.at(found.value)} cy="50%" r="6" />`}</svg>`;
}

export function Outcome({ policy }) {
  const { data, problem, reload } = useAsk((signal) => get("customers", `/v1/policies/${encodeURIComponent(policy.policy_id)}/outcome`, { signal }), [policy.policy_id]);
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  if (!data) return html`<section class="panel"><${Loading} /></section>`;
  const rows = data.items;
  if (!rows.length) return html`<section class="panel"><${Empty} title=${t("Nobody has been begun with yet")}>${t("Once offers are made, what they bring is told here against the control group.")}<//></section>`;
  const scale = scaleOf(rows);
  return html`<section class="panel" id="outcome" aria-labelledby="outcome-title">
    <header><h2 id="outcome-title">${t("How many more buy because of it")}</h2><p class="muted small">${t("share of buyers against the control group, percentage points, with the 95% interval")}</p></header>
    <ul class="whisker-rows">${rows.map((row) => html`<li key=${row.step} data-step=${row.step}>
        <div><b>${stepName(row.step)}</b><span class="sub muted small">${t("{treated} against {held}", { treated: tn(row.treated.customers, "{n} customer", "{n} customers"), held: count(row.held_back.customers) })}</span></div>
        <${Picture} found=${row.more_buyers} scale=${scale} label="${stepName(row.step)}: ${verdict(row)}" /><p>${verdict(row)}</p></li>`)}
      <li class="axis" aria-hidden="true"><div></div><div class="ticks">${scale.ticks.map((tick) => html`<span key=${tick} style=${{ left: scale.at(tick) }}>${points(tick)}</span>`)}</div><div></div></li>
    </ul>
    <p class="muted small aside">${t("Everybody counts who was begun with, once, by the first time; whoever’s days are over. All steps are told of by the same customers: those who get a second step are chosen by the first.")}</p>
  </section>
  <section class="panel" aria-labelledby="figures-title"><header><h2 id="figures-title">${t("All figures")}</h2></header>
    <div class="table-box" tabindex="0" role="region" aria-label=${t("All figures")}><table class="list"><thead><tr>
      <th scope="col">${t("Days")}</th>${[t("Customers"), t("Buyers"), t("More buyers"), t("Used"), t("Bought anyway"), t("Paid by each"), t("More paid"), t("Uplift"), t("Not over yet")].map((title) => html`<th key=${title} scope="col" class="number">${title}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr key=${row.step}><th scope="row">${stepName(row.step)}</th>
        <${Against} value=${count(row.treated.customers)} held=${count(row.held_back.customers)} />
        <${Against} value=${rate(row.treated)} held=${rate(row.held_back)} />
        <${Estimated} found=${row.more_buyers} write=${points} />
        <td class="number">${count(row.used)}</td><td class="number">${count(row.bought_anyway)}</td>
        <${Against} value=${mean(row.treated, policy.currency)} held=${mean(row.held_back, policy.currency)} />
        <${Estimated} found=${row.more_spending} write=${(minor) => money(minor, policy.currency)} />
        <${Estimated} found=${row.uplift} write=${relative} />
        <td class="number">${count(row.running)}</td></tr>`)}</tbody></table></div>
  </section>`;
}

const Against = ({ value, held }) => html`<td class="number">${value}<span class="sub">${t("control group: {value}", { value: held })}</span></td>`;
const Estimated = ({ found, write }) => html`<td class="number">${found ? html`${write(found.value)}<span class="sub">${t("{lower} to {upper}", { lower: write(found.lower), upper: write(found.upper) })}</span>` : t("not known yet")}</td>`;

// What became of the codes, step by step.
export function Steps({ view }) {
  const { policy, steps } = view;
  const write = (value) => (policy.discounts_in === "amount" ? money(value, policy.currency) : `${decimal(value / 100)}%`);
  return html`<section class="panel" id="steps" aria-labelledby="steps-title"><header><h2 id="steps-title">${t("What became of the codes")}</h2></header>
    <div class="table-box" tabindex="0" role="region" aria-label=${t("What became of the codes")}><table class="list"><thead><tr><th scope="col">${t("Step")}</th><th scope="col" class="number">${t("Sent")}</th><th scope="col" class="number">${t("Used")}</th>
      <th scope="col" class="number">${t("Not used")}</th><th scope="col" class="number">${t("No code")}</th><th scope="col" class="number">${t("Control group")}</th><th scope="col" class="number">${t("Discount given")}</th><th scope="col" class="number">${t("May still cost")}</th></tr></thead>
      <tbody>${steps.map((one) => html`<tr key=${one.step} data-step=${one.step}><th scope="row">${t("{n}: {discount}", { n: one.step, discount: write(policy.steps[one.step - 1].discount) })}</th><td class="number">${count(one.offered)}</td>
        <td class="number">${count(one.used)}${one.offered > 0 && html`<span class="sub">${percent(one.used / one.offered)}</span>`}</td><td class="number">${count(one.expired)}</td><td class="number">${count(one.refused)}</td><td class="number">${count(one.held_back)}</td>
        <td class="number">${money(one.given, policy.currency)}</td><td class="number">${money(one.likely, policy.currency)}</td></tr>`)}</tbody></table></div></section>`;
}
