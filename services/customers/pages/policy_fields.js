// The fields of a policy, panel by panel.

import { get, may } from "./api.js";
import { t } from "./i18n.js";
import { FormProvider, IdField, IdsField, NumberField, RangeField, SelectField, SomeField, TextField, useForm, useField } from "./policy_form.js";
import { MONTHS, WEEKDAYS } from "./policy_names.js";
import { Check, Field, html, useAsk } from "./ui.js";
import "./words_offers.js";

const MOST_STEPS = 5;
const MOST = 5;
const CURRENCIES = () => Intl.supportedValuesOf("currency").map((one) => [one, one]);
const ZONES = [...new Set(Intl.supportedValuesOf("timeZone").map((zone) => ({ "Europe/Kiev": "Europe/Kyiv" })[zone] ?? zone))].sort();

// What can be suggested; whoever may not see it types ids.
export function useKnown() {
  const { data: emissions } = useAsk((signal) => (may("campaigns:read") ? get("emission", "/v1/emissions?limit=1000", { signal }) : Promise.resolve({ items: [] })).catch(() => ({ items: [] })), []);
  const { data: stores } = useAsk((signal) => (may("campaigns:read") ? get("emission", "/v1/stores?limit=1000", { signal }) : Promise.resolve({ items: [] })).catch(() => ({ items: [] })), []);
  const { data: segments } = useAsk((signal) => get("customers", "/v1/segments", { signal }).catch(() => ({ items: [] })), []);
  const places = stores?.items ?? [];
  return {
    emissions: (emissions?.items ?? []).filter((one) => one.kind === "personal").map((one) => [one.emission_id, one.name]),
    stores: places.map((one) => [one.store_id, one.name]),
    regions: [...new Set(places.map((one) => one.region))].sort().map((one) => [one, one]),
    segments: (segments?.items ?? []).map((one) => [one.segment_id, one.name]),
  };
}

const Panel = ({ id, title, hint, children }) => html`<section class="panel" aria-labelledby=${id}>
  <header><h2 id=${id}>${title}</h2>${hint && html`<p class="muted small">${hint}</p>`}</header><div class="body">${children}</div></section>`;

export function Fields({ isNew, known }) {
  return html`
    <${Panel} id="basics" title=${t("Policy")}><${Basics} isNew=${isNew} /><//>
    <${Panel} id="who" title=${t("For whom")} hint=${t("all of it must be true")}><${Who} known=${known} /><//>
    <${Panel} id="what" title=${t("What they get")} hint=${t("each step gives more; the next follows if the one before was not used")}><${Steps} known=${known} /><//>
    <${Panel} id="when" title=${t("When it is sent")} hint=${t("by the clock of the customer’s own store")}><${When} /><//>
    <${Panel} id="season" title=${t("Season and sales")} hint=${t("only on such days, and while sales are so")}><${Season} at="season" /><${Sales} at="sales" known=${known} /><${Beginnings} known=${known} /><//>
    <${Panel} id="bounds" title=${t("Bounds and control group")}><${Bounds} /><//>`;
}

function Basics({ isNew }) {
  const form = useForm();
  return html`<div class="columns">
      <${TextField} at="name" label=${t("Name")} required maxlength="200" />
      ${isNew ? html`<${TextField} at="policy_id" label=${t("Id")} required hint=${t("letters, digits and . _ : -; it stays as it is")} maxlength="64" spellcheck=${false} class="mono" />`
        : html`<div class="field"><span class="label">${t("Id")}</span><span class="mono fixed">${form.value.policy_id}</span></div>`}
      <${TextField} at="reason" label=${t("Reason")} required hint=${t("what the CRM writes of; a customer never has two offers for one reason")} maxlength="200" />
      <${SelectField} at="currency" label=${t("Currency")} options=${CURRENCIES()} fallback="UAH" />
      <${NumberField} at="priority" label=${t("Priority")} signed hint=${t("of two policies for a customer the higher one comes first")} />
    </div>
    <${TextField} at="comment" label=${t("Comment")} hint=${t("for yourselves")} maxlength="2000" />`;
}

function Who({ known }) {
  return html`<div class="columns">
      <${IdsField} at="who.all_of" label=${t("In all of these segments")} known=${known.segments} />
      <${IdsField} at="who.any_of" label=${t("In one of these segments")} known=${known.segments} />
      <${IdsField} at="who.none_of" label=${t("In none of these segments")} known=${known.segments} />
    </div><div class="columns">
      <${RangeField} at="when.days_since_purchase" label=${t("Days since the last purchase")} unit="days" />
      <${RangeField} at="when.purchases" label=${t("Purchases so far")} unit="count" />
      <${RangeField} at="when.probability" label=${t("Probability of the next purchase")} unit="percent" hint=${t("within the days of the forecast")} />
      <${RangeField} at="when.days_to_expected" label=${t("Days until the expected purchase")} unit="days" signed hint=${t("negative: overdue by so many")} />
      <${RangeField} at="when.promo_share" label=${t("Share of purchases with a promotion")} unit="percent" />
    </div>`;
}

