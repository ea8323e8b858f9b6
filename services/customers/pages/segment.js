// A segment: who is in it, in words and in numbers while it is written; its members, and how they came and went.

import { at, call, get, may } from "./api.js";
import { count, time } from "./format.js";
import { language, t, tn } from "./i18n.js";
import { EnteredAndLeft, Progress, nameOf } from "./segment_parts.js";
import { FIRST, Rows } from "./segment_rows.js";
import { name as nameWindow, show, TitleBar } from "./shell.js";
import { Action, Badge, Confirm, Empty, Failure, Input, List, Loading, Notice, Select, Tabs, errorsOf, html, say, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import "./words_segments.js";

const ID = new URLSearchParams(location.search).get("segment_id");
const path = (more = "") => `/v1/segments/${encodeURIComponent(ID)}${more}`;
const AGAIN_MS = 1500;
const MEMBERS = 25;

// Without what the API says of fields that nothing was given for.
const plain = (value) => (Array.isArray(value) ? value.map(plain) : value && typeof value === "object"
  ? Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0)).map(([key, one]) => [key, plain(one)])) : value);
const draftOf = (view) => ({ segment_id: view.segment_id, name: view.name, definition: plain(view.definition) });

// All at the top, or one of them: which is a single condition for the API.
function topOf({ conditions }) {
  const [only] = conditions;
  return conditions.length === 1 && only.kind === "any" ? { match: "any", rows: only.conditions } : { match: "all", rows: conditions };
}
const definitionOf = (match, rows) => ({ conditions: match === "any" ? [{ kind: "any", conditions: rows }] : rows });

