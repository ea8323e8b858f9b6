// A form over a policy: each field is bound by its path ("steps.0.discount"), the one by which the API names it in errors.

import { createContext, useContext } from "./preact.js";
import { read, written } from "./documents.js";
import { digits, parsed, typed } from "./format.js";
import { t } from "./i18n.js";
import { Check, Field, html, useEffect, useId, useState } from "./ui.js";

const Context = createContext(null);
export const FormProvider = Context.Provider;
export const useForm = () => useContext(Context);

const SAID = [
  [/^Field required|should be a valid (string|integer)|at least 1 character/, () => t("fill this in")],
  [/greater than or equal to (-?\d+)/, (n) => t("at least {n}", { n })],
  [/less than or equal to (-?\d+)/, (n) => t("at most {n}", { n })],
  [/should have at least 1 item/, () => t("one step at least")],
  [/^must be more than in the step before/, () => t("must be more than in the step before")],
  [/^must not be more than max_discount/, () => t("must not be more than the bound")],
  [/^each step needs an emission of its own/, () => t("each step needs codes of its own")],
  [/^there is no such step/, () => t("there is no such step")],
  [/^there is another policy with this id/, () => t("there is another policy with this id")],
  [/no running campaign gives anything/, () => t("no running campaign gives anything for these codes")],
  [/the emission is not personal/, () => t("these promo codes belong to nobody")],
  [/gives another discount/, () => t("the running campaign gives another discount for these codes")],
  [/no such day|should match pattern '\^\[0-9\]\{2\}-/, () => t("a day as MM-DD")],
  [/^must not be less than at_least/, () => t("must not be less than the first")],
  [/^must be more than at_least/, () => t("must be more than the first")],
  [/^say which group/, () => t("say which group")],
  [/^must differ from starts/, () => t("must differ from the first")],
  [/should match pattern/, () => t("letters, digits and . _ : -, the first a letter or digit")],
];

export function explained(message) {
  for (const [pattern, said] of SAID) {
    const found = pattern.exec(message);
    if (found) return said(found[1]);
  }
  return message;
}

const within = (field, path) => field === path || field.startsWith(`${path}.`);

export function useField(at) {
  const form = useContext(Context);
  const found = form.errors.find(({ field }) => within(field, at));
  return { value: read(form.value, at), set: (next) => form.set(at, next), error: found && explained(found.message), readOnly: form.readOnly };
}

export function TextField({ at, label, hint, required, type = "text", ...more }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error}>${(control) => html`
    <input type=${type} value=${value ?? ""} data-field=${at} disabled=${readOnly} ...${control} ...${more} onInput=${(event) => set(event.target.value || undefined)} />`}<//>`;
}

export function SelectField({ at, label, hint, options, fallback = options[0][0], onChoose }) {
  const { value, set, error, readOnly } = useField(at);
  const shown = value ?? fallback;
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(control) => html`
    <select data-field=${at} disabled=${readOnly} ...${control} value=${shown} onChange=${(event) => (onChoose ?? set)(event.target.value)}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === shown}>${text}</option>`)}</select>`}<//>`;
}

// unit: "percent" (basis points), "money" (minor units of the policy's currency), "days" or "count".
export function NumberField({ at, label, hint, unit = "count", required, signed = false }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error}>${(control) => html`
    <${Decimal} value=${value} onValue=${set} unit=${unit} signed=${signed} control=${{ ...control, "data-field": at, disabled: readOnly }} />`}<//>`;
}

function Decimal({ value, onValue, unit, signed, control }) {
  const { value: policy } = useContext(Context);
  const [fraction, affix] = { percent: [2, "%"], money: [digits(policy.currency ?? "UAH"), policy.currency], days: [0, t("days")], count: [0, ""] }[unit];
  const shown = typeof value === "number" ? typed(value, fraction) : value ?? "";
  const numberOf = (text) => (text.trim() === "" ? undefined : parsed(text, fraction) ?? text);
  const [text, setText] = useState(shown);
  // Another value came from outside; what is being typed ("5.") already says the one that there is.
  useEffect(() => { if (numberOf(text) !== value) setText(shown); }, [value, fraction]);
  return html`<span class="affix"><input type="text" inputmode=${signed ? "text" : "decimal"} autocomplete="off" class="number" value=${text} ...${control}
    onInput=${(event) => { setText(event.target.value); onValue(numberOf(event.target.value)); }} onBlur=${() => setText(shown)} />${affix && html`<span class="muted">${affix}</span>`}</span>`;
}