function Steps({ known }) {
  const form = useForm();
  const { value, set, readOnly } = form;
  const steps = value.steps ?? [];
  const unit = value.discounts_in === "amount" ? "money" : "percent";
  const add = () => set("steps", [...steps, { valid_days: 7 }]);
  return html`<div class="columns">
      <${SelectField} at="discounts_in" label=${t("Discounts are")} options=${[["percent", t("percent off")], ["amount", t("an amount off")]]} />
      <${NumberField} at="max_discount" unit=${unit} label=${t("Never more than")} required hint=${t("the bound of all steps")} />
    </div>
    <ol class="steps">${steps.map((_, n) => html`<li key=${n}><h3>${t("Step {n}", { n: n + 1 })}</h3>
      <div class="columns">
        <${IdField} at="steps.${n}.emission_id" label=${t("Promo codes (emission)")} known=${known.emissions} required hint=${t("personal; a running campaign gives the discount for them")} />
        <${NumberField} at="steps.${n}.discount" unit=${unit} label=${t("Discount")} required />
        <${NumberField} at="steps.${n}.valid_days" unit="days" label=${t("Valid for")} required />
      </div>
      ${!readOnly && steps.length > 1 && html`<button type="button" class="small quiet" onClick=${() => set(`steps.${n}`, undefined)}>${t("Remove step {n}", { n: n + 1 })}</button>`}</li>`)}</ol>
    ${!readOnly && steps.length < MOST_STEPS && html`<div><button type="button" class="small" onClick=${add}>${t("Add a bigger step")}</button></div>`}
    <div class="columns">
      <${NumberField} at="wait_days" unit="days" label=${t("Days between steps")} hint=${t("from the end of a code to the next one")} />
      <${NumberField} at="pause_days" unit="days" label=${t("Pause before the next time")} hint=${t("from the end of the last code")} />
    </div>`;
}

function When() {
  const { value, set, readOnly } = useForm();
  const quiet = Boolean(value.quiet_hours);
  return html`<div class="columns">
      <${SelectField} at="sending.at" label=${t("Time of the day")} options=${[["usual_hour", t("an hour before they usually buy")], ["clock", t("by the clock")], ["at_once", t("at once")]]} />
      ${value.sending?.at !== "at_once" && html`<${TextField} at="sending.clock" type="time" label=${t("Clock")} hint=${value.sending?.at === "clock" ? undefined : t("for who has no usual hour yet")} />`}
      <${NumberField} at="sending.days_before_expected" unit="days" label=${t("Days before the expected purchase")} hint=${t("empty: as soon as the rest is true")} />
    </div>
    <${Check} label=${t("Quiet hours: nothing is sent")} value=${quiet} disabled=${readOnly} onInput=${(on) => set("quiet_hours", on ? { starts: "21:00", ends: "09:00" } : undefined)} />
    <div class="columns">
      ${quiet && html`<${TextField} at="quiet_hours.starts" type="time" label=${t("Quiet from")} /><${TextField} at="quiet_hours.ends" type="time" label=${t("until")} />`}
      <${SelectField} at="time_zone" label=${t("Time zone")} options=${zones(value.time_zone)} fallback="UTC" hint=${t("of customers whose store is not known")} />
    </div>`;
}

const zones = (value) => (value && !ZONES.includes(value) ? [value, ...ZONES] : ["UTC", ...ZONES.filter((one) => one !== "UTC")]).map((zone) => [zone, zone]);

function Season({ at }) {
  const { value = [], set, readOnly } = useField(`${at}.spans`);
  return html`<${SomeField} at="${at}.weekdays" label=${t("On weekdays")} options=${WEEKDAYS()} />
    <${SomeField} at="${at}.months" label=${t("In months")} options=${MONTHS()} />
    ${value.map((_, n) => html`<div class="columns" key=${n}>
      <${TextField} at="${at}.spans.${n}.starts" label=${t("From day (MM-DD)")} placeholder="12-15" />
      <${TextField} at="${at}.spans.${n}.until" label=${t("to day (MM-DD), included")} placeholder="01-07" />
      ${!readOnly && html`<div class="field end"><button type="button" class="small quiet" onClick=${() => set(value.length > 1 ? value.filter((_, each) => each !== n) : undefined)}>${t("Remove")}</button></div>`}</div>`)}
    ${!readOnly && value.length < MOST && html`<div><button type="button" class="small" onClick=${() => set([...value, {}])}>${t("Add days of the year")}</button></div>`}`;
}

