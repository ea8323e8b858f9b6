// One alert: what it rests on, what became of it, and what may be done.

import { ACTIONS, KINDS, MEASURES, RULES, SEVERITIES, STATUSES, scored } from "./alert_names.js";
import { call, get, may } from "./api.js";
import { count, decimal, time } from "./format.js";
import { t } from "./i18n.js";
import { Action, Badge, Failure, Input, List, Loading, html, say, useAsk, useState } from "./ui.js";

const BLOCKABLE = ["customer", "device", "cashier"];

export function AlertPanel({ alertId, turn, onClose, onChanged }) {
  const path = `/v1/alerts/${encodeURIComponent(alertId)}`;
  const { data, problem, reload } = useAsk((signal) => get("customers", path, { signal }), [alertId, turn]);
  const [note, setNote] = useState("");
  const done = (text) => { say(text); setNote(""); reload(); onChanged(); };
  const close = (verdict, text) => async () => {
    await call("customers", "POST", `${path}/${verdict}`, note ? { note } : {});
    done(text);
  };
  if (problem) return html`<section class="panel" aria-label=${t("Alert")}><div class="body"><${Failure} problem=${problem} retry=${reload} /></div></section>`;
  if (!data) return html`<section class="panel" aria-label=${t("Alert")}><${Loading} rows=${4} /></section>`;
  const { alert, block, history, excess } = data;
  const subject = `/v1/blocks/${alert.subject_kind}/${encodeURIComponent(alert.subject)}`;
  const withhold = async () => {
    await call("customers", "PUT", subject, { alert_id: alert.alert_id, ...(note && { note }) });
    done(t("Promotions are withheld"));
  };
  const lift = async () => { await call("customers", "DELETE", subject); done(t("The block is lifted")); };
  const [title, meaning] = RULES()[alert.rule] ?? [alert.rule, ""];
  const evidence = [
    { key: "measure", title: t("What was counted"), cell: (one) => MEASURES()[one.measure] ?? one.measure },
    { key: "value", title: t("Count"), number: true, cell: (one) => count(one.value) },
    { key: "usual", title: t("Usual"), number: true, cell: (one) => count(one.usual) },
    { key: "receipts", title: t("Receipts"), cell: (one) => html`<span class="mono">${one.receipts.join(", ") || "–"}</span>` },
  ];
  const changes = [
    { key: "at", title: t("When"), cell: (one) => time(one.changed_at) },
    { key: "action", title: t("What"), cell: (one) => ACTIONS()[one.action] },
    { key: "by", title: t("Who"), cell: (one) => one.changed_by ?? t("a rule, or time") },
    { key: "note", title: t("Note"), cell: (one) => one.note ?? "–" },
  ];
  return html`<section class="panel" aria-labelledby="alert-title"><header><h2 id="alert-title">${title}</h2>
      <div class="actions"><button type="button" class="small quiet" onClick=${onClose}>${t("Close")}</button></div></header>
    <div class="body stack">
      <p>${meaning}</p>
      <p class="row"><span>${KINDS()[alert.subject_kind] ?? alert.subject_kind} <b class="mono">${alert.subject}</b></span>
        <${Badge} kind=${STATUSES()[alert.status][0]}>${STATUSES()[alert.status][1]}<//>
        <${Badge} kind=${SEVERITIES()[alert.severity][0]}>${SEVERITIES()[alert.severity][1]}<//>
        ${block && html`<${Badge} kind="bad">${block.until ? t("blocked until {until}", { until: time(block.until) }) : t("blocked")}<//>`}</p>
      <p class="muted">${t("{share} times the threshold at worst; met {times} times from {first} to {last}; score {score}", { share: decimal(excess / 100, 1), times: count(alert.times), first: time(alert.first_seen_at), last: time(alert.last_seen_at), score: scored(alert) })}</p>
    </div>
    <${List} label=${t("Evidence")} columns=${evidence} rows=${alert.evidence} rowKey=${(one) => one.measure + one.value} empty="" />
    ${may("customers:write") && html`<div class="body stack">
      <${Input} label=${t("Note")} value=${note} onInput=${setNote} hint=${t("why, for whoever looks later")} maxlength="500" />
      <div class="actions">
        ${alert.status === "open" && html`<${Action} kind="danger" onAct=${close("confirm", t("Confirmed: the score learns from it"))}>${t("Confirm: it is abuse")}<//>
          <${Action} onAct=${close("dismiss", t("Dismissed: the score learns from it"))}>${t("Dismiss: it is none")}<//>`}
        ${BLOCKABLE.includes(alert.subject_kind) && (block ? html`<${Action} onAct=${lift}>${t("Lift the block")}<//>` : html`<${Action} onAct=${withhold}>${t("Withhold promotions")}<//>`)}
      </div></div>`}
    <${List} label=${t("What became of it")} columns=${changes} rows=${history} rowKey=${(one) => one.changed_at + one.action} empty="" />
  </section>`;
}
