// A campaign: when, where, for whom and which instruments; tried, tested, started.

import { at, call, get, may } from "./api.js";
import { t, tn } from "./i18n.js";
import { day } from "./format.js";
import { show, TitleBar, name as nameWindow } from "./shell.js";
import { Backtest } from "./backtest.js";
import { Bound, Keeping, NameAndId, NumberField, SelectField, TextAreaField, TextField, useField, useForm, useForms } from "./form.js";
import { withoutNulls } from "./documents.js";
import { useCurrency } from "./currency.js";
import { History } from "./history.js";
import { Instruments } from "./campaign_instruments.js";
import { LimitsOf } from "./campaign_limits.js";
import { Limits } from "./limits.js";
import { CopyDialog, Panel, created, idInPath, sayWhatWasDone } from "./parts.js";
import { PickField } from "./picker.js";
import { StoresField } from "./campaign_stores.js";
import { Status } from "./status.js";
import { TryIt } from "./try_it.js";
import { HERE, zoneOptions } from "./zones.js";
import { Action, Confirm, Failure, Loading, Tabs, html, say, useAddress, useEffect, useState } from "./ui.js";
import "./words_authoring.js";
import "./words_trials.js";

const ID = idInPath();
const path = (id) => `/v1/campaigns/${encodeURIComponent(id)}`;
const FIELDS = ["campaign_id", "name", "comment", "priority", "time_zone", "first_day", "last_day", "stores", "customer_groups", "segments", "control_group", "limits", "instruments"];

// The budget is the limit on money over all; the form shows it apart from the others.
function documentOf(view) {
  const { limits = [], ...rest } = withoutNulls(Object.fromEntries(FIELDS.map((key) => [key, view[key] ?? null])));
  const isBudget = (rule) => !rule.per?.length && "money" in rule;
  return { ...rest, budget: limits.find(isBudget)?.money, limits: limits.filter((rule) => !isBudget(rule)) };
}

// What the API takes; the budget comes last, so that the others keep their places in errors.
function planOf({ budget, limits = [], ...rest }) {
  return { ...rest, limits: [...limits, ...(budget !== undefined ? [{ per: [], money: budget }] : [])] };
}

const today = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
const later = (days) => new Date(Date.parse(today()) + days * 86_400_000).toISOString().slice(0, 10);
const EMPTY = { time_zone: HERE, first_day: today(), last_day: later(30), instruments: [], limits: [] };