function Segment() {
  const [{ tab = "definition" }, change] = useAddress();
  const { data, problem, reload } = useAsk((signal) => (ID ? get("customers", `${path()}?language=${language}`, { signal }) : Promise.resolve(null)), []);
  const [draft, setDraft] = useState(ID ? null : { name: "", segment_id: "", definition: { conditions: [FIRST] } });
  const [asking, setAsking] = useState(false);
  const [refused, setRefused] = useState(null);
  useEffect(() => { if (data && !draft) setDraft(draftOf(data)); }, [data]);
  useEffect(() => {
    if (!data?.progress) return undefined;
    const timer = setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [data]);
  const title = data ? nameOf(data) : ID ?? t("New segment");
  useEffect(() => nameWindow(title), [title]);
  const readOnly = !may("customers:write") || Boolean(data?.archived);
  const dirty = Boolean(draft) && (!data || JSON.stringify(draft) !== JSON.stringify(draftOf(data)));
  const save = async () => {
    setRefused(null);
    const { segment_id: id, ...body } = draft;
    try {
      if (ID) await call("customers", "PUT", path(), body);
      else await call("customers", "POST", "/v1/segments", { segment_id: id || proposed(draft.name), ...body });
    } catch (error) {
      setRefused(error);
      return;
    }
    say(t("Saved: customers are looked at now"));
    if (ID) reload();
    else location.assign(at("customers", `/segment?segment_id=${encodeURIComponent(id || proposed(draft.name))}`));
  };
  const turn = async () => {
    await call("customers", "POST", path(data.archived ? "/restore" : "/archive"));
    reload();
  };
  const tabs = [["definition", t("Who is in it")], ["members", t("Members")], ["days", t("Coming and going")], ["history", t("History")]];
  return html`<${TitleBar} title=${title} above=${[at("customers", "/segments"), t("Segments")]} badge=${data?.archived ? html`<${Badge} kind="warn">${t("archived")}<//>` : data?.builtin && html`<${Badge} kind="plain">${t("built in")}<//>`}>
      ${ID && data && !data.builtin && may("customers:write") && html`<button type="button" onClick=${() => setAsking(true)}>${data.archived ? t("Restore") : t("Archive")}</button>`}
      ${!readOnly && html`<${Action} kind="primary" disabled=${!dirty || !draft?.name} onAct=${save}>${t("Save")}<//>`}<//>
    ${problem && html`<${Failure} problem=${problem} retry=${reload} />`}
    ${data && html`<section class="panel" aria-label=${t("Now")}><div class="body"><p class="said">${data.sentence}</p>
      <p class="figure-large"><b id="members">${count(data.members)}</b><span class="muted">${t("members")}</span></p><${Progress} segment=${data} /></div></section>`}
    ${ID && html`<${Tabs} tabs=${tabs} value=${tab} onChange=${(next) => change({ tab: next === "definition" ? undefined : next })} label=${title} />`}
    ${tab === "members" && ID ? html`<${Members} />` : tab === "days" && ID ? html`<${Days} />` : tab === "history" && ID ? html`<${History} />`
      : draft ? html`<${Editor} draft=${draft} setDraft=${setDraft} readOnly=${readOnly} refused=${refused} builtin=${data?.builtin} />` : !problem && html`<${Loading} />`}
    ${asking && html`<${Confirm} title=${data.archived ? t("Restore {name}?", { name: title }) : t("Archive {name}?", { name: title })}
      text=${data.archived ? t("All customers are looked at, and who belongs enters.") : t("All its members leave, and campaigns for it find nobody.")} action=${data.archived ? t("Restore") : t("Archive")} onAct=${turn} onClose=${() => setAsking(false)} />`}`;
}

const proposed = (text) => text.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 48) || "segment";

function Editor({ draft, setDraft, readOnly, refused, builtin }) {
  const { match, rows } = topOf(draft.definition);
  const [chosen, setChosen] = useState(match);
  const { data: groups } = useAsk((signal) => get("customers", "/v1/cross-sell/groups?limit=200", { signal }).catch(() => ({ items: [] })), []);
  const known = { groups: groups?.items.map((one) => one.group) ?? [] };
  const set = (next, how = chosen) => setDraft({ ...draft, definition: definitionOf(rows.length > 1 || next.length > 1 ? how : "all", next) });
  const choose = (how) => { setChosen(how); setDraft({ ...draft, definition: definitionOf(how, rows) }); };
  const errors = errorsOf(refused, ["name", "segment_id"]);
  return html`<div class="two-columns segment">
    <div class="stack">
      <section class="panel" aria-labelledby="basics"><header><h2 id="basics">${t("Segment")}</h2></header><div class="body"><div class="columns">
        <${Input} label=${t("Name")} required maxlength="200" value=${draft.name} onInput=${(name) => setDraft({ ...draft, name })} error=${errors.name} disabled=${readOnly || builtin} />
        ${!ID && html`<${Input} label=${t("Id")} maxlength="64" spellcheck=${false} class="mono" value=${draft.segment_id} placeholder=${proposed(draft.name)} hint=${t("letters, digits and . _ : -; it stays as it is")} onInput=${(id) => setDraft({ ...draft, segment_id: id })} error=${errors.segment_id} />`}
      </div>
      ${!ID && html`<${Beginnings} onChoose=${(template) => setDraft({ ...draft, name: draft.name || template.said, definition: plain(template.definition) })} groups=${known.groups} />`}</div></section>
      <section class="panel" aria-labelledby="conditions-title"><header><h2 id="conditions-title">${t("Conditions")}</h2></header><div class="body">
        <${Select} label=${t("A customer is in it if")} options=${[["all", t("all of them are so")], ["any", t("one of them is so")]]} value=${chosen} onInput=${choose} disabled=${readOnly} className="short" />
        <${Rows} value=${rows} onChange=${(next) => set(next)} known=${known} disabled=${readOnly} />
        ${errors.others.map((text) => html`<${Notice} kind="bad" key=${text}>${text}<//>`)}</div></section>
    </div>
    <aside class="stack aside-column"><${Preview} definition=${draft.definition} /></aside></div>`;
}

function Preview({ definition }) {
  const settled = useSettled(JSON.stringify(definition), 400);
  const { data, problem, loading } = useAsk(async (signal) => {
    try {
      return { of: await call("customers", "POST", `/v1/segments/preview?language=${language}`, { definition: JSON.parse(settled) }, { signal }) };
    } catch (error) {
      if (!error.errors?.length) throw error;
      return { errors: error.errors };
    }
  }, [settled]);
  const found = data?.of;
  return html`<section class="panel sentence" aria-labelledby="preview-title" aria-busy=${loading}><header><h2 id="preview-title">${t("In plain words")}</h2></header><div class="body" aria-live="polite">
    ${found ? html`<p class="said" id="sentence">${found.sentence}</p>
        <p class="figure-large"><b id="matching">${found.exact ? count(found.matching) : `≈ ${count(found.matching)}`}</b><span class="muted">${t("of {n} customers", { n: count(found.customers) })}</span></p>
        <p class="muted small">${found.exact ? t("All customers were looked at.") : t("{n} customers chosen at random were looked at: between {low} and {high}, 95% sure.", { n: count(found.looked_at), low: count(found.low), high: count(found.high) })}</p>
        ${found.examples.length > 0 && html`<p class="small">${t("For example:")} ${found.examples.map((id) => html`<a key=${id} class="mono example" href=${customer(id)}>${id}</a> `)}</p>`}`
      : problem ? html`<p class="muted">${problem.message}</p>`
      : data?.errors ? html`<p class="muted">${t("Still to be filled in:")}</p><ul class="plain-list">${data.errors.slice(0, 6).map(({ field, message }) => html`<li key=${field + message}><code>${field.replace("definition.conditions.", "")}</code> ${message}</li>`)}</ul>`
      : html`<p class="muted">${t("Loading")}</p>`}
  </div></section>`;
}

const customer = (id) => at("customers", `/customer?customer_id=${encodeURIComponent(id)}`);

const SAID = () => ({
  buyers: t("Buyers of a kind of product"), frequent: t("Frequent users of promo codes"), rare: t("Rare or first-time users of promo codes"), lapsing: t("Used to come, has not come lately"),
  new: t("New customers"), expected: t("Expected to buy within a week"), unused: t("Have a personal code that they did not use"),
});
function Beginnings({ onChoose, groups }) {
  const { data } = useAsk((signal) => get("customers", "/v1/segments/templates", { signal }), []);
  const begin = (template) => {
    const said = SAID()[template.template_id] ?? template.name;
    const definition = JSON.parse(JSON.stringify(template.definition));
    if (template.needs_group) definition.conditions[0].groups = groups.slice(0, 1);
    onChoose({ said, definition });
  };
  return html`<div class="field"><span class="label" id="begin">${t("Begin with")}</span><div class="row" role="group" aria-labelledby="begin">
    ${(data?.items ?? []).map((one) => html`<button type="button" class="small" key=${one.template_id} onClick=${() => begin(one)}>${SAID()[one.template_id] ?? one.name}</button>`)}</div></div>`;
}

function Members() {
  const [pages, setPages] = useState([""]);
  const after = pages[pages.length - 1];
  const { data, problem, reload } = useAsk((signal) => get("customers", `${path("/members")}?limit=${MEMBERS}&after=${encodeURIComponent(after)}`, { signal }), [after]);
  const columns = [
    { key: "customer_id", title: t("Customer"), cell: (one) => html`<a class="mono" href=${customer(one.customer_id)}>${one.customer_id}</a>` },
    { key: "since", title: t("Member since"), cell: (one) => time(one.since) },
  ];
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  return html`<section class="panel" aria-label=${t("Members")}>${!data ? html`<${Loading} />` : html`<${List} label=${t("Members")} columns=${columns} rows=${data.items} rowKey=${(one) => one.customer_id} empty=${html`<${Empty} title=${t("Nobody yet")} />`} />
    <nav class="pager" aria-label=${t("Pages")}><span class="muted">${tn(data.items.length, "{n} member on this page", "{n} members on this page")}</span><span class="row">
      <button type="button" class="small" disabled=${pages.length === 1} onClick=${() => setPages(pages.slice(0, -1))}>${t("Previous")}</button>
      <button type="button" class="small" disabled=${!data.next} onClick=${() => setPages([...pages, data.next])}>${t("Next")}</button></span></nav>`}</section>`;
}

function Days() {
  const { data, problem, reload } = useAsk((signal) => get("customers", `${path("/days")}?days=90`, { signal }), []);
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  return html`<section class="panel" aria-labelledby="days-title"><header><h2 id="days-title">${t("Coming and going")}</h2></header><div class="body">${data ? html`<${EnteredAndLeft} days=${data.items} />` : html`<${Loading} />`}</div></section>`;
}

const ACTIONS = () => ({ added: t("added"), changed: t("changed"), archived: t("archived"), restored: t("restored") });
function History() {
  const { data, problem, reload } = useAsk((signal) => get("customers", `${path("/history")}?language=${language}`, { signal }), []);
  const columns = [
    { key: "at", title: t("When"), cell: (one) => html`${time(one.changed_at)}<span class="sub">${one.changed_by.replace(/^(user|key):/, "")}</span>` },
    { key: "action", title: t("What"), cell: (one) => ACTIONS()[one.action] },
    { key: "sentence", title: t("From then on"), cell: (one) => html`<b>${one.name}</b><span class="sub">${one.sentence}</span>` },
  ];
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  return html`<section class="panel" aria-label=${t("History")}>${data ? html`<${List} label=${t("History")} columns=${columns} rows=${data.items} rowKey=${(one) => one.version} empty=${null} />` : html`<${Loading} />`}</section>`;
}

show("/segments", t("Segments"), Segment);
