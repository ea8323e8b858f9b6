// Editors of the fields of conditions and benefits, by the name that kinds.js gives them.

import { t } from "./i18n.js";
import { CheckField, Decimal, NumberField, SelectField, TextField, useField, useForms } from "./form.js";
import { BENEFITS, TIER_BENEFITS, changed } from "./kinds.js";
import { PickField } from "./picker.js";
import { Check, Field, html, useId, useRef, useState } from "./ui.js";

const OPERATORS = () => [[">=", t("at least")], [">", t("more than")], ["=", t("exactly")], ["<", t("less than")], ["<=", t("at most")], ["between", t("from … to")]];

// All fields of a part (a condition or benefit); advanced ones can be unfolded.
export function Fields({ at, fields }) {
  const part = useField(at, { exact: true }).value ?? {};
  const shown = fields.filter((field) => !field.when || field.when(part));
  const plain = shown.filter((field) => !field.advanced || part[field.name] !== undefined);
  const rest = shown.filter((field) => !plain.includes(field));
  const [open, setOpen] = useState(false);
  return html`<div class="part-fields">
    ${[...plain, ...(open ? rest : [])].map(({ name, as, unit, when, advanced, ...more }) => html`<${EDITORS[as]} key=${name} ...${more} at="${at}.${name}" unit=${typeof unit === "function" ? unit(part) : unit} />`)}
    ${rest.length > 0 && !open && html`<button type="button" class="small quiet more" onClick=${() => setOpen(true)}>${t("More")}</button>`}
  </div>`;
}

function Comparison({ at, unit }) {
  const { value: compare, set, readOnly } = useField(at, { exact: true });
  const lower = useField(`${at}.value`, { unit });
  const upper = useField(`${at}.upper`, { unit });
  const id = useId();
  const between = compare?.op === "between";
  const choose = (op) => set(op === "between" ? { ...compare, op } : { op, value: compare?.value });
  const error = lower.error ?? (between ? upper.error : undefined);
  const control = (bound, name) => ({ "data-field": `${at}.${name}`, disabled: readOnly, "aria-invalid": bound.error ? "true" : undefined, "aria-describedby": error ? id : undefined });
  return html`<div class="field comparison" role="group" aria-label=${t("Comparison")}>
    <div class="row">
      <select aria-label=${t("Comparison")} data-field="${at}.op" disabled=${readOnly} value=${compare?.op ?? ">="} onChange=${(event) => choose(event.target.value)}>
        ${OPERATORS().map(([key, text]) => html`<option key=${key} value=${key} selected=${key === (compare?.op ?? ">=")}>${text}</option>`)}</select>
      <${Decimal} unit=${unit} value=${compare?.value} onValue=${lower.set} control=${{ ...control(lower, "value"), "aria-label": between ? t("From") : t("Value") }} />
      ${between && html`<span>${t("to")}</span><${Decimal} unit=${unit} value=${compare?.upper} onValue=${upper.set} control=${{ ...control(upper, "upper"), "aria-label": t("To") }} />`}
    </div>
    ${error && html`<p class="error" id=${id}>${error}</p>`}
  </div>`;
}

function Choices({ at, label, options }) {
  const { value = [], set, error, readOnly } = useField(at);
  const toggle = (key) => (on) => {
    const next = options.map(([each]) => each).filter((each) => (each === key ? on : value.includes(each)));
    set(next);
  };
  return html`<fieldset class="field" data-field=${at}><legend>${label}</legend>
    <div class="row choices">${options.map(([key, text]) => html`<${Check} key=${key} label=${text} value=${value.includes(key)} onInput=${toggle(key)} disabled=${readOnly} aria-invalid=${error ? "true" : undefined} />`)}</div>
    ${error && html`<p class="error">${error}</p>`}</fieldset>`;
}

