// The conditions of a segment, row by row; groups of them are nested.

import { digits, parsed, typed } from "./format.js";
import { locale, t } from "./i18n.js";
import { Check, Field, Select, html, useEffect, useId, useState } from "./ui.js";
import "./words_segments.js";

const DEEPEST = 3;
export const FIRST = { kind: "purchases", days: 90, compare: { op: ">=", value: 3 } };

const KINDS = () => [
  ["purchases", t("Number of purchases")], ["purchase_share", t("Share of purchases")], ["spent", t("Money spent")], ["average_receipt", t("Average receipt")],
  ["bought", t("Bought a kind of product")], ["days_since_last_purchase", t("Days since the last purchase")], ["days_since_first_purchase", t("Days since the first purchase")],
  ["codes", t("Personal promo codes")], ["bonus_balance", t("Bonus balance")], ["returns", t("Number of returns")], ["rfm", t("RFM class")], ["forecast", t("Forecast of the next purchase")],
  ["any", t("One of several conditions")], ["all", t("All of several conditions")],
];
export const CLASSES = () => [
  ["champions", t("champions")], ["loyal", t("loyal")], ["potential-loyalists", t("potential loyalists")], ["new", t("new")], ["promising", t("promising")],
  ["needs-attention", t("needs attention")], ["about-to-sleep", t("about to sleep")], ["at-risk", t("at risk")], ["cannot-lose", t("can’t lose them")], ["hibernating", t("hibernating")],
];
const DEVICES = () => [["till", t("Till")], ["desktop", t("Desktop")], ["mobile", t("Mobile")], ["tablet", t("Tablet")], ["app", t("App")], ["other", t("Other")]];
const weekday = new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "short" });
const WEEKDAYS = () => ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((key, n) => [key, weekday.format(new Date(Date.UTC(2024, 0, 1 + n)))]);
const OPS = () => [[">=", t("at least")], [">", t("more than")], ["=", t("exactly")], ["<", t("less than")], ["<=", t("at most")], ["between", t("between")]];
const START = {
  purchases: FIRST,
  purchase_share: { kind: "purchase_share", days: 90, compare: { op: ">=", value: 5000 }, only: { promo: true } },
  spent: { kind: "spent", currency: "UAH", days: 90, compare: { op: ">=", value: 100000 } },
  average_receipt: { kind: "average_receipt", currency: "UAH", days: 90, compare: { op: ">=", value: 50000 } },
  bought: { kind: "bought", groups: [], measure: "receipts", days: 90, compare: { op: ">=", value: 3 } },
  days_since_last_purchase: { kind: "days_since_last_purchase", compare: { op: ">=", value: 60 } },
  days_since_first_purchase: { kind: "days_since_first_purchase", compare: { op: "<", value: 30 } },
  codes: { kind: "codes", measure: "unused", compare: { op: ">=", value: 1 } },
  bonus_balance: { kind: "bonus_balance", compare: { op: ">=", value: 100 } },
  returns: { kind: "returns", compare: { op: ">=", value: 1 } },
  rfm: { kind: "rfm", classes: ["champions"] },
  forecast: { kind: "forecast", probability: { op: ">=", value: 5000 } },
  any: { kind: "any", conditions: [FIRST] },
  all: { kind: "all", conditions: [FIRST] },
};
const ONLY = new Set(["purchases", "purchase_share", "spent"]);
const DAYS = new Set(["purchases", "purchase_share", "spent", "average_receipt", "bought"]);

function unitOf(row) {
  if (row.kind === "purchase_share") return { fraction: 2, affix: "%" };
  if (row.kind === "spent" || row.kind === "average_receipt" || row.measure === "sum") return { fraction: row.currency ? digits(row.currency) : 2, affix: row.currency ?? "" };
  if (row.measure === "quantity") return { fraction: 3, affix: "" };
  return { fraction: 0, affix: "" };
}

// A number typed as a decimal, kept as the API's integer; what is none is kept as it was typed, and the API says so.
function Decimal({ value, onValue, fraction, affix, control }) {
  const shown = typeof value === "number" ? typed(value, fraction) : value ?? "";
  const [text, setText] = useState(shown);
  const number = (typing) => (typing.trim() === "" ? undefined : parsed(typing, fraction) ?? typing);
  useEffect(() => { if (number(text) !== value) setText(shown); }, [value, fraction]);
  return html`<span class="affix"><input type="text" inputmode="decimal" autocomplete="off" class="number" value=${text} ...${control}
    onInput=${(event) => { setText(event.target.value); onValue(number(event.target.value)); }} />${affix && html`<span class="muted">${affix}</span>`}</span>`;
}

