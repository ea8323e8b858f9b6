// A campaign as the evaluator tries it: its plan with the instruments spelt out, and what their codes are.

import { get } from "./api.js";
import { instrumentOf, instrumentsOf } from "./campaign_instruments.js";
import { explained } from "./messages.js";
import { t } from "./i18n.js";
import { Failure, html } from "./ui.js";

// { draft, names, emissions }: `names` of its instruments by id, `emissions` those that they ask for.
export async function drafted(plan, signal) {
  const known = await instrumentsOf(plan.instruments ?? [], signal);
  const instruments = (plan.instruments ?? []).filter((id) => known[id]).map((id) => instrumentOf(known[id]));
  const ids = [...new Set(instruments.flatMap(({ conditions }) => emissionIds(conditions)))];
  const emissions = await Promise.all(ids.map((id) => get("emission", `/v1/emissions/${encodeURIComponent(id)}`, { signal })));
  const summaries = emissions.map((one) => ({
    emission_id: one.emission_id, kind: one.kind, single_use: one.single_use, posted_codes: one.count,
    ...(one.valid_from && { valid_from: one.valid_from }), ...(one.valid_until && { valid_until: one.valid_until }),
  }));
  return { draft: { ...plan, instruments, emissions: summaries }, emissions, names: Object.fromEntries(instruments.map((one) => [one.instrument_id, one.name])) };
}

const emissionIds = (conditions = []) => conditions.flatMap((one) => (one.kind === "promo_code" ? [one.emission_id] : emissionIds(one.conditions ?? (one.condition ? [one.condition] : []))));

// What the evaluator could not use, in the words of the form.
export function Refused({ problem }) {
  if (!problem.errors?.length) return html`<${Failure} problem=${problem} />`;
  return html`<div class="notice bad" role="alert"><ul class="plain-list">${problem.errors.map(({ field, message }) => html`<li key=${field}>${placed(field)}: ${explained(message)}</li>`)}</ul></div>`;
}

function placed(field) {
  const line = /^cart\.lines\.(\d+)|^lines\.(\d+)/.exec(field);
  if (line) return t("Line {n}", { n: Number(line[1] ?? line[2]) + 1 });
  const name = { store_id: t("Store"), customer_id: t("Customer"), occurred_at: t("Time"), lines: t("Goods"), codes: t("Promo code") }[field.replace(/^cart\./, "")];
  return name ?? field.replace(/^(campaign|cart)\./, "");
}