function YesNo({ at, label, options }) {
  const { value = true, set, readOnly } = useField(at);
  return html`<${Field} label=${label}>${(control) => html`<select ...${control} data-field=${at} disabled=${readOnly} value=${String(value)} onChange=${(event) => set(event.target.value === "true")}>
    ${options.map(([key, text]) => html`<option key=${key} value=${String(key)} selected=${key === value}>${text}</option>`)}</select>`}<//>`;
}

const Time = (field) => html`<${TextField} ...${field} type="time" required />`;

// ---- products ----

const SELECTORS = () => [["groups", "product_groups", t("Product groups")], ["brands", "brands", t("Brands")], ["skus", "skus", t("Products")]];
const amount = (selected) => ["skus", "groups", "brands"].flatMap((key) => selected?.[key] ?? []).concat((selected?.attributes ?? []).map(({ name, values }) => `${name}: ${(values ?? []).join(", ")}`));

export function Products({ at, label, optional = false, empty }) {
  const { value, set, readOnly } = useField(at, { exact: true });
  const { errors } = useForms();
  const wrong = errors.some(({ field }) => field.startsWith(`${at}.`) || field === at);
  const [open, setOpen] = useState(!optional);
  const chosen = amount(value);
  const spared = amount(value?.exclude);
  const said = chosen.length ? chosen.slice(0, 6).join(", ") + (chosen.length > 6 ? " …" : "") : value || !empty ? t("every product") : empty;
  return html`<details class="products" data-part=${at} open=${open || wrong} onToggle=${(event) => setOpen(event.target.open)}>
    <summary><span class="label">${label}</span> <span class="muted">${said}${spared.length > 0 && `, ${t("without")} ${spared.slice(0, 3).join(", ")}${spared.length > 3 ? " …" : ""}`}</span></summary>
    <div class="stack">
      <${Selectors} at=${at} />
      ${value?.exclude ? html`<div class="nested" role="group" aria-label=${t("Except these")}><div class="row between"><h4>${t("Except these")}</h4>
          ${!readOnly && html`<button type="button" class="small quiet" onClick=${() => set({ ...value, exclude: undefined })}>${t("No exceptions")}</button>`}</div><${Selectors} at="${at}.exclude" /></div>`
        : !readOnly && html`<div class="actions"><button type="button" class="small quiet" onClick=${() => set({ ...value, exclude: {} })}>${t("Except some …")}</button>
          ${optional && chosen.length > 0 && html`<button type="button" class="small quiet" onClick=${() => set(undefined)}>${t("All products")}</button>`}</div>`}
    </div></details>`;
}

function Selectors({ at }) {
  const { value: attributes = [], set, readOnly } = useField(`${at}.attributes`, { exact: true });
  return html`<div class="selectors">
    ${SELECTORS().map(([key, source, label]) => html`<${PickField} key=${key} at="${at}.${key}" source=${source} label=${label} />`)}
    ${attributes.map((_, n) => html`<div class="row top" key=${n}>
      <${TextField} at="${at}.attributes.${n}.name" label=${t("Attribute")} />
      <${PickField} at="${at}.attributes.${n}.values" source="values" label=${t("is any of")} />
      ${!readOnly && html`<button type="button" class="small quiet" onClick=${() => set(attributes.length > 1 ? attributes.filter((__, each) => each !== n) : undefined)}>${t("Remove")}</button>`}</div>`)}
    ${!readOnly && html`<div><button type="button" class="small quiet" onClick=${() => set([...attributes, {}])}>${t("Choose by an attribute …")}</button></div>`}
  </div>`;
}

// ---- rows ----