function Compare({ label, value, onInput, fraction, affix, disabled, optional }) {
  const { op = optional ? "" : ">=" } = value ?? {};
  const options = optional ? [["", t("any")], ...OPS()] : OPS();
  const choose = (next) => onInput(next === "" ? undefined : { ...value, op: next, value: value?.value ?? 0, upper: next === "between" ? value?.upper ?? value?.value ?? 0 : undefined });
  return html`<fieldset class="compare"><legend>${label}</legend><div class="row">
    <select aria-label=${t("Comparison of {name}", { name: label })} value=${op} disabled=${disabled} onChange=${(event) => choose(event.target.value)}>${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === op}>${text}</option>`)}</select>
    ${op && html`<${Decimal} value=${value?.value} onValue=${(next) => onInput({ ...value, op, value: next })} fraction=${fraction} affix=${op === "between" ? "" : affix} control=${{ "aria-label": label, disabled }} />`}
    ${op === "between" && html`<span class="muted">–</span><${Decimal} value=${value?.upper} onValue=${(next) => onInput({ ...value, upper: next })} fraction=${fraction} affix=${affix} control=${{ "aria-label": t("{name}, up to", { name: label }), disabled }} />`}
  </div></fieldset>`;
}

function Some({ label, options, value = [], onInput, disabled }) {
  const turn = (key) => (on) => {
    const next = options.map(([one]) => one).filter((one) => (one === key ? on : value.includes(one)));
    onInput(next.length ? next : undefined);
  };
  return html`<fieldset class="some"><legend>${label}</legend><div class="row">${options.map(([key, text]) => html`<${Check} key=${key} label=${text} value=${value.includes(key)} onInput=${turn(key)} disabled=${disabled} />`)}</div></fieldset>`;
}

// Names, separated by commas; those that are known are suggested.
function Names({ label, value = [], onInput, known = [], disabled, hint, required }) {
  const list = useId();
  const [text, setText] = useState(value.join(", "));
  useEffect(() => { if (split(text).join() !== value.join()) setText(value.join(", ")); }, [value.join()]);
  const before = text.includes(",") ? `${text.slice(0, text.lastIndexOf(",") + 1)} ` : "";
  return html`<${Field} label=${label} hint=${hint} required=${required}>${(control) => html`<input type="text" list=${list} value=${text} disabled=${disabled} ...${control}
      onInput=${(event) => { setText(event.target.value); const next = split(event.target.value); onInput(next.length ? next : undefined); }} />
    <datalist id=${list}>${known.map((one) => html`<option key=${one} value=${before + one}></option>`)}</datalist>`}<//>`;
}
const split = (text) => [...new Set(text.split(",").map((one) => one.trim()).filter(Boolean))];

const THREE = () => [["", t("with or without")], ["true", t("with")], ["false", t("without")]];
function OnlyThose({ value, onInput, disabled, required }) {
  const only = value ?? {};
  const set = (key, next) => {
    const changed = Object.fromEntries(Object.entries({ ...only, [key]: next }).filter(([, one]) => one !== undefined));
    onInput(Object.keys(changed).length ? changed : undefined);
  };
  const flag = (key) => (only[key] === undefined ? "" : String(only[key]));
  const hours = only.hours ?? {};
  const hour = (key, next) => set("hours", next === "" ? undefined : { starts: 9, ends: 18, ...hours, [key]: Number(next) });
  const clock = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => [String(n + from), `${n + from}:00`]);
  return html`<details class="only" open=${Boolean(value) || required}><summary>${t("Only purchases that are …")}</summary><div class="stack">
    <div class="columns">
      <${Select} label=${t("With a promotion")} options=${THREE()} value=${flag("promo")} onInput=${(next) => set("promo", next === "" ? undefined : next === "true")} disabled=${disabled} />
      <${Select} label=${t("With a promo code")} options=${THREE()} value=${flag("with_code")} onInput=${(next) => set("with_code", next === "" ? undefined : next === "true")} disabled=${disabled} />
      <${Select} label=${t("From hour")} options=${[["", t("any hour")], ...clock(0, 23)]} value=${hours.starts === undefined ? "" : String(hours.starts)} onInput=${(next) => hour("starts", next)} disabled=${disabled} />
      <${Select} label=${t("to hour")} options=${[["", t("any hour")], ...clock(1, 24)]} value=${hours.ends === undefined ? "" : String(hours.ends)} onInput=${(next) => hour("ends", next)} disabled=${disabled} />
    </div>
    <${Some} label=${t("On weekdays")} options=${WEEKDAYS()} value=${only.weekdays} onInput=${(next) => set("weekdays", next)} disabled=${disabled} />
    <${Some} label=${t("On devices")} options=${DEVICES()} value=${only.devices} onInput=${(next) => set("devices", next)} disabled=${disabled} />
    <${Names} label=${t("In stores (ids)")} value=${only.stores} onInput=${(next) => set("stores", next)} disabled=${disabled} hint=${t("separated by commas")} />
  </div></details>`;
}

