// Alerts of abuse: what was found, what it rests on, what is said of it; and the rules.

import { RULES, KINDS, SEVERITIES, STATUSES, scored } from "./alert_names.js";
import { AlertPanel } from "./alert_panel.js";
import { RulesPanel } from "./alert_rules.js";
import { get } from "./api.js";
import { count, time } from "./format.js";
import { t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Badge, Empty, Failure, List, Loading, Tabs, html, useAddress, useAsk, useEffect, useState } from "./ui.js";
import "./words_alerts.js";

const EVERY_MS = 3000;
const PAGE = 25;

function Page() {
  const [asked, change] = useAddress();
  const tab = asked.tab ?? "alerts";
  return html`<${TitleBar} title=${t("Alerts")} />
    <${Tabs} label=${t("Alerts")} value=${tab} onChange=${(next) => change({ tab: next === "alerts" ? undefined : next, alert_id: undefined })}
      tabs=${[["alerts", t("Alerts")], ["rules", t("Rules")]]} />
    ${tab === "rules" ? html`<${RulesPanel} />` : html`<${Found} asked=${asked} change=${change} />`}`;
}

function Found({ asked, change }) {
  const query = new URLSearchParams({ limit: PAGE });
  const status = asked.status ?? "open";
  if (status !== "all") query.set("status", status);
  for (const name of ["rule", "severity", "subject_kind", "after"]) if (asked[name]) query.set(name, asked[name]);
  const { data, problem, reload } = useAsk((signal) => get("customers", `/v1/alerts?${query}`, { signal }), [String(query)]);
  const [turn, setTurn] = useState(0);
  // What comes meanwhile is shown without anybody's doing, as long as somebody looks.
  useEffect(() => {
    const timer = setInterval(() => { if (!document.hidden) { reload(); setTurn((now) => now + 1); } }, EVERY_MS);
    return () => clearInterval(timer);
  }, [reload]);
  const choose = (name) => (event) => change({ [name]: event.target.value, after: undefined });
  const filter = (name, label, options) => html`<select key=${name} aria-label=${label} value=${asked[name] ?? ""} onChange=${choose(name)}>
    <option value="" selected=${!asked[name]}>${label}: ${t("all")}</option>${Object.entries(options).map(([key, said]) => html`<option key=${key} value=${key} selected=${asked[name] === key}>${said}</option>`)}</select>`;
  const columns = [
    { key: "rule", title: t("Rule"), cell: (one) => html`<a href="?alert_id=${one.alert_id}" onClick=${(event) => { event.preventDefault(); change({ alert_id: one.alert_id }); }}>${RULES()[one.rule]?.[0] ?? one.rule}</a>${one.blocked && html`<span class="sub">${t("blocked")}</span>`}` },
    { key: "subject", title: t("About"), cell: (one) => html`${KINDS()[one.subject_kind] ?? one.subject_kind}<span class="sub mono">${one.subject}</span>` },
    { key: "severity", title: t("Severity"), cell: (one) => html`<${Badge} kind=${SEVERITIES()[one.severity][0]}>${SEVERITIES()[one.severity][1]}<//>` },
    { key: "score", title: t("Score"), number: true, cell: scored },
    { key: "times", title: t("Times"), number: true, cell: (one) => count(one.times) },
    { key: "seen", title: t("Last seen"), cell: (one) => time(one.last_seen_at) },
    { key: "status", title: t("Status"), cell: (one) => html`<${Badge} kind=${STATUSES()[one.status][0]}>${STATUSES()[one.status][1]}<//>` },
  ];
  const rules = Object.fromEntries(Object.entries(RULES()).map(([name, [title]]) => [name, title]));
  const empty = html`<${Empty} title=${t("No alerts")}>${t("Nothing that the rules call abuse, as far as it is looked for here.")}<//>`;
  return html`<section class="panel" aria-label=${t("Alerts")}>
      <div class="toolbar" role="search">
        <select aria-label=${t("Status")} value=${status} onChange=${choose("status")}>
          ${[...Object.entries(STATUSES()).map(([key, [, said]]) => [key, said]), ["all", t("all")]].map(([key, said]) => html`<option key=${key} value=${key} selected=${status === key}>${t("Status")}: ${said}</option>`)}</select>
        ${filter("rule", t("Rule"), rules)}
        ${filter("severity", t("Severity"), Object.fromEntries(Object.entries(SEVERITIES()).map(([key, [, said]]) => [key, said])))}
        ${filter("subject_kind", t("About"), KINDS())}
      </div>
      ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
        : html`<${List} label=${t("Alerts")} columns=${columns} rows=${data.items} rowKey=${(one) => one.alert_id} empty=${empty} />
          ${(asked.after || data.next) && html`<nav class="pager" aria-label=${t("Pages")}><span></span><span class="row">
            <button type="button" class="small" disabled=${!asked.after} onClick=${() => change({ after: undefined })}>${t("First page")}</button>
            <button type="button" class="small" disabled=${!data.next} onClick=${() => change({ after: data.next })}>${t("Next")}</button></span></nav>`}`}
    </section>
    ${asked.alert_id && html`<${AlertPanel} key=${asked.alert_id} alertId=${asked.alert_id} turn=${turn} onClose=${() => change({ alert_id: undefined })} onChanged=${reload} />`}`;
}

show("/alerts", t("Alerts"), Page);
