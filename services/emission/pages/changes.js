// Every change in the console: who, what, when.

import { get } from "./api.js";
import { time } from "./format.js";
import { t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { acted, who } from "./history.js";
import { pageOf } from "./parts.js";
import { Badge, Empty, Failure, Loading, html, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import "./words_authoring.js";
import "./words_shop.js";

const PAGE = 50;
const KINDS = () => [["campaign", t("campaign")], ["instrument", t("instrument")], ["emission", t("promo codes")], ["product", t("products")], ["store", t("stores")], ["group", t("customer group")], ["customer", t("customers")], ["user", t("user")], ["key", t("API key")], ["session", t("session")]];
const PLACES = { campaign: "campaigns", instrument: "instruments", emission: "emissions" };
const FILTERS = ["kind", "by", "id", "from", "to"];

function Changes() {
  const [asked, change] = useAddress();
  const [pages, setPages] = useState([]);
  const query = new URLSearchParams({ limit: PAGE });
  for (const name of FILTERS) if (asked[name]) query.set(name, instant(name, asked[name]));
  const { data, problem, reload } = useAsk((signal) => get("emission", `/v1/changes?${query}`, { signal }), [String(query)]);
  useEffect(() => setPages([]), [data]);
  const more = async () => {
    const next = pages.length ? pages[pages.length - 1].next : data.next;
    setPages([...pages, await get("emission", `/v1/changes?${query}&before=${next}`)]);
  };
  const items = data ? [data, ...pages].flatMap((page) => page.items) : [];
  const next = (pages.length ? pages[pages.length - 1] : data)?.next;
  return html`<${TitleBar} title=${t("Audit log")} />
    <section class="panel" aria-label=${t("Audit log")}>
      <div class="toolbar" role="search">
        <select aria-label=${t("What")} value=${asked.kind ?? ""} onChange=${(event) => change({ kind: event.target.value })}><option value="">${t("What")}: ${t("all")}</option>${KINDS().map(([key, text]) => html`<option key=${key} value=${key} selected=${asked.kind === key}>${text}</option>`)}</select>
        <${Filter} name="by" label=${t("Who")} placeholder="user:anna" asked=${asked} onChange=${change} />
        <${Filter} name="id" label=${t("Id")} placeholder=${t("Id")} asked=${asked} onChange=${change} />
        <label class="row">${t("from")} <input type="date" value=${asked.from ?? ""} onInput=${(event) => change({ from: event.target.value })} /></label>
        <label class="row">${t("to")} <input type="date" value=${asked.to ?? ""} onInput=${(event) => change({ to: event.target.value })} /></label>
      </div>
      ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} rows=${8} />`
        : !items.length ? html`<${Empty} title=${t("Nothing found")}>${t("Nothing matches what you look for.")}<//>`
        : html`<ol class="history">${items.map((one) => html`<li key=${one.change_id}>
            <div class="row"><${Badge} kind="plain">${acted(one.action)}<//> <span>${kind(one.kind)} ${PLACES[one.kind] ? html`<a href=${pageOf(PLACES[one.kind], one.id)}>${one.id}</a>` : html`<span class="mono">${one.id}</span>`}</span>
              <span class="strong">${who(one.by)}</span><time class="muted" datetime=${one.at}>${time(one.at)}</time></div>
            <${Detail} detail=${one.detail} /></li>`)}</ol>
          ${next && html`<div class="pager"><span></span><button type="button" class="small" onClick=${more}>${t("Show more")}</button></div>`}`}
    </section>`;
}

const kind = (name) => KINDS().find(([key]) => key === name)?.[1] ?? name;
// Days are the reader's; `to` includes its day.
const instant = (name, value) => (name === "from" ? new Date(`${value}T00:00`).toISOString() : name === "to" ? new Date(new Date(`${value}T00:00`).getTime() + 86_400_000).toISOString() : value);

function Filter({ name, label, placeholder, asked, onChange }) {
  const [text, setText] = useState(asked[name] ?? "");
  const settled = useSettled(text, 400);
  useEffect(() => { if (settled !== (asked[name] ?? "")) onChange({ [name]: settled }, { replace: true }); }, [settled]);
  return html`<input type="text" aria-label=${label} placeholder=${placeholder} value=${text} onInput=${(event) => setText(event.target.value)} />`;
}

const MOST = 30;
function Detail({ detail }) {
  const rows = flat(detail ?? {});
  if (!rows.length) return null;
  return html`<details class="detail"><summary class="small muted">${t("Details")}</summary><dl class="facts small">${rows.slice(0, MOST).map(([path, value]) => html`<dt key=${path}><code>${path}</code></dt><dd>${String(value)}</dd>`)}</dl>${rows.length > MOST && html`<p class="muted small">…</p>`}</details>`;
}

function flat(value, path = "") {
  if (value === null || typeof value !== "object") return path ? [[path, value]] : [];
  return Object.entries(value).flatMap(([key, each]) => flat(each, path ? `${path}.${key}` : key));
}

show("/changes", t("Audit log"), Changes);
