// Promo codes: a word for everybody, or a batch of personal codes; written, posted, exported.

import { at, call, get, may } from "./api.js";
import { count, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { show, TitleBar, name as nameWindow } from "./shell.js";
import { Bound, CheckField, Keeping, NameAndId, NumberField, TextField, useField, useForm, useForms } from "./form.js";
import { withoutNulls } from "./documents.js";
import { Customers } from "./customers.js";
import { History } from "./history.js";
import { CopyDialog, Panel, created, idInPath, pageOf, sayWhatWasDone } from "./parts.js";
import { PATTERN, example, fewestRandom, space } from "./patterns.js";
import { Status } from "./status.js";
import { Action, Confirm, Failure, Field, Loading, Notice, Tabs, html, useAddress, useAsk, useEffect, useState } from "./ui.js";
import "./words_authoring.js";

const ID = idInPath();
const EMPTY = { kind: "mass" };
const LOOK_EVERY_MS = 700;
const path = (id) => `/v1/emissions/${encodeURIComponent(id)}`;
const FIELDS = ["emission_id", "name", "kind", "word", "count", "pattern", "valid_from", "valid_until", "single_use"];
// No batch: each code is made when it is asked for.
const isOnRequest = ({ kind, count: size }) => kind === "personal" && size === 0;
const documentOf = (view) => withoutNulls(Object.fromEntries(FIELDS.map((key) => [key, view[key] ?? null])));

function Emission() {
  const isNew = ID === "new";
  const [{ tab = "codes" }, change] = useAddress();
  const [asking, setAsking] = useState(null);
  const form = useForm({
    kind: "emission", id: ID, empty: EMPTY,
    // A list of customers is a file that one has: too long for a draft, and nothing that was typed.
    kept: ({ customers, ...rest }) => rest,
    load: async () => {
      if (isNew) return null;
      const view = await get("emission", path(ID));
      return { document: documentOf(view), view };
    },
  });
  useEffect(sayWhatWasDone, []);
  const title = form.value?.name || (isNew ? t("New promo codes") : ID);
  useEffect(() => nameWindow(title), [title]);
  const { view } = form;
  useEffect(() => {
    if (view?.status !== "posting") return undefined;
    const timer = setTimeout(async () => form.setView(await get("emission", path(ID)).catch(() => ({ ...view }))), LOOK_EVERY_MS);
    return () => clearTimeout(timer);
  }, [view]);
  const save = async () => {
    const done = await form.submit(async (document) => {
      const saved = await call("emission", "POST", "/v1/emissions", document);
      return { document: documentOf(saved), view: saved };
    });
    if (done) created("emissions", form.value.emission_id, t("Saved: a draft, until it is posted"));
  };
  const post = async () => form.setView(await call("emission", "POST", `${path(ID)}/post`));
  const tabs = [["codes", t("Codes")], ["history", t("History")]];
  return html`<${TitleBar} title=${title} above=${[at("emission", "/emissions"), t("Promo codes")]} badge=${view && html`<${Status} value=${view.status} />`}>
      ${isNew && html`<${Keeping} form=${form} />`}
      ${view && may("campaigns:write") && html`<button type="button" onClick=${() => setAsking("copy")}>${t("Copy")}</button>`}
      ${isNew && !form.readOnly && html`<${Action} kind="primary" onAct=${save}>${t("Save")}<//>`}
      ${view?.status === "draft" && may("campaigns:write") && html`<button type="button" class="primary" onClick=${() => setAsking("post")}>${t("Post")}</button>`}<//>
    ${!isNew && html`<${Tabs} tabs=${tabs} value=${tab} onChange=${(next) => change({ tab: next === "codes" ? undefined : next })} label=${title} />`}
    ${!form.value ? (form.problem ? html`<${Failure} problem=${form.problem} retry=${form.reopen} />` : html`<${Loading} />`)
      : isNew ? html`<${Bound} form=${form}><${Form} /><//>`
      : tab === "history" ? html`<${History} noun="emissions" id=${ID} />` : html`<${Facts} view=${view} />`}
    ${asking === "copy" && html`<${CopyDialog} noun="emission" id=${ID} name=${view.name} word=${view.word} onClose=${() => setAsking(null)} />`}
    ${asking === "post" && html`<${Confirm} title=${t("Post {name}?", { name: view.name })} text=${isOnRequest(view) ? t("Codes can then be asked for, one for each customer. That cannot be undone.") : tn(view.count, "{n} code will be made and sent to all tills. That cannot be undone.", "{n} codes will be made and sent to all tills. That cannot be undone.")}
      action=${t("Post")} onAct=${post} onClose=${() => setAsking(null)} />`}`;
}

// ---- a new one ----

function Form() {
  const form = useForms();
  const mass = form.value.kind === "mass";
  const onRequest = isOnRequest(form.value);
  const choose = (kind, size) => form.setValue(({ word, count: _, pattern, single_use, customers, ...rest }) => ({ ...rest, kind, ...(size === undefined ? {} : { count: size }) }));
  return html`
    <${Panel} id="basics" title=${t("Promo codes")}>
      <fieldset class="field"><legend>${t("Kind")}</legend><div class="cards">
        <${Kind} value="mass" chosen=${mass} onChoose=${() => choose("mass")} title=${t("A word for everybody")} about=${t("as WELCOME in an advertisement; limit it with “Only the first” in its condition")} />
        <${Kind} value="personal" chosen=${!mass && !onRequest} onChoose=${() => choose("personal")} title=${t("Personal codes")} about=${t("a batch of codes that cannot be guessed; each works once")} />
        <${Kind} value="request" chosen=${onRequest} onChoose=${() => choose("personal", 0)} title=${t("Personal codes on request")} about=${t("none now; each is made for one customer, when an offer asks for it")} />
      </div></fieldset>
      <${NameAndId} noun="emission" isNew nameHint=${t("for yourselves; nobody else sees it")} />
    <//>
    ${mass ? html`<${Panel} id="word-title" title=${t("Word")}><${TextField} at="word" label=${t("Word")} required class="mono" hint=${t("2 to 40 letters or digits; upper and lower case are the same")} maxlength="80" /><//>`
      : html`<${Batch} />`}
    <${Panel} id="validity" title=${t("Validity")} hint=${t("empty: always")}>
      <div class="columns"><${Moment} at="valid_from" label=${t("Valid from")} /><${Moment} at="valid_until" label=${t("Valid until (not included)")} /></div>
    <//>`;
}

const Kind = ({ value, chosen, onChoose, title, about }) => html`<label class="choice-card">
  <input type="radio" name="kind" value=${value} checked=${chosen} onChange=${onChoose} /><span><span class="strong">${title}</span><span class="muted small">${about}</span></span></label>`;

function Batch() {
  const form = useForms();
  const { value } = form;
  const pattern = value.pattern ?? PATTERN;
  const size = typeof value.count === "number" ? value.count : value.customers?.length ?? 0;
  const onRequest = isOnRequest(value);
  const needed = fewestRandom(Math.max(size, 1));
  const random = [...pattern].filter((one) => one === "#").length;
  return html`<${Panel} id="batch" title=${t("Codes")}>
    <div class="columns">
      ${!onRequest && html`<${NumberField} at="count" label=${t("How many")} hint=${value.customers ? t("empty: one for each customer") : t("at most 10,000,000")} required=${!value.customers} />`}
      <${TextField} at="pattern" label=${t("Pattern")} class="mono" placeholder=${PATTERN} maxlength="50" spellcheck=${false} hint=${t("# is a random letter or digit; other letters, digits and hyphens stay")} />
    </div>
    <div class="example" role="group" aria-label=${t("Example")}>
      <span class="codes mono">${[1, 2, 3].map((n) => html`<span key=${n}>${example(pattern, n)}</span>`)}</span>
      <span class="muted small">${t("{n} different codes are possible.", { n: space(random) })} ${random < needed ? html`<span class="error-text">${tn(needed, "That many codes need {n} # to be unguessable.", "That many codes need {n} # to be unguessable.")}</span>` : t("They cannot be guessed.")}</span>
    </div>
    ${onRequest && html`<p class="muted small">${t("As more and more codes are asked for, they get more random characters.")}</p>`}
    <${CheckField} at="single_use" fallback=${true} label=${t("Each code works once")} />
    ${!onRequest && html`<${Customers} />`}
  <//>`;
}

// A moment of the browser's clock, kept as an instant.
function Moment({ at: field, label }) {
  const { value, set, error, readOnly } = useField(field);
  const local = (iso) => {
    const moment = new Date(iso);
    return new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return html`<${Field} label=${label} error=${error} hint=${zone}>${(control) => html`
    <input type="datetime-local" ...${control} data-field=${field} disabled=${readOnly} value=${value ? local(value) : ""} onInput=${(event) => set(event.target.value ? new Date(event.target.value).toISOString() : undefined)} />`}<//>`;
}

// ---- one that is there ----

function Facts({ view }) {
  const mass = view.kind === "mass";
  const all = view.posted_codes + view.requested_codes;
  return html`<div class="two-columns"><div class="stack">
      ${view.status === "draft" && html`<${Notice}>${t("A draft: campaigns can use these codes once they are posted.")}<//>`}
      ${view.status === "posting" && html`<section class="panel"><div class="body"><p role="status">${t("{n} of {all} codes are posted", { n: count(view.posted_codes), all: count(view.count) })}</p>
        <progress max=${view.count} value=${view.posted_codes} aria-label=${t("Posted")}></progress></div></section>`}
      <${Panel} id="facts" title=${mass ? t("A word for everybody") : isOnRequest(view) ? t("Personal codes on request") : t("Personal codes")}>
        <p class="word mono">${mass ? view.word : view.pattern}</p>
        <dl class="facts">
          ${!isOnRequest(view) && html`<dt>${t("Codes")}</dt><dd>${count(view.count)}</dd>`}
          ${!mass && html`<dt>${t("Made on request")}</dt><dd>${count(view.requested_codes)}</dd>`}
          ${view.bound > 0 && html`<dt>${t("Bound to customers")}</dt><dd>${count(view.bound)}</dd>`}
          <dt>${t("Valid from")}</dt><dd>${view.valid_from ? time(view.valid_from) : t("always")}</dd>
          <dt>${t("Valid until (not included)")}</dt><dd>${view.valid_until ? time(view.valid_until) : t("always")}</dd>
          ${!mass && html`<dt>${t("Each code works once")}</dt><dd>${view.single_use ? t("yes") : t("no")}</dd>`}
        </dl><//>
      ${view.status === "posted" && all > 0 && may("codes:export") && html`<${Out} view=${view} all=${all} />${view.kind === "personal" && html`<${Shown} view=${view} />`}`}
    </div><aside class="stack"><${UsedBy} /></aside></div>`;
}

function Out({ view, all }) {
  const [sheet, setSheet] = useState({ from: "1", count: "24", address: "" });
  const set = (field) => (event) => setSheet({ ...sheet, [field]: event.target.value });
  const query = new URLSearchParams({ from: sheet.from || 1, count: sheet.count || 24, language: document.documentElement.lang, ...(sheet.address && { address: sheet.address }) });
  return html`<${Panel} id="out" title=${t("Export")}>
    <div class="row"><a class="button" href=${at("emission", `${path(ID)}/codes`)} download>${t("Download as CSV")}</a><span class="muted small">${tn(all, "{n} code", "{n} codes")}</span></div>
    <h3>${t("Print a sheet, with QR codes")}</h3>
    <div class="columns">
      ${view.kind === "personal" && html`<${Field} label=${t("From the code number")}>${(control) => html`<input type="number" min="1" max=${all} value=${sheet.from} ...${control} onInput=${set("from")} />`}<//>
        <${Field} label=${t("Number of codes")}>${(control) => html`<input type="number" min="1" max="480" value=${sheet.count} ...${control} onInput=${set("count")} />`}<//>`}
      <${Field} label=${t("Address in the QR code")} hint=${t("empty: the code alone")}>${(control) => html`<input type="url" placeholder="https://" value=${sheet.address} ...${control} onInput=${set("address")} />`}<//>
    </div>
    <div><a class="button" target="_blank" rel="noopener" href=${at("emission", `${path(ID)}/codes/sheet?${query}`)}>${t("Open the sheet")}</a></div>
  <//>`;
}

// Codes are shown when they are asked for: that is kept as an export.
function Shown({ view }) {
  const [pages, setPages] = useState([]);
  const more = async () => {
    const after = pages.length ? pages[pages.length - 1].next : 0;
    setPages([...pages, await get("emission", `${path(ID)}/codes?format=json&after=${after}&limit=50`)]);
  };
  const codes = pages.flatMap((page) => page.items);
  const next = pages.length === 0 || pages[pages.length - 1].next;
  const bound = view.bound > 0 || view.requested_codes > 0;
  const ends = view.requested_codes > 0;
  return html`<${Panel} id="shown-title" title=${t("Codes")} hint=${t("kept in the history as an export")}>
    ${codes.length > 0 && html`<div class="table-box" tabindex="0" role="region" aria-label=${t("Codes")}><table class="list"><thead><tr><th scope="col" class="number">${t("Number")}</th><th scope="col">${t("Code")}</th>${bound && html`<th scope="col">${t("Customer")}</th>`}${ends && html`<th scope="col">${t("Valid until (not included)")}</th>`}</tr></thead>
      <tbody>${codes.map((one) => html`<tr key=${one.number}><td class="number">${count(one.number)}</td><td class="mono">${one.code}</td>${bound && html`<td>${one.customer_id ?? "–"}</td>`}${ends && html`<td>${one.valid_until ? time(one.valid_until) : "–"}</td>`}</tr>`)}</tbody></table></div>`}
    ${next && html`<div><${Action} onAct=${more}>${codes.length ? t("Show more") : t("Show codes")}<//></div>`}<//>`;
}

function UsedBy() {
  const { data, problem } = useAsk((signal) => get("emission", `/v1/instruments?emission=${encodeURIComponent(ID)}&limit=50`, { signal }), []);
  return html`<${Panel} id="used-title" title=${t("Used by")}>${problem ? html`<${Failure} problem=${problem} />` : !data ? html`<div class="skeleton">…</div>`
    : data.items.length ? html`<ul class="plain-list">${data.items.map((one) => html`<li key=${one.instrument_id}><a href=${pageOf("instruments", one.instrument_id)}>${one.name}</a></li>`)}</ul>`
    : html`<p class="muted">${t("No instrument uses these codes yet.")}</p>`}<//>`;
}

show("/emissions", t("Promo codes"), Emission);
