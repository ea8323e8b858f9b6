// A dry run beside the editor: whom the policy would reach today, what that may cost, and why not the others.

import { Problem, call } from "./api.js";
import { count, money, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { REASONS } from "./policy_names.js";
import { html, useAsk, useSettled } from "./ui.js";
import "./words_offers.js";

const SETTLED_MS = 700;

const isComplete = ({ policy_id: id, name, reason, steps, max_discount: most }) =>
  Boolean(id && name && reason) && typeof most === "number" && steps.length > 0
  && steps.every((step) => step.emission_id && typeof step.discount === "number" && typeof step.valid_days === "number");

export function DryRun({ document, notes }) {
  const asked = useSettled(isComplete(document) ? JSON.stringify(document) : "", SETTLED_MS);
  const { data, problem, loading } = useAsk((signal) => (asked
    ? call("customers", "POST", "/v1/policies/try", asked, { signal, headers: { "content-type": "application/json" } })
    : Promise.reject(new Problem(422, {}))), [asked]);
  const shown = problem ? null : data;
  return html`<section class="panel" id="dry-run" aria-labelledby="dry-run-title" aria-busy=${loading}>
    <header><h2 id="dry-run-title">${t("If it ran today")}</h2></header>
    <div class="body">${problem ? html`<p class="muted">${problem.status === 422 || problem.status === 400 ? t("Complete the policy, and here is whom it would reach.") : problem.message}</p>`
      : !shown ? html`<div class="skeleton">…</div>` : html`<${Figures} found=${shown} currency=${document.currency} />`}</div>
    ${shown && notes && html`<${notes} notes=${shown.notes} />`}
  </section>`;
}

function Figures({ found, currency }) {
  const { customers, checked, reached, held_back: held, cost, skipped, steps, first_at: first, last_at: last } = found;
  const most = Math.max(1, ...skipped.map((one) => one.customers));
  return html`
    <p class="figure-large"><b data-reached>${count(reached)}</b> <span class="muted">${tn(customers, "of {n} customer", "of {n} customers")}</span></p>
    <dl class="facts">
      <dt>${t("sent a code")}</dt><dd data-sent>${count(reached - held)}</dd>
      <dt>${t("control group")}</dt><dd data-held>${count(held)}</dd>
      <dt>${t("cost if all are used")}</dt><dd data-cost>${money(cost, currency)}</dd>
      ${steps.length > 1 && steps.map((one) => html`<dt key=${one.step}>${t("begin with step {n}", { n: one.step })}</dt><dd>${count(one.customers)}</dd>`)}
      ${first && html`<dt>${t("sent")}</dt><dd>${first === last ? time(first) : `${time(first)} – ${time(last)}`}</dd>`}
    </dl>
    ${checked < customers && html`<p class="muted small">${t("Estimated from {n} customers, drawn by lot.", { n: count(checked) })}</p>`}
    ${skipped.length > 0 && html`<table class="list reasons"><caption>${t("Why the others are not reached")}</caption>
      <thead class="visually-hidden"><tr><th scope="col">${t("Reason")}</th><th scope="col">${t("Customers")}</th></tr></thead>
      <tbody>${skipped.map((one) => html`<tr key=${one.reason} data-reason=${one.reason}><td>${REASONS()[one.reason] ?? one.reason}
        <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect width=${(100 * one.customers) / most} height="4" /></svg></td><td class="number">${count(one.customers)}</td></tr>`)}</tbody></table>`}`;
}