// A list of rows of fields, with buttons to add and remove.
export function Rows({ at, label, add, fresh, children, most = 20, least = 1 }) {
  const { value = [], set, error, readOnly } = useField(at, { exact: true });
  return html`<div class="field rows" role="group" aria-label=${label} data-part=${at}>
    <span class="label">${label}</span>
    ${value.map((row, n) => html`<div class="line" key=${n} data-part="${at}.${n}">${children(`${at}.${n}`, row, n)}
      ${!readOnly && value.length > least && html`<button type="button" class="small quiet" aria-label="${t("Remove")} ${label} ${n + 1}" onClick=${() => set(value.length > 1 ? value.filter((_, each) => each !== n) : undefined)}>${t("Remove")}</button>`}</div>`)}
    ${!readOnly && value.length < most && html`<div><button type="button" class="small" onClick=${() => set([...value, fresh(value)])}>${add}</button></div>`}
    ${error && html`<p class="error">${error}</p>`}
  </div>`;
}

const Gifts = ({ at }) => html`<${Rows} at=${at} label=${t("Gifts")} add=${t("Add a gift")} fresh=${() => ({ quantity: 1000 })}>${(row) => html`
  <${PickField} at="${row}.sku" source="skus" single label=${t("Product")} required />
  <${NumberField} at="${row}.quantity" unit="quantity" label=${t("Quantity")} />
  <${NumberField} at="${row}.value" unit="money" label=${t("Worth")} hint=${t("withheld if the sale comes back without it")} />`}<//>`;

const Mix = ({ at }) => html`<${Rows} at=${at} label=${t("Parts of the set")} add=${t("Add a part")} least=${2} fresh=${() => ({ products: {}, quantity: 1000 })}>${(row) => html`
  <${NumberField} at="${row}.quantity" unit="quantity" label=${t("At least")} required />
  <${Products} at="${row}.products" label=${t("of")} />`}<//>`;

function Tiers({ at }) {
  const by = useField(at.replace(/tiers$/, "by")).value ?? "sum";
  const unit = by === "sum" ? "money" : "quantity";
  const kinds = Object.fromEntries(Object.entries(BENEFITS()).filter(([kind]) => TIER_BENEFITS.includes(kind)));
  const fresh = (rows) => ({ benefit: { kind: rows[rows.length - 1]?.benefit?.kind ?? "percent_off" } });
  return html`<${Rows} at=${at} label=${t("Tiers")} add=${t("Add a tier")} fresh=${fresh}>${(row) => html`
    <div class="stack grow"><div class="row top">
      <${NumberField} at="${row}.at_least" unit=${unit} label=${t("From")} required />
      <${NumberField} at="${row}.below" unit=${unit} label=${t("Below")} hint=${t("empty: until the next tier")} />
    </div><${Part} at="${row}.benefit" kinds=${kinds} label=${t("Benefit")} /></div>`}<//>`;
}

// Another kind for a part; who comes back to a kind finds what was typed there.
export function useKinds(kinds, part, set) {
  const typed = useRef({});
  return (kind) => {
    typed.current[part.kind] = part;
    set({ ...changed(kinds, part, kind), ...typed.current[kind] });
  };
}

// A part whose kind can be chosen, with the fields of its kind.
export function Part({ at, kinds, label }) {
  const { value = {}, set, readOnly } = useField(at, { exact: true });
  const kind = kinds[value.kind];
  const choose = useKinds(kinds, value, set);
  return html`<div class="stack" data-part=${at}>
    <${Field} label=${label} hint=${kind?.about}>${(control) => html`
      <select ...${control} data-field="${at}.kind" disabled=${readOnly} value=${value.kind ?? ""} onChange=${(event) => choose(event.target.value)}>
        ${!kind && html`<option value="" selected>${t("Choose")}</option>`}
        ${Object.entries(kinds).map(([key, { title }]) => html`<option key=${key} value=${key} selected=${key === value.kind}>${title}</option>`)}</select>`}<//>
    ${kind && html`<${Fields} at=${at} fields=${kind.fields} />`}
  </div>`;
}

export const EDITORS = {
  number: NumberField, text: TextField, flag: CheckField, choice: SelectField, choices: Choices, yesno: YesNo, time: Time,
  pick: PickField, comparison: Comparison, products: Products, gifts: Gifts, mix: Mix, tiers: Tiers,
};