function Fields({ row, set, known, disabled }) {
  const unit = unitOf(row);
  if (row.kind === "rfm") return html`<${Some} label=${t("In one of these classes")} options=${CLASSES()} value=${row.classes} onInput=${(next) => set({ classes: next })} disabled=${disabled} />`;
  if (row.kind === "forecast") {
    return html`<${Compare} label=${t("Probability of a purchase")} value=${row.probability} onInput=${(next) => set({ probability: next })} fraction=${2} affix="%" optional disabled=${disabled} />
      <${Compare} label=${t("Days until the expected purchase")} value=${row.expected_in_days} onInput=${(next) => set({ expected_in_days: next })} fraction=${0} optional disabled=${disabled} />`;
  }
  return html`<div class="columns">
      ${row.kind === "bought" && html`<${Names} label=${t("Product groups")} value=${row.groups} onInput=${(next) => set({ groups: next ?? [] })} known=${known.groups} hint=${t("separated by commas")} required disabled=${disabled} />
        <${Select} label=${t("Measured in")} options=${[["receipts", t("purchases")], ["quantity", t("quantity")], ["sum", t("money")]]} value=${row.measure ?? "receipts"} onInput=${(next) => set({ measure: next, currency: next === "sum" ? row.currency ?? "UAH" : undefined })} disabled=${disabled} />`}
      ${row.kind === "codes" && html`<${Select} label=${t("Which codes")} options=${[["unused", t("not used yet")], ["used", t("used")], ["offered", t("all that were given")]]} value=${row.measure} onInput=${(next) => set({ measure: next })} disabled=${disabled} />`}
      ${row.currency && html`<${Select} label=${t("Currency")} options=${Intl.supportedValuesOf("currency").map((one) => [one, one])} value=${row.currency} onInput=${(next) => set({ currency: next })} disabled=${disabled} />`}
      <${Compare} label=${t("How much")} value=${row.compare} onInput=${(next) => set({ compare: next })} ...${unit} disabled=${disabled} />
      ${DAYS.has(row.kind) && html`<${Field} label=${t("In the last days")} hint=${row.kind === "bought" ? undefined : t("empty: of all time")} required=${row.kind === "bought"}>${(control) => html`
        <${Decimal} value=${row.days} onValue=${(next) => set({ days: next })} fraction=${0} affix=${t("days")} control=${{ ...control, disabled }} />`}<//>`}
    </div>
    ${ONLY.has(row.kind) && html`<${OnlyThose} value=${row.only} onInput=${(next) => set({ only: next })} required=${row.kind === "purchase_share"} disabled=${disabled} />`}`;
}

function Row({ value, onChange, onRemove, number, depth, known, disabled }) {
  const turned = value.kind === "not";
  const row = turned ? value.condition : value;
  const keep = (next) => onChange(turned ? { kind: "not", condition: next } : next);
  const set = (more) => keep(Object.fromEntries(Object.entries({ ...row, ...more }).filter(([, one]) => one !== undefined)));
  const kinds = depth < DEEPEST ? KINDS() : KINDS().filter(([key]) => key !== "any" && key !== "all");
  return html`<fieldset class="condition"><legend>${t("Condition {n}", { n: number })}</legend>
    <div class="row between">
      <select aria-label=${t("What is asked")} value=${row.kind} disabled=${disabled} onChange=${(event) => keep(START[event.target.value])}>${kinds.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === row.kind}>${text}</option>`)}</select>
      <${Check} label=${t("must not be so")} value=${turned} disabled=${disabled} onInput=${(on) => onChange(on ? { kind: "not", condition: row } : row)} />
      ${onRemove && !disabled && html`<button type="button" class="small quiet" onClick=${onRemove}>${t("Remove")}</button>`}
    </div>
    ${row.kind === "any" || row.kind === "all" ? html`<${Rows} value=${row.conditions} onChange=${(conditions) => keep({ ...row, conditions })} depth=${depth + 1} known=${known} disabled=${disabled} />`
      : html`<${Fields} row=${row} set=${set} known=${known} disabled=${disabled} />`}
  </fieldset>`;
}

export function Rows({ value, onChange, known, disabled, depth = 1 }) {
  const at = (n, next) => onChange(value.map((one, m) => (m === n ? next : one)));
  return html`<div class="conditions">
    ${value.map((one, n) => html`<${Row} key=${n} number=${n + 1} value=${one} depth=${depth} known=${known} disabled=${disabled} onChange=${(next) => at(n, next)} onRemove=${value.length > 1 && (() => onChange(value.filter((_, m) => m !== n)))} />`)}
    ${!disabled && html`<div><button type="button" class="small" onClick=${() => onChange([...value, FIRST])}>${t("Add a condition")}</button></div>`}</div>`;
}
