// A policy of offers: its editor with a dry run beside it, what its offers brought, the offers, and who changed it.

import { at, call, get, may } from "./api.js";
import { decimal, money, time } from "./format.js";
import { t } from "./i18n.js";
import { FINDINGS, OFFER_STATES, REASONS, STATES } from "./policy_names.js";
import { FormProvider, explained } from "./policy_form.js";
import { withoutNulls, written } from "./documents.js";
import { Fields, useKnown } from "./policy_fields.js";
import { Outcome, Steps } from "./policy_outcome.js";
import { DryRun } from "./policy_trial.js";
import { sentences } from "./policy_sentence.js";
import { show, TitleBar, name as nameWindow } from "./shell.js";
import { Action, Badge, Confirm, Empty, Failure, List, Loading, Notice, Tabs, html, say, useAddress, useAsk, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./ui.js";
import "./words_offers.js";

const ID = new URLSearchParams(location.search).get("policy_id");
const path = (id) => `/v1/policies/${encodeURIComponent(id)}`;
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const ZONE = { "Europe/Kiev": "Europe/Kyiv" }[Intl.DateTimeFormat().resolvedOptions().timeZone] ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
const EMPTY = {
  currency: "UAH", discounts_in: "percent", steps: [{ valid_days: 7 }], wait_days: 0, pause_days: 30, control_share: 1000, time_zone: ZONE,
  sending: { at: "usual_hour", clock: "10:00" }, quiet_hours: { starts: "21:00", ends: "09:00" },
};
// What is left out of quiet hours would be the usual ones.
const sent = (document) => ({ ...document, quiet_hours: document.quiet_hours ?? null });

function usePolicy() {
  const [view, setView] = useState(null);
  const [saved, setSaved] = useState(ID ? null : EMPTY);
  const [value, setValue] = useState(ID ? null : EMPTY);
  const [errors, setErrors] = useState([]);
  const [problem, setProblem] = useState(null);
  const element = useRef();
  const take = useCallback((found) => {
    const document = withoutNulls(found.policy);
    setView(found);
    setSaved(document);
    setValue(document);
    setErrors([]);
    setProblem(null);
  }, []);
  const open = useCallback(() => ID && get("customers", path(ID)).then(take, setProblem), []);
  useEffect(() => { open(); }, []);
  const set = useCallback((field, next) => {
    setValue((before) => written(before, field, next));
    setErrors((before) => before.filter((one) => !(one.field === field || one.field.startsWith(`${field}.`) || field.startsWith(`${one.field}.`))));
  }, []);
  const act = async (asking) => {
    setProblem(null);
    try {
      take(await asking());
      return true;
    } catch (error) {
      setErrors(error.errors ?? []);
      setProblem(error);
      setTimeout(() => element.current?.querySelector('[aria-invalid="true"]')?.focus(), 0);
      return false;
    }
  };
  const dirty = value !== null && !same(value, saved);
  useEffect(() => {
    const warn = (event) => { if (dirty) event.preventDefault(); };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [dirty]);
  return { view, value, set, errors, problem, act, dirty, element, open, discard: () => { setValue(saved); setErrors([]); }, readOnly: !may("customers:write") };
}

function Page() {
  const form = usePolicy();
  const [{ tab = "policy" }, change] = useAddress();
  const [asking, setAsking] = useState(false);
  const title = form.value?.name || (ID ? ID : t("New policy"));
  useEffect(() => nameWindow(title), [title]);
  const { view, value } = form;
  const save = async () => {
    const saving = () => (view ? call("customers", "PUT", path(value.policy_id), sent(value)) : call("customers", "POST", "/v1/policies", sent(value)));
    if (!await form.act(saving)) return;
    say(view ? t("Saved") : t("Saved: a draft, until it is started"));
    if (!view) history.replaceState(null, "", `?policy_id=${encodeURIComponent(value.policy_id)}`);
  };
  const turn = (action, text) => async () => { if (await form.act(() => call("customers", "POST", `${path(value.policy_id)}/${action}`))) say(text); };
  const tabs = [["policy", t("Policy")], ...(view ? [["outcome", t("What it brings")], ["offers", t("Offers")], ["history", t("History")]] : [])];
  return html`<${TitleBar} title=${title} above=${[at("customers", "/offers"), t("Offers")]} badge=${view && html`<${Badge} kind=${STATES()[view.status][0]}>${STATES()[view.status][1]}<//>`}>
      <span class="muted small">${form.readOnly ? t("Read only") : form.dirty && view ? t("Unsaved changes") : ""}</span>
      ${!form.readOnly && html`
        ${form.dirty && view && html`<button type="button" class="quiet" onClick=${form.discard}>${t("Discard")}</button>`}
        ${view?.status === "running" && html`<${Action} onAct=${turn("pause", t("Paused: what was sent goes on"))}>${t("Pause")}<//>`}
        ${view && view.status !== "running" && html`<button type="button" class=${form.dirty ? "" : "primary"} disabled=${form.dirty} title=${form.dirty ? t("Save it first") : undefined} onClick=${() => setAsking(true)}>${t("Start")}</button>`}
        ${value && (form.dirty || !view) && html`<${Action} kind="primary" onAct=${save}>${t("Save")}<//>`}`}<//>
    ${view && html`<${Tabs} tabs=${tabs} value=${tab} onChange=${(next) => change({ tab: next === "policy" ? undefined : next })} label=${title} />`}
    ${!value ? (form.problem ? html`<${Failure} problem=${form.problem} retry=${form.open} />` : html`<section class="panel"><${Loading} /></section>`)
      : tab === "outcome" && view ? html`<${Outcome} policy=${view.policy} /><${Steps} view=${view} />`
      : tab === "offers" && view ? html`<${Offers} policy=${view.policy} />`
      : tab === "history" && view ? html`<${History} id=${view.policy.policy_id} turn=${view.changed_at} />`
      : html`<${Editor} form=${form} />`}
    ${asking && html`<${Confirm} title=${t("Start {name}?", { name: value.name })} text=${sentences(value).join(" ")} action=${t("Start")} onAct=${turn("start", t("Started: customers are considered now, and whenever something changes"))} onClose=${() => setAsking(false)} />`}`;
}

function Editor({ form }) {
  const known = useKnown();
  const names = useMemo(() => Object.fromEntries(known.segments), [known.segments.length]);
  const others = useOthers(form);
  return html`<${FormProvider} value=${form}><div class="two-columns policy" ref=${form.element}>
    <div class="stack">
      ${form.problem && !form.errors.length && html`<${Failure} problem=${form.problem} />`}
      ${others.length > 0 && html`<${Notice} kind="bad"><ul class="plain-list">${others.map(({ field, message }) => html`<li key=${field}><code>${field}</code> ${explained(message)}</li>`)}</ul><//>`}
      <${Fields} isNew=${!form.view} known=${known} />
    </div>
    <div class="stack aside-column">
      <section class="panel" aria-labelledby="words-title"><header><h2 id="words-title">${t("In words")}</h2></header>
        <div class="body" id="words">${sentences(form.value, names).map((one) => html`<p key=${one}>${one}</p>`)}</div></section>
      <${DryRun} document=${sent(form.value)} notes=${Notes} />
    </div>
  </div><//>`;
}

// Errors that belong to no field that is shown.
function useOthers(form) {
  const [others, setOthers] = useState([]);
  useLayoutEffect(() => {
    const shown = (field) => field.split(".").some((_, n, parts) => form.element.current?.querySelector(`[data-field="${CSS.escape(parts.slice(0, parts.length - n).join("."))}"]`));
    const left = form.errors.filter(({ field }) => !shown(field));
    setOthers((before) => (same(before, left) ? before : left));
  });
  return others;
}

function Notes({ notes }) {
  if (!notes.length) return null;
  return html`<div class="body notes">${notes.map((one) => html`<${Notice} key=${`${one.step}${one.finding}${one.campaign_id}`} kind=${one.stops ? "bad" : "warn"} role="note">
    <b>${t("Step {n}", { n: one.step })}:</b> ${FINDINGS()[one.finding]}${one.campaign_id && html` <a href=${at("emission", `/campaigns/${encodeURIComponent(one.campaign_id)}`)}>${one.campaign_id}</a>`}<//>`)}</div>`;
}

function Offers({ policy }) {
  const [{ status = "" }, change] = useAddress();
  const [pages, setPages] = useState([""]);
  const after = pages[pages.length - 1];
  const query = new URLSearchParams({ ...(status && { status }), ...(after && { after }) });
  const { data, problem, reload } = useAsk((signal) => get("customers", `${path(policy.policy_id)}/offers?${query}`, { signal }), [String(query)]);
  const write = (value) => (policy.discounts_in === "amount" ? money(value, policy.currency) : `${decimal(value / 100)}%`);
  const columns = [
    { key: "customer", title: t("Customer"), cell: (one) => html`<a class="mono" href=${at("customers", `/customer?customer_id=${encodeURIComponent(one.customer_id)}`)}>${one.customer_id}</a>` },
    { key: "status", title: t("Status"), cell: (one) => html`<${Badge} kind=${OFFER_STATES()[one.status][0]}>${OFFER_STATES()[one.status][1]}<//>${one.why && html`<span class="sub">${REASONS()[one.why] ?? one.why}</span>`}` },
    { key: "step", title: t("Step"), number: true, cell: (one) => html`${one.step}<span class="sub">${write(one.discount)}</span>` },
    { key: "send_at", title: t("Sent at"), cell: (one) => time(one.send_at) },
    { key: "valid_until", title: t("Until"), cell: (one) => time(one.valid_until) },
    { key: "given", title: t("Discount given"), number: true, cell: (one) => (one.status === "used" ? money(one.given, one.currency) : "–") },
    { key: "receipt", title: t("Receipt"), cell: (one) => html`<span class="mono">${one.receipt_id ?? "–"}</span>` },
  ];
  return html`<section class="panel" aria-label=${t("Offers")}>
    <div class="toolbar"><select aria-label=${t("Status")} value=${status} onChange=${(event) => { setPages([""]); change({ status: event.target.value }); }}>
      <option value="" selected=${!status}>${t("All states")}</option>${Object.entries(OFFER_STATES()).map(([key, [, text]]) => html`<option key=${key} value=${key} selected=${key === status}>${text}</option>`)}</select>
      <span class="muted small">${t("Codes are told to the CRM alone.")}</span></div>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
      : html`<${List} label=${t("Offers")} columns=${columns} rows=${data.items} rowKey=${(one) => one.offer_id} empty=${html`<${Empty} title=${t("No offers")}>${t("There are none that stand so.")}<//>`} />
        <nav class="pager" aria-label=${t("Pages")}><span></span><span class="row"><button type="button" class="small" disabled=${pages.length < 2} onClick=${() => setPages(pages.slice(0, -1))}>${t("Previous")}</button>
          <button type="button" class="small" disabled=${!data.next} onClick=${() => setPages([...pages, data.next])}>${t("Next")}</button></span></nav>`}
  </section>`;
}

function History({ id, turn }) {
  const { data, problem, reload } = useAsk((signal) => get("customers", `${path(id)}/history`, { signal }), [id, turn]);
  const actions = { created: t("created"), edited: t("edited"), started: t("started"), paused: t("paused") };
  const columns = [
    { key: "at", title: t("When"), cell: (one) => time(one.changed_at) },
    { key: "who", title: t("Who"), cell: (one) => one.changed_by.replace(/^user:/, "") },
    { key: "what", title: t("What"), cell: (one) => html`${actions[one.action]}<span class="sub">${t("version {n}", { n: one.version })}</span>` },
    { key: "said", title: t("It said"), cell: (one) => html`<details><summary>${t("In words")}</summary>${sentences(withoutNulls(one.policy)).map((each) => html`<p key=${each}>${each}</p>`)}</details>` },
  ];
  return html`<section class="panel" aria-label=${t("History")}>${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
    : html`<${List} label=${t("History")} columns=${columns} rows=${data.items} rowKey=${(one) => one.number} empty=${null} />`}</section>`;
}

show("/offers", t("Offers"), Page);
