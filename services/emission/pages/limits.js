// Rows of limits: of an instrument, or of a campaign over all its instruments.

import { t } from "./i18n.js";
import { read } from "./documents.js";
import { NumberField, useField, useForms } from "./form.js";
import { Rows } from "./editors.js";
import { Check, Field, html } from "./ui.js";

const PER = () => [["customer", t("customer")], ["code", t("code")], ["store", t("store")], ["day", t("day")]];

export const Limits = ({ at, label }) => html`<${Rows} at=${at} label=${label ?? t("Limits")} add=${t("Add a limit")} least=${0} fresh=${() => ({ per: ["customer"], redemptions: 1 })}>${(row) => html`<${Limit} at=${row} />`}<//>`;

function Limit({ at }) {
  const form = useForms();
  const rule = read(form.value, at) ?? {};
  const of = "money" in rule ? "money" : "redemptions";
  const measure = (next) => form.set(at, { per: rule.per ?? [], [next]: undefined });
  return html`
    <${Field} label=${t("Of what")}>${(control) => html`<select ...${control} disabled=${form.readOnly} value=${of} onChange=${(event) => measure(event.target.value)}>
      <option value="redemptions" selected=${of === "redemptions"}>${t("times")}</option><option value="money" selected=${of === "money"}>${t("money of discounts")}</option></select>`}<//>
    <${NumberField} key=${of} at="${at}.${of}" unit=${of === "money" ? "money" : "count"} label=${t("At most")} required />
    <${Per} at="${at}.per" />`;
}

function Per({ at }) {
  const { value = [], set, error, readOnly } = useField(at);
  return html`<fieldset class="field" data-field=${at}><legend>${t("For each (none: in all)")}</legend><div class="row choices">${PER().map(([key, text]) => html`
    <${Check} key=${key} label=${text} value=${value.includes(key)} disabled=${readOnly} onInput=${(on) => set(on ? [...value, key] : value.filter((one) => one !== key))} />`)}</div>
    ${error && html`<p class="error">${error}</p>`}</fieldset>`;
}
