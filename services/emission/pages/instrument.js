// An instrument: its conditions and its benefit, with the sentence that says it in plain words.

import { at, call, get } from "./api.js";
import { language, t } from "./i18n.js";
import { show, TitleBar, name as nameWindow } from "./shell.js";
import { Bound, CheckField, Keeping, NameAndId, NumberField, SelectField, TextField, useField, useForm, useForms } from "./form.js";
import { Conditions } from "./conditions.js";
import { Part } from "./editors.js";
import { History } from "./history.js";
import { instrumentOf } from "./campaign_instruments.js";
import { BENEFITS } from "./kinds.js";
import { Limits } from "./limits.js";
import { explained } from "./messages.js";
import { CopyDialog, Panel, created, idInPath } from "./parts.js";
import { Action, Check, Failure, Loading, Notice, Tabs, html, say, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import { useCurrency } from "./currency.js";
import { beginning } from "./suggested.js";
import "./words_authoring.js";

const ID = idInPath();
const EMPTY = { conditions: [], benefit: { kind: "percent_off" } };
const BEGINNING = beginning("instrument", ID, EMPTY);
const path = (id) => `/v1/instruments/${encodeURIComponent(id)}`;

function Instrument() {
  useCurrency();
  const [{ tab = "form" }, change] = useAddress();
  const [copying, setCopying] = useState(false);
  const isNew = ID === "new";
  const form = useForm({
    kind: "instrument", id: BEGINNING.draftId, empty: BEGINNING.empty,
    load: async () => {
      if (isNew) return null;
      const view = await get("emission", `${path(ID)}?language=${language}`);
      return { document: instrumentOf(view), view };
    },
  });
  const [strict, setStrict] = useState(false);
  const checked = useCheck(form, strict);
  const title = form.value?.name || (isNew ? t("New instrument") : ID);
  useEffect(() => nameWindow(title), [title]);
  const save = async () => {
    setStrict(true);
    const done = await form.submit(async (document) => {
      const view = isNew ? await call("emission", "POST", "/v1/instruments", document) : await call("emission", "PUT", path(ID), document);
      return { document: instrumentOf(view), view };
    });
    if (!done) return;
    if (isNew) created("instruments", form.value.instrument_id);
    else say(t("Saved"));
  };
  const tabs = [["form", t("Instrument")], ...(isNew ? [] : [["history", t("History")]])];
  return html`<${TitleBar} title=${title} above=${[at("emission", "/instruments"), t("Instruments")]}>
      <${Keeping} form=${form} />
      ${!isNew && !form.readOnly && html`<button type="button" disabled=${form.dirty} onClick=${() => setCopying(true)}>${t("Copy")}</button>`}
      ${!form.readOnly && html`<${Action} kind="primary" onAct=${save}>${t("Save")}<//>`}<//>
    ${tabs.length > 1 && html`<${Tabs} tabs=${tabs} value=${tab} onChange=${(next) => change({ tab: next === "form" ? undefined : next })} label=${title} />`}
    ${!form.value ? (form.problem ? html`<${Failure} problem=${form.problem} retry=${form.reopen} />` : html`<${Loading} />`)
      : tab === "history" && !isNew ? html`<${History} noun="instruments" id=${ID} />`
      : html`<${Bound} form=${form}><div class="two-columns">
        <div class="stack"><${Form} isNew=${isNew} /></div>
        <aside class="stack beside"><${Sentence} checked=${checked} /><${UsedBy} isNew=${isNew} /></aside></div><//>`}
    ${copying && html`<${CopyDialog} noun="instrument" id=${ID} name=${form.value.name} onClose=${() => setCopying(false)} />`}`;
}

// What the API says of what is typed, once that has been still for a moment.
function useCheck(form, strict) {
  const settled = useSettled(form.value, 350);
  const { data, problem } = useAsk(async (signal) => {
    // What is new and untouched has nothing to be said of.
    if (!settled || settled === EMPTY) return null;
    const named = { ...settled, instrument_id: settled.instrument_id ?? "new", name: settled.name ?? "–" };
    try {
      const answer = await call("emission", "POST", `/v1/instruments/check?language=${language}`, strict ? settled : named, { signal });
      return { of: settled, answer, errors: [] };
    } catch (error) {
      if (error.name === "AbortError" || !error.errors?.length) throw error;
      return { of: settled, answer: null, errors: error.errors };
    }
  }, [settled, strict]);
  useEffect(() => {
    if (strict && data && data.of === form.value) form.setErrors(data.errors);
  }, [data]);
  return { data, problem };
}

function Sentence({ checked: { data, problem } }) {
  return html`<section class="panel sentence" aria-labelledby="sentence-title"><header><h2 id="sentence-title">${t("In plain words")}</h2></header><div class="body">
    ${data?.answer ? html`<p class="said" aria-live="polite">${data.answer.sentence}</p>
        ${data.answer.warnings?.map(({ message }) => html`<${Notice} key=${message} kind="warn">${t(message)}<//>`)}`
      : problem ? html`<p class="muted">${problem.message}</p>`
      : !data ? html`<p class="muted">${t("What the instrument does is said here while you fill it in.")}</p>`
      : html`<p class="muted">${t("Still to be filled in:")}</p><ul class="plain-list missing">${data.errors.slice(0, 6).map(({ field, message }) => html`
          <li key=${field + message}><button type="button" class="link" onClick=${() => goTo(field)}>${where(field)}</button> – ${explained(message)}</li>`)}</ul>`}
  </div></section>`;
}

const PLACES = () => ({ conditions: t("Condition {n}"), benefit: t("Benefit"), limits: t("Limit {n}"), name: t("Name"), instrument_id: t("Id") });
function where(field) {
  const [first, n] = field.split(".");
  return (PLACES()[first] ?? first).replace("{n}", Number(n) + 1);
}

// To the field of an error, or what is nearest round it.
function goTo(field) {
  const parts = field.split(".");
  for (let n = parts.length; n > 0; n -= 1) {
    const prefix = CSS.escape(parts.slice(0, n).join("."));
    const found = document.querySelector(`[data-field="${prefix}"]`) ?? document.querySelector(`[data-part="${prefix}"] :is(input, select, button)`);
    if (found) return found.focus();
  }
  return null;
}

function UsedBy({ isNew }) {
  const { data } = useAsk((signal) => (isNew ? Promise.resolve(null) : get("emission", `/v1/campaigns?instrument=${encodeURIComponent(ID)}&limit=20`, { signal })), []);
  if (!data) return null;
  return html`<section class="panel" aria-labelledby="used-title"><header><h2 id="used-title">${t("In campaigns")}</h2></header><div class="body">
    ${data.items.length ? html`<ul class="plain-list">${data.items.map((one) => html`<li key=${one.campaign_id}><a href=${at("emission", `/campaigns/${encodeURIComponent(one.campaign_id)}`)}>${one.name}</a></li>`)}</ul>`
      : html`<p class="muted">${t("In none yet.")}</p>`}</div></section>`;
}

const Form = ({ isNew }) => html`
  <${Panel} id="basics" title=${t("Name")}><${NameAndId} noun="instrument" isNew=${isNew} nameHint=${t("customers may see it on the receipt")} /><//>
  <${Panel} id="conditions-title" title=${t("Conditions")} hint=${t("all of them must be met")}><${Conditions} at="conditions" /><//>
  <${Panel} id="benefit-title" title=${t("Benefit")}><${Part} at="benefit" kinds=${BENEFITS()} label=${t("Kind of benefit")} /><//>
  <${Panel} id="limits-title" title=${t("Limits")} hint=${t("counted exactly, whatever happens")}>
    <${NumberField} at="max_redemptions" label=${t("Uses in total, at most")} hint=${t("empty: no limit")} className="short" />
    <${Limits} at="limits" />
  <//>
  <${Panel} id="rules-title" title=${t("When and together with what")}>
    <div class="columns">
      <${SelectField} at="trigger" label=${t("Given")} options=${[["on_sale", t("on the receipt")], ["on_period_end", t("when the period ends")]]} />
      <${Period} at="processing_period" />
      <${SelectField} at="stacking" label=${t("Together with other instruments")} options=${[["combinable", t("combines with others")], ["exclusive", t("alone: only if nothing else applies")], ["best_of", t("the best one of a group")]]} />
      <${BestOf} />
      <${NumberField} at="priority" label=${t("Priority")} hint=${t("higher goes first; 0 is usual")} />
      <${SelectField} at="on_return" label=${t("When the sale comes back")} options=${[["release", t("its place is free again")], ["keep", t("its place stays used")]]} />
    </div>
    <${CheckField} at="include_discounted" label=${t("Also on goods that are discounted already")} />
    <${Repeat} />
  <//>`;

function BestOf() {
  const form = useForms();
  if (form.value.stacking !== "best_of") return null;
  return html`<${TextField} at="best_of" label=${t("Name of the group")} hint=${t("the best of its instruments applies")} required />`;
}

function Repeat() {
  const { value, set, readOnly } = useField("repeat", { exact: true });
  return html`<div class="row top"><${Check} label=${t("Again for every full multiple of the conditions")} value=${Boolean(value)} onInput=${(on) => set(on ? {} : undefined)} disabled=${readOnly} />
    ${value && html`<${NumberField} at="repeat.max_times" label=${t("Times, at most")} />`}</div>`;
}

const PERIODS = () => [["campaign", t("the whole campaign")], ["day", t("a day")], ["week", t("a week")], ["month", t("a month")], ["rolling", t("the last days, sliding")], ["consecutive", t("windows of days, one after another")]];
function Period({ at: field }) {
  const { value = "campaign", set, readOnly } = useField(field, { exact: true });
  const chosen = value === "campaign" ? "campaign" : value.kind === "calendar" ? value.unit : value.kind;
  const choose = (kind) => set(kind === "campaign" ? undefined : ["day", "week", "month"].includes(kind) ? { kind: "calendar", unit: kind } : { kind, days: value.days ?? 14 });
  return html`<div class="stack"><div class="field"><label for="period">${t("History and limits are counted over")}</label>
    <select id="period" data-field=${field} disabled=${readOnly} value=${chosen} onChange=${(event) => choose(event.target.value)}>${PERIODS().map(([key, text]) => html`<option key=${key} value=${key} selected=${key === chosen}>${text}</option>`)}</select></div>
    ${value.days !== undefined || ["rolling", "consecutive"].includes(value.kind) ? html`<${NumberField} at="${field}.days" unit="days" label=${t("Days")} required />` : null}</div>`;
}

show("/instruments", t("Instruments"), Instrument);
