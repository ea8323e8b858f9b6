// All customers: searched by how their id begins, or a segment's; and as a table to take away.

import { at, get } from "./api.js";
import { CLASSES, pageOfCustomer, pageOfSegment } from "./customer_names.js";
import { count, money, percent, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Empty, Failure, List, Loading, html, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import "./words_customers.js";

const PAGE = 25;

function useSegments() {
  const { data } = useAsk((signal) => get("customers", "/v1/segments?limit=500", { signal }), []);
  return data?.items ?? [];
}

function Segments({ ids, names }) {
  const shown = ids.slice(0, 3);
  return html`<span class="row">${shown.map((id) => html`<a class="badge plain short" key=${id} href=${pageOfSegment(id)}>${names.get(id) ?? id}</a>`)}
    ${ids.length > shown.length && html`<span class="muted small">+${ids.length - shown.length}</span>`}</span>`;
}

const columnsOf = (names) => [
  { key: "id", title: t("Customer"), cell: (one) => html`<a class="mono nowrap" href=${pageOfCustomer(one.customer_id)}>${one.customer_id}</a>${one.rfm_class && html`<span class="sub">${CLASSES()[one.rfm_class] ?? one.rfm_class}</span>`}` },
  { key: "purchases", title: t("Purchases"), number: true, cell: (one) => html`${count(one.purchases)}<span class="sub nowrap">${t("{n} in 90 days", { n: count(one.purchases_90_days) })}</span>` },
  { key: "last", title: t("Last purchase"), cell: (one) => html`<span class="nowrap">${one.last_purchase_at ? time(one.last_purchase_at) : "–"}</span>` },
  { key: "paid", title: t("Spent"), number: true, cell: (one) => (one.currency ? money(one.paid, one.currency) : "–") },
  { key: "promo", title: t("With a promotion"), number: true, cell: (one) => (one.purchases ? percent(one.promo_share / 10_000, 0) : "–") },
  { key: "next", title: t("Will buy"), number: true, cell: (one) => (one.probability === null ? "–" : percent(one.probability / 10_000, 0)) },
  { key: "segments", title: t("Segments"), cell: (one) => html`<${Segments} ids=${one.segments} names=${names} />` },
];

function Page() {
  const [asked, change] = useAddress();
  const [text, setText] = useState(asked.search ?? "");
  const settled = useSettled(text);
  useEffect(() => { if (settled !== (asked.search ?? "")) change({ search: settled, after: undefined }, { replace: true }); }, [settled]);
  useEffect(() => setText(asked.search ?? ""), [asked.search]);
  const segments = useSegments();
  const names = new Map(segments.map((one) => [one.segment_id, one.name]));
  const query = new URLSearchParams({ limit: PAGE });
  for (const name of ["search", "segment_id", "after"]) if (asked[name]) query.set(name, asked[name]);
  const { data, problem, loading, reload } = useAsk((signal) => get("customers", `/v1/profiles?${query}`, { signal }), [String(query)]);
  const table = (format) => at("customers", `/v1/profiles/export?format=${format}${asked.segment_id ? `&segment_id=${encodeURIComponent(asked.segment_id)}` : ""}`);
  const narrowed = asked.search || asked.segment_id;
  const empty = narrowed
    ? html`<${Empty} title=${t("Nobody found")} action=${html`<button type="button" onClick=${() => change({ search: undefined, segment_id: undefined, after: undefined })}>${t("Show all")}</button>`}>${t("An id is found by how it begins.")}<//>`
    : html`<${Empty} title=${t("No customers yet")}>${t("Whoever shows a card at a till, or signs in at a web shop, is one.")}<//>`;
  return html`<${TitleBar} title=${t("Customers")}>
      <a class="button" href=${table("csv")} download>${asked.segment_id ? t("Segment as CSV") : t("All as CSV")}</a>
      <a class="button" href=${table("parquet")} download>${asked.segment_id ? t("Segment as Parquet") : t("All as Parquet")}</a>
      <a class="button" href=${at("customers", "/erasures")}>${t("Erasures")}</a><//>
    <section class="panel" aria-label=${t("Customers")}>
      <div class="toolbar" role="search">
        <input type="search" placeholder=${t("Id begins with …")} aria-label=${t("Id begins with …")} maxlength="64" value=${text} onInput=${(event) => setText(event.target.value)} />
        <select aria-label=${t("Segment")} value=${asked.segment_id ?? ""} onChange=${(event) => change({ segment_id: event.target.value, after: undefined })}>
          <option value="" selected=${!asked.segment_id}>${t("Segment")}: ${t("all")}</option>
          ${segments.map((one) => html`<option key=${one.segment_id} value=${one.segment_id} selected=${asked.segment_id === one.segment_id}>${one.name} (${count(one.members)})</option>`)}</select>
      </div>
      ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} rows=${8} />`
        : html`<div aria-busy=${loading}><${List} label=${t("Customers")} columns=${columnsOf(names)} rows=${data.items} rowKey=${(one) => one.customer_id} empty=${empty} /></div>
          ${(data.next || asked.after) && html`<nav class="pager" aria-label=${t("Pages")}><span class="muted">${tn(data.items.length, "{n} customer", "{n} customers")}</span><span class="row">
            <button type="button" class="small" disabled=${!asked.after} onClick=${() => change({ after: undefined })}>${t("First page")}</button>
            <button type="button" class="small" disabled=${!data.next} onClick=${() => change({ after: data.next })}>${t("Next")}</button></span></nav>`}`}
    </section>`;
}

show("/customers", t("Customers"), Page);
