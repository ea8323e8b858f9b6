// Pictures of how good models are, and of who is expected: each stands beside its table.

import { count, day, decimal, percent } from "./format.js";
import { t, tn } from "./i18n.js";
import { html } from "./ui.js";
import "./words_forecast.js";

const WIDE = 360;
const TALL = 220;
const LEFT = 40;
const FOOT = 26;

export const MODELS = () => ({ "running-mean": t("Running mean"), "bg-nbd": "BG/NBD", boosted: t("Boosted trees") });
export const nameOf = (model) => MODELS()[model] ?? model;

const place = (value, most) => TALL - FOOT - (value * (TALL - FOOT - 12)) / most;

// The error of each model at each time it was tried: bars side by side.
export function Errors({ models }) {
  const times = models[0].scores.map((score) => score.ago);
  const most = Math.max(...models.flatMap((model) => model.scores.map((score) => score.error)), 0.001);
  const group = (WIDE - LEFT) / times.length;
  const bar = Math.min(44, (group - 24) / models.length);
  const label = t("Mean error in trips: {list}", { list: models.map((model) => `${nameOf(model.model)} ${decimal(model.error)}`).join(", ") });
  return html`<svg class="forecast-chart" viewBox="0 0 ${WIDE} ${TALL}" role="img" aria-label=${label}>
      ${[0, 0.5, 1].map((part) => html`<g key=${part}><line class="grid" x1=${LEFT} x2=${WIDE} y1=${place(part * most, most)} y2=${place(part * most, most)} />
        <text class="tick" x=${LEFT - 6} y=${place(part * most, most) + 4} text-anchor="end">${decimal(part * most, 1)}</text></g>`)}
      ${times.map((ago, n) => html`<g key=${ago}>${models.map((model, m) => html`<rect key=${model.model} class="series-${m + 1}" x=${LEFT + n * group + (group - bar * models.length) / 2 + m * bar} width=${bar - 3}
          y=${place(model.scores[n].error, most)} height=${TALL - FOOT - place(model.scores[n].error, most)} rx="2"><title>${nameOf(model.model)}: ${decimal(model.scores[n].error)}</title></rect>`)}
        <text class="tick" x=${LEFT + (n + 0.5) * group} y=${TALL - 8} text-anchor="middle">${tn(ago, "{n} day ago", "{n} days ago")}</text></g>`)}</svg>
    <p class="row muted small forecast-key">${models.map((model, m) => html`<span key=${model.model}><i class="series-${m + 1}"></i>${nameOf(model.model)}</span>`)}</p>`;
}

// Foretold and real shares: on the line they are the same.
export function Reliability({ bins }) {
  const side = TALL - FOOT - 12;
  const x = (points) => LEFT + (points * side) / 10_000;
  const y = (points) => place(points, 10_000);
  const most = Math.max(...bins.map((bin) => bin.customers));
  return html`<svg class="forecast-chart square" viewBox="0 0 ${LEFT + side + 28} ${TALL}" role="img" aria-label=${t("What was foretold beside what came, in {n} groups of customers", { n: bins.length })}>
    ${[0, 5_000, 10_000].map((points) => html`<g key=${points}><line class="grid" x1=${LEFT} x2=${LEFT + side} y1=${y(points)} y2=${y(points)} />
      <text class="tick" x=${LEFT - 6} y=${y(points) + 4} text-anchor="end">${percent(points / 10_000, 0)}</text>
      <text class="tick" x=${x(points)} y=${TALL - 8} text-anchor="middle">${percent(points / 10_000, 0)}</text></g>`)}
    <line class="diagonal" x1=${x(0)} x2=${x(10_000)} y1=${y(0)} y2=${y(10_000)} />
    ${bins.map((bin) => html`<circle key=${bin.foretold} class="series-1" cx=${x(bin.foretold)} cy=${y(bin.came)} r=${3 + 6 * Math.sqrt(bin.customers / most)}><title>${percent(bin.foretold / 10_000)} → ${percent(bin.came / 10_000)}, ${count(bin.customers)}</title></circle>`)}</svg>`;
}

// How many are expected on each day.
export function Days({ days }) {
  const most = Math.max(1, ...days.map((one) => one.customers));
  const step = WIDE / days.length;
  const all = days.reduce((sum, one) => sum + one.customers, 0);
  const height = (value) => (value * (TALL - FOOT - 12)) / most;
  return html`<svg class="forecast-chart" viewBox="0 0 ${WIDE} ${TALL}" role="img" aria-label=${t("{customers} expected in {days} days", { customers: count(all), days: days.length })}>
    ${days.map((one, n) => html`<rect key=${one.day} class="series-1" x=${n * step + 1} width=${Math.max(1, step - 2)} y=${TALL - FOOT - height(one.customers)} height=${height(one.customers)}><title>${day(one.day)}: ${count(one.customers)}</title></rect>`)}
    <line class="base" x1="0" x2=${WIDE} y1=${TALL - FOOT} y2=${TALL - FOOT} />
    <text class="tick" x="0" y=${TALL - 8}>${day(days[0].day)}</text><text class="tick" x=${WIDE} y=${TALL - 8} text-anchor="end">${day(days[days.length - 1].day)}</text></svg>`;
}