function Campaign() {
  useCurrency();
  useEffect(sayWhatWasDone, []);
  const isNew = ID === "new";
  const [{ tab = "plan" }, change] = useAddress();
  const [asking, setAsking] = useState(null);
  const form = useForm({
    kind: "campaign", id: ID, empty: EMPTY,
    load: async () => {
      if (isNew) return null;
      const view = await get("emission", path(ID));
      return { document: documentOf(view), view };
    },
  });
  const title = form.value?.name || (isNew ? t("New campaign") : ID);
  useEffect(() => nameWindow(title), [title]);
  const keep = (document) => (isNew ? call("emission", "POST", "/v1/campaigns", planOf(document)) : call("emission", "PUT", path(ID), planOf(document)));
  const save = async () => {
    const done = await form.submit(async (document) => {
      const view = await named(keep(document), document);
      return { document: documentOf(view), view };
    });
    if (!done) return;
    if (isNew) created("campaigns", form.value.campaign_id, t("Saved: a draft, until it is started"));
    else say(t("Saved"));
  };
  const act = (action, text) => async () => {
    await form.submit(async () => {
      const view = await call("emission", "POST", `${path(ID)}/${action}`);
      return { document: documentOf(view), view };
    }) && say(text);
    change({ tab: undefined });
  };
  const tabs = [["plan", t("Plan")], ["try", t("Try it")], ["backtest", t("Backtest")], ...(isNew ? [] : [["limits", t("Limits")], ["history", t("History")]])];
  return html`<${TitleBar} title=${title} above=${[at("emission", "/campaigns"), t("Campaigns")]} badge=${form.view && html`<${Status} value=${form.view.status} />`}>
      <${Keeping} form=${form} />
      ${!isNew && html`<${Actions} form=${form} onAsk=${setAsking} onAct=${act} />`}
      ${!form.readOnly && form.view?.status !== "finished" && html`<${Action} kind=${isNew || form.dirty ? "primary" : ""} onAct=${save}>${t("Save")}<//>`}<//>
    <${Tabs} tabs=${tabs} value=${tab} onChange=${(next) => change({ tab: next === "plan" ? undefined : next })} label=${title} />
    ${!form.value ? (form.problem ? html`<${Failure} problem=${form.problem} retry=${form.reopen} />` : html`<${Loading} />`)
      : tab === "try" ? html`<${TryIt} form=${form} plan=${planOf} />`
      : tab === "backtest" ? html`<${Backtest} form=${form} plan=${planOf} />`
      : tab === "limits" ? html`<${LimitsOf} id=${ID} />`
      : tab === "history" ? html`<${History} noun="campaigns" id=${ID} />`
      : html`<${Bound} form=${form}><${Plan} isNew=${isNew} /><//>`}
    ${asking === "copy" && html`<${CopyDialog} noun="campaign" id=${ID} name=${form.value.name} onClose=${() => setAsking(null)} />`}
    ${asking === "start" && html`<${Confirm} title=${t("Start {name}?", { name: form.value.name })} text=${announced(form.value)} action=${t("Start")} onAct=${act("start", t("Started: it runs at all tills within seconds"))} onClose=${() => setAsking(null)} />`}
    ${asking === "finish" && html`<${Confirm} title=${t("Finish {name}?", { name: form.value.name })} text=${t("It ends now and cannot be started again. To stop it for a while, pause it.")} action=${t("Finish")} onAct=${act("finish", t("Finished"))} onClose=${() => setAsking(null)} />`}`;
}

// The last limit that was sent is the budget: an error of it belongs beside its field.
async function named(saving, document) {
  try {
    return await saving;
  } catch (problem) {
    const last = `limits.${document.limits?.length ?? 0}`;
    for (const error of problem.errors ?? []) if (error.field === last || error.field.startsWith(`${last}.`)) error.field = "budget";
    throw problem;
  }
}

function announced({ first_day: first, last_day: last, stores = [], instruments }) {
  const where = stores.length ? tn(stores.length, "in {n} store", "in {n} stores") : t("in all stores");
  return t("{instruments}, {where}, from {first} to {last}.", { instruments: tn(instruments.length, "{n} instrument", "{n} instruments"), where, first: day(first), last: day(last) });
}

function Actions({ form, onAsk, onAct }) {
  const status = form.view?.status;
  if (!status) return null;
  const live = status !== "draft" && html`<a class="button" href=${at("analytics", `/dashboard?campaign_id=${encodeURIComponent(ID)}`)}>${t("Live figures")}</a>`;
  if (!may("campaigns:write")) return live;
  return html`${live}
    <button type="button" disabled=${form.dirty} onClick=${() => onAsk("copy")}>${t("Copy")}</button>
    ${status === "running" && html`<${Action} onAct=${onAct("pause", t("Paused"))}>${t("Pause")}<//>`}
    ${(status === "running" || status === "paused") && html`<button type="button" class="danger" onClick=${() => onAsk("finish")}>${t("Finish")}</button>`}
    ${status === "draft" && html`<button type="button" class=${form.dirty ? "" : "primary"} disabled=${form.dirty} title=${form.dirty ? t("Save it first") : undefined} onClick=${() => onAsk("start")}>${t("Start")}</button>`}
    ${status === "paused" && html`<${Action} kind="primary" disabled=${form.dirty} onAct=${onAct("start", t("Started: it runs at all tills within seconds"))}>${t("Resume")}<//>`}`;
}

function Plan({ isNew }) {
  const { value } = useForms();
  return html`
    <${Panel} id="basics" title=${t("Campaign")}>
      <${NameAndId} noun="campaign" isNew=${isNew} nameHint=${t("as customers may see it")} />
      <${TextAreaField} at="comment" label=${t("Comment")} hint=${t("for yourselves")} maxlength="2000" />
    <//>
    <${Panel} id="period-title" title=${t("Period")} hint=${t("both days are included")}><div class="columns">
      <${TextField} at="first_day" type="date" label=${t("First day")} required />
      <${TextField} at="last_day" type="date" label=${t("Last day")} required min=${value.first_day} />
      <${Zone} />
    </div><//>
    <${Panel} id="instruments-title" title=${t("Instruments")} hint=${t("tried in this order")}><${Instruments} at="instruments" /><//>
    <${Panel} id="where" title=${t("Where and for whom")}>
      <${StoresField} at="stores" />
      <div class="columns">
        <${PickField} at="customer_groups" source="groups" label=${t("Customer groups")} hint=${t("none, and no segments: everybody")} />
        <${PickField} at="segments" source="segments" label=${t("Segments")} hint=${t("of a group or a segment: one is enough")} />
      </div>
    <//>
    <${Panel} id="bounds" title=${t("Budget and limits")} hint=${t("over all its instruments, never exceeded")}>
      <div class="columns">
        <${NumberField} at="budget" unit="money" label=${t("Budget of discounts")} hint=${t("empty: no limit")} />
        <${NumberField} at="control_group" unit="percent" label=${t("Control group")} hint=${t("this share of customers gets nothing: the effect is measured against them")} />
        <${NumberField} at="priority" label=${t("Priority")} hint=${t("higher goes first; 0 is usual")} />
      </div>
      <${Limits} at="limits" label=${t("Other limits")} />
    <//>`;
}

function Zone() {
  const { value } = useField("time_zone");
  return html`<${SelectField} at="time_zone" label=${t("Time zone")} options=${zoneOptions(value)} />`;
}

show("/campaigns", t("Campaigns"), Campaign);