function Sales({ at, known }) {
  const { value = [], set, readOnly } = useField(at);
  return html`${value.map((rule, n) => html`<fieldset class="rule" key=${n}><legend>${t("Sales rule {n}", { n: n + 1 })}</legend>
      <div class="columns">
        <${SelectField} at="${at}.${n}.of" label=${t("Sales of")} options=${[["chain", t("all stores")], ["region", t("a region")], ["store", t("a store")], ["group", t("a product group")]]}
          onChoose=${(of) => set(value.map((each, m) => (m === n ? { ...each, of, id: undefined } : each)))} />
        ${rule.of && rule.of !== "chain" && html`<${IdField} at="${at}.${n}.id" label=${{ region: t("Region"), store: t("Store"), group: t("Product group") }[rule.of]} known=${known[{ region: "regions", store: "stores" }[rule.of]]} hint=${rule.of === "group" ? undefined : t("empty: the customer’s own")} />`}
        <${SelectField} at="${at}.${n}.measure" label=${t("counted in")} options=${[["purchases", t("purchases")], ["paid", t("money paid")]]} />
        <${NumberField} at="${at}.${n}.days" unit="days" label=${t("In the last")} />
        <${SelectField} at="${at}.${n}.against" label=${t("compared with")} options=${[["days_before", t("the days before them")], ["year_ago", t("the same days a year ago")]]} />
        <${RangeField} at="${at}.${n}" from="at_least" to="below" toText=${t("below")} label=${t("are")} unit="percent" hint=${t("100%: as many")} />
      </div>
      ${!readOnly && html`<button type="button" class="small quiet" onClick=${() => set(value.length > 1 ? value.filter((_, each) => each !== n) : undefined)}>${t("Remove rule {n}", { n: n + 1 })}</button>`}</fieldset>`)}
    ${!readOnly && value.length < MOST && html`<div><button type="button" class="small" onClick=${() => set([...value, { of: "chain", days: 7, against: "days_before", below: 9000 }])}>${t("Add a rule about sales")}</button></div>`}`;
}

// When season and sales ask for it, offers begin with a bigger step.
function Beginnings({ known }) {
  const { value: policy, set, readOnly } = useForm();
  const value = policy.beginnings ?? [];
  const later = (policy.steps ?? []).slice(1).map((_, n) => [String(n + 2), t("Step {n}", { n: n + 2 })]);
  if (!later.length && !value.length) return null;
  return html`${value.map((one, n) => html`<fieldset class="rule" key=${n}><legend>${t("Begin with a bigger step")}</legend>
      <div class="columns"><${Field} label=${t("Begin with")}>${(control) => html`<select ...${control} data-field="beginnings.${n}.step" disabled=${readOnly} value=${String(one.step)} onChange=${(event) => set(`beginnings.${n}.step`, Number(event.target.value))}>
        ${later.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === String(one.step)}>${text}</option>`)}</select>`}<//></div>
      <${Season} at="beginnings.${n}.season" /><${Sales} at="beginnings.${n}.sales" known=${known} />
      ${!readOnly && html`<button type="button" class="small quiet" onClick=${() => set("beginnings", value.length > 1 ? value.filter((_, each) => each !== n) : undefined)}>${t("Remove")}</button>`}</fieldset>`)}
    ${!readOnly && later.length > 0 && value.length < MOST && html`<div><button type="button" class="small" onClick=${() => set("beginnings", [...value, { step: 2 }])}>${t("Begin with a bigger step at times")}</button></div>`}`;
}

function Bounds() {
  const { value, set } = useForm();
  const cap = (key) => (next) => {
    const changed = { ...value.cap, [key]: next };
    set("cap", changed.offers === undefined && changed.days === undefined ? undefined : changed);
  };
  return html`<div class="columns">
      <${CapField} at="cap.offers" label=${t("Offers to one customer, at most")} unit="count" onValue=${cap("offers")} />
      <${CapField} at="cap.days" label=${t("within any")} unit="days" onValue=${cap("days")} />
      <${NumberField} at="budget.codes" label=${t("Codes, at most")} hint=${t("empty: no limit")} />
      <${NumberField} at="budget.cost" unit="money" label=${t("Cost, at most")} hint=${t("what used codes gave, and open ones may give")} />
      <${NumberField} at="control_share" unit="percent" label=${t("Control group")} hint=${t("this share of the customers is sent nothing: what offers bring is measured against them")} />
    </div>`;
}

// Empty, both fields of the cap are no cap.
function CapField({ at, label, unit, onValue }) {
  const form = useForm();
  const proxy = { ...form, set: (path, next) => (path === at ? onValue(next) : form.set(path, next)) };
  return html`<${FormProvider} value=${proxy}><${NumberField} at=${at} unit=${unit} label=${label} /><//>`;
}