// From and to of a range; without both there is no condition.
export function RangeField({ at, label, hint, unit, signed, from = "at_least", to = "at_most", toText = t("at most") }) {
  const { value, error, readOnly } = useField(at);
  const form = useContext(Context);
  const set = (key) => (next) => {
    const changed = written(value ?? {}, key, next);
    form.set(at, Object.keys(changed).length ? changed : undefined);
  };
  const id = useId();
  return html`<fieldset class="field range" aria-describedby=${error ? `${id}-error` : undefined}><legend>${label}</legend>
    <div class="row nowrap">
      <label><span class="muted small">${t("at least")}</span><${Decimal} value=${value?.[from]} onValue=${set(from)} unit=${unit} signed=${signed} control=${{ "data-field": `${at}.${from}`, disabled: readOnly }} /></label>
      <label><span class="muted small">${toText}</span><${Decimal} value=${value?.[to]} onValue=${set(to)} unit=${unit} signed=${signed} control=${{ "data-field": `${at}.${to}`, disabled: readOnly }} /></label>
    </div>
    ${hint && html`<p class="hint">${hint}</p>`}${error && html`<p class="error" id="${id}-error">${error}</p>`}</fieldset>`;
}

// Ids typed or chosen one after another. known: [[id, name], …] that are suggested.
export function IdsField({ at, label, hint, known = [] }) {
  const { value = [], set, error, readOnly } = useField(at);
  const [text, setText] = useState("");
  const id = useId();
  const names = Object.fromEntries(known);
  const add = () => {
    const one = text.trim();
    if (one && !value.includes(one)) set([...value, one]);
    setText("");
  };
  const choose = (typedText) => {
    setText(typedText);
    if (typedText in names && !value.includes(typedText)) {
      set([...value, typedText]);
      setText("");
    }
  };
  const remove = (one) => {
    const left = value.filter((each) => each !== one);
    set(left.length ? left : undefined);
  };
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(control) => html`
    ${value.length > 0 && html`<ul class="chips">${value.map((one) => html`<li key=${one} class="chip"><span title=${one}>${names[one] ?? one}</span>
      ${!readOnly && html`<button type="button" class="small quiet" aria-label=${t("Remove {name}", { name: names[one] ?? one })} onClick=${() => remove(one)}>✕</button>`}</li>`)}</ul>`}
    ${!readOnly && html`<div class="row nowrap"><input type="text" list="${id}-known" autocomplete="off" value=${text} data-field=${at} ...${control}
      onInput=${(event) => choose(event.target.value)} onKeyDown=${(event) => { if (event.key === "Enter") { event.preventDefault(); add(); } }} />
      <button type="button" class="small" disabled=${!text.trim()} onClick=${add}>${t("Add")}</button>
      <datalist id="${id}-known">${known.filter(([one]) => !value.includes(one)).map(([one, name]) => html`<option key=${one} value=${one}>${name}</option>`)}</datalist></div>`}`}<//>`;
}

// One id, with suggestions.
export function IdField({ at, label, hint, known = [], required }) {
  const { value, set, error, readOnly } = useField(at);
  const id = useId();
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error}>${(control) => html`
    <input type="text" list="${id}-known" autocomplete="off" spellcheck=${false} value=${value ?? ""} data-field=${at} disabled=${readOnly} ...${control} onInput=${(event) => set(event.target.value.trim() || undefined)} />
    <datalist id="${id}-known">${known.map(([one, name]) => html`<option key=${one} value=${one}>${name}</option>`)}</datalist>`}<//>`;
}

// Some of a few: [[value, text], …].
export function SomeField({ at, label, options }) {
  const { value = [], set, readOnly } = useField(at);
  const flip = (one) => (on) => {
    const chosen = options.map(([key]) => key).filter((key) => (key === one ? on : value.includes(key)));
    set(chosen.length ? chosen : undefined);
  };
  return html`<fieldset class="field"><legend>${label}</legend><div class="row some">${options.map(([key, text]) => html`
    <${Check} key=${key} label=${text} value=${value.includes(key)} onInput=${flip(key)} disabled=${readOnly} data-field="${at}.${key}" />`)}</div></fieldset>`;
}
