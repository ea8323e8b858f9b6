// Who was erased, as far as that may be told: when, by whom, and what went where.

import { at, get } from "./api.js";
import { count, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Badge, Empty, Failure, Loading, html, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import "./words_customers.js";

const AGAIN_MS = 2000;
const PAGE = 25;
const who = (by) => by.replace(/^(user|key):/, "");
const SERVICES = () => ({ customers: t("customers"), emission: t("emission"), evaluator: t("evaluator"), analytics: t("statistics") });

function Report({ report }) {
  const touched = report.tables.filter((one) => one.deleted || one.anonymised);
  return html`<div class="report"><h3>${SERVICES()[report.service]} <span class="muted small">${time(report.erased_at)}</span></h3>
    ${touched.length ? html`<div class="table-box" tabindex="0" role="region" aria-label="${SERVICES()[report.service]}: ${t("Tables")}"><table class="list">
      <thead><tr><th scope="col">${t("Table")}</th><th scope="col" class="number">${t("Deleted")}</th><th scope="col" class="number">${t("Kept without the id")}</th></tr></thead>
      <tbody>${touched.map((one) => html`<tr key=${one.table}><td class="mono">${one.table}</td><td class="number">${count(one.deleted)}</td><td class="number">${count(one.anonymised)}</td></tr>`)}</tbody></table></div>`
      : html`<p class="muted small">${t("There was nothing in its tables.")}</p>`}
    ${report.tombstones.length > 0 && html`<p class="small">${t("Deleted from compacted topics")}: <span class="mono">${report.tombstones.join(", ")}</span></p>`}
    ${report.ages_out.length > 0 && html`<p class="small muted">${t("Ages out of")}: <span class="mono">${report.ages_out.join(", ")}</span></p>`}
  </div>`;
}

function Erasure({ one, open }) {
  return html`<details class="panel erasure" open=${open} data-erasure=${one.erasure_id}><summary>
      <span class="strong">${time(one.requested_at)}</span><span class="muted">${who(one.requested_by)}</span>
      ${one.complete ? html`<${Badge} kind="good">${t("complete")}<//>` : html`<${Badge} kind="warn">${t("waits for {services}", { services: one.pending.map((name) => SERVICES()[name]).join(", ") })}<//>`}
    </summary><div class="body">${one.reports.map((report) => html`<${Report} key=${report.service} report=${report} />`)}
      <p class="muted small mono">${one.erasure_id}</p></div></details>`;
}

function Page() {
  const [asked, change] = useAddress();
  const [text, setText] = useState("");
  const settled = useSettled(text, 400);
  const query = new URLSearchParams({ limit: PAGE, ...(settled && { customer_id: settled }), ...(asked.after && { after: asked.after }) });
  const { data, problem, reload } = useAsk((signal) => get("customers", `/v1/erasures?${query}`, { signal }), [String(query)]);
  const chosen = useAsk((signal) => (asked.erasure_id ? get("customers", `/v1/erasures/${encodeURIComponent(asked.erasure_id)}`, { signal }) : Promise.resolve(null)), [asked.erasure_id]);
  const waiting = [...(data?.items ?? []), ...(chosen.data ? [chosen.data] : [])].some((one) => !one.complete);
  useEffect(() => {
    if (!waiting) return undefined;
    const timer = setInterval(() => { if (!document.hidden) { reload(); chosen.reload(); } }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [waiting]);
  const others = (data?.items ?? []).filter((one) => one.erasure_id !== asked.erasure_id);
  return html`<${TitleBar} title=${t("Erasures")} above=${[at("customers", "/customers"), t("Customers")]} />
    <div class="row" role="search"><input type="search" class="mono" aria-label=${t("Was this id erased?")} placeholder=${t("Was this id erased?")} value=${text} onInput=${(event) => { setText(event.target.value); change({ erasure_id: undefined, after: undefined }, { replace: true }); }} /></div>
    <p class="muted small">${t("The id itself is kept nowhere: it is known again by a hash.")}</p>
    ${problem && problem.status !== 422 && html`<${Failure} problem=${problem} retry=${reload} />`}
    ${chosen.problem && html`<${Failure} problem=${chosen.problem} retry=${chosen.reload} />`}
    ${chosen.data && html`<${Erasure} one=${chosen.data} open=${true} />`}
    ${!data ? !problem && html`<section class="panel"><${Loading} rows=${4} /></section>` : others.map((one) => html`<${Erasure} key=${one.erasure_id} one=${one} open=${false} />`)}
    ${data && !others.length && !chosen.data && html`<section class="panel"><${Empty} title=${settled ? t("Not erased") : t("Nobody was erased yet")}>${settled ? t("Nobody with this id was.") : t("A customer is erased on their page.")}<//></section>`}
    ${data && (data.next || asked.after) && html`<nav class="pager" aria-label=${t("Pages")}><span class="muted">${tn(others.length, "{n} erasure", "{n} erasures")}</span><span class="row">
      <button type="button" class="small" disabled=${!asked.after} onClick=${() => change({ after: undefined })}>${t("First page")}</button>
      <button type="button" class="small" disabled=${!data.next} onClick=${() => change({ after: data.next, erasure_id: undefined })}>${t("Next")}</button></span></nav>`}`;
}

show("/customers", t("Erasures"), Page);
