// Pictures of a customer, each with its figures as a table.

import { count, day, money, percent, shortMoney } from "./format.js";
import { t, tn } from "./i18n.js";
import { weekdays } from "./customer_names.js";
import { html, useId } from "./ui.js";
import "./words_customers.js";

// A panel with a picture, and the figures in it as a table that can be unfolded. columns: [[title, (row) => text, number?], …].
export function Picture({ title, hint, rows, columns, children, empty }) {
  const id = useId();
  return html`<section class="panel picture" aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${hint && html`<p class="muted small">${hint}</p>`}</header>
    <div class="body">${rows.length ? html`${children}
      <details><summary>${t("As a table")}</summary><div class="table-box" tabindex="0" role="region" aria-label=${title}><table class="list">
        <thead><tr>${columns.map(([name, , number]) => html`<th scope="col" key=${name} class=${number ? "number" : ""}>${name}</th>`)}</tr></thead>
        <tbody>${rows.map((row, n) => html`<tr key=${n}>${columns.map(([name, write, number]) => html`<td key=${name} class=${number ? "number" : ""}>${write(row)}</td>`)}</tr>`)}</tbody>
      </table></div></details>` : html`<p class="muted">${empty}</p>`}</div>
  </section>`;
}

// A column for each week, purchases with a promotion at its foot; or what was paid.
export function Weeks({ weeks, currency, shown, onShow }) {
  const paid = shown === "paid" && currency;
  const most = Math.max(1, ...weeks.map((week) => (paid ? week.paid : week.purchases)));
  const told = (week) => `${day(week.monday)}: ${tn(week.purchases, "{n} purchase", "{n} purchases")}${currency ? `, ${money(week.paid, currency)}` : ""}`;
  const columns = [
    [t("Week from"), (week) => day(week.monday)], [t("Purchases"), (week) => count(week.purchases), true],
    [t("With a promotion"), (week) => count(week.promo_purchases), true], ...(currency ? [[t("Paid, less refunds"), (week) => money(week.paid, currency), true]] : []),
  ];
  const share = (value) => ({ height: `${(100 * Math.max(0, value)) / most}%` });
  return html`<${Picture} title=${t("Week by week")} rows=${weeks} columns=${columns} empty=${t("No purchases in the last 400 days.")}>
    <div class="row"><div class="row" role="group" aria-label=${t("What is shown")}>
      ${[["purchases", t("Purchases")], ["paid", t("Paid")]].map(([key, text]) => html`<button type="button" class="small" key=${key} aria-pressed=${shown === key} onClick=${() => onShow(key)}>${text}</button>`)}</div>
      ${!paid && html`<p class="legend small"><i class="promo"></i>${t("with a promotion")} <i></i>${t("without one")}</p>`}</div>
    <div class="weeks" role="img" aria-label=${t("{n} purchases in {weeks} weeks, at most {most} in one", { n: count(weeks.reduce((sum, week) => sum + week.purchases, 0)), weeks: weeks.length, most: count(Math.max(0, ...weeks.map((week) => week.purchases))) })}>
      <span class="top small muted">${paid ? shortMoney(most, currency) : count(most)}</span>
      ${weeks.map((week) => html`<div key=${week.monday} title=${told(week)}>${paid ? html`<i class="money" style=${share(week.paid)}></i>`
        : html`<i style=${share(week.purchases - week.promo_purchases)}></i><i class="promo" style=${share(week.promo_purchases)}></i>`}</div>`)}
    </div>
    ${weeks.length > 0 && html`<div class="between small muted" aria-hidden="true"><span>${day(weeks[0].monday)}</span><span>${day(weeks.at(-1).monday)}</span></div>`}
  <//>`;
}

const LEVELS = 5;

// The picture is a table itself: weekdays by hours.
export function Heat({ heat }) {
  const id = useId();
  const most = Math.max(1, ...heat.flat());
  const level = (value) => Math.ceil((LEVELS * value) / most);
  const days = weekdays();
  const long = weekdays("long");
  const any = heat.some((row) => row.some(Boolean));
  return html`<section class="panel picture" aria-labelledby=${id}>
    <header><h2 id=${id}>${t("Hours and weekdays")}</h2><p class="muted small">${t("by the stores’ clocks")}</p></header>
    <div class="body">${any ? html`<div class="table-box" tabindex="0" role="region" aria-labelledby=${id}><table class="heat">
      <thead><tr><td></td>${heat[0].map((_, hour) => html`<th scope="col" key=${hour}>${hour}</th>`)}</tr></thead>
      <tbody>${heat.map((row, n) => html`<tr key=${n}><th scope="row" title=${long[n]}>${days[n]}</th>${row.map((value, hour) => html`
        <td key=${hour} data-heat=${level(value)} title="${long[n]}, ${hour}:00 – ${tn(value, "{n} purchase", "{n} purchases")}">${value || ""}</td>`)}</tr>`)}</tbody>
    </table></div>` : html`<p class="muted">${t("No purchases in the last 400 days.")}</p>`}</div>
  </section>`;
}

// rows: [[name, value], …], largest first, as bars; `write` says a value.
export function Ranked({ title, hint, rows, head, write = count, more = [], empty }) {
  const most = Math.max(1, ...rows.map((row) => row.value));
  const columns = [[head, (row) => row.name], [t("Purchases"), (row) => count(row.value), true], ...more];
  return html`<${Picture} title=${title} hint=${hint} rows=${rows} columns=${columns} empty=${empty}>
    <ol class="ranked">${rows.slice(0, 10).map((row) => html`<li key=${row.name}><span>${row.name}</span>
      <span class="track" aria-hidden="true"><i style=${{ width: `${(100 * Math.max(0, row.value)) / most}%` }}></i></span><b>${write(row.value)}</b></li>`)}</ol>
  <//>`;
}

// Parts of a whole, as one bar. parts: [[name, value, colour], …].
export function Parts({ title, hint, parts, empty, children }) {
  const whole = parts.reduce((sum, [, value]) => sum + value, 0);
  const columns = [[t("What"), ([name]) => name], [t("How many"), ([, value]) => count(value), true], [t("Share"), ([, value]) => percent(value / whole), true]];
  return html`<${Picture} title=${title} hint=${hint} rows=${whole ? parts : []} columns=${columns} empty=${empty}>
    <div class="parts" role="img" aria-label=${parts.map(([name, value]) => `${name}: ${count(value)}`).join(", ")}>${parts.filter(([, value]) => value > 0).map(([name, value, colour]) => html`
      <i key=${name} data-part=${colour} title="${name}: ${count(value)}" style=${{ width: `${(100 * value) / whole}%` }}></i>`)}</div>
    <p class="legend small">${parts.map(([name, value, colour]) => html`<span key=${name}><i data-part=${colour}></i>${name} <b>${count(value)}</b></span>`)}</p>
    ${children}
  <//>`;
}

// A fifth (1–5, 5 is best) as dots.
export const Fifth = ({ name, value }) => html`<div class="fifth"><span>${name}</span>
  <span role="img" aria-label=${t("{n} of 5", { n: value })}>${[1, 2, 3, 4, 5].map((n) => html`<i key=${n} class=${n <= value ? "on" : ""}></i>`)}</span></div>`;
