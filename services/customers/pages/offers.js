// All policies of offers: how they stand, what became of their codes, and what they bring.

import { at, call, get, may } from "./api.js";
import { count, money, percent } from "./format.js";
import { t } from "./i18n.js";
import { STATES } from "./policy_names.js";
import { points, verdict } from "./policy_outcome.js";
import { offersInWords } from "./policy_sentence.js";
import { show, TitleBar } from "./shell.js";
import { Action, Badge, Dialog, Empty, Failure, Input, List, Loading, errorsOf, html, say, useAsk, useState } from "./ui.js";
import "./words_offers.js";

const sum = (view, key) => view.steps.reduce((total, step) => total + step[key], 0);
const pageOf = (id) => at("customers", `/policy?policy_id=${encodeURIComponent(id)}`);

function Budget({ view }) {
  const { budget, currency } = view.policy;
  const cost = sum(view, "given") + sum(view, "likely");
  const rows = [];
  if (budget.codes !== null) rows.push([t("{used} of {all} codes", { used: count(sum(view, "codes")), all: count(budget.codes) }), sum(view, "codes") / budget.codes]);
  if (budget.cost !== null) rows.push([t("{used} of {all}", { used: money(cost, currency), all: money(budget.cost, currency) }), budget.cost ? cost / budget.cost : 1]);
  if (!rows.length) return html`${money(cost, currency)}<span class="sub">${t("no limit")}</span>`;
  return rows.map(([text, used]) => html`<div key=${text}>${text}<progress max="1" value=${Math.min(1, used)} aria-label=${text}></progress></div>`);
}

function Brings({ view }) {
  const { outcome } = view;
  if (!outcome) return html`<span class="muted">${view.policy.control_share ? t("not known yet") : t("no control group")}</span>`;
  if (!outcome.more_buyers) return html`<span class="muted" title=${verdict(outcome)}>${t("not known yet")}</span>`;
  const { value, lower, upper, proven } = outcome.more_buyers;
  return html`<b>${points(value)}</b><span class="sub">${t("{lower} to {upper}", { lower: points(lower), upper: points(upper) })} · ${proven ? t("proven") : t("may be chance")}</span>`;
}

function Page() {
  const { data, problem, reload } = useAsk((signal) => get("customers", "/v1/policies", { signal }), []);
  const [editing, setEditing] = useState(false);
  const turn = (view) => async () => {
    const running = view.status === "running";
    await call("customers", "POST", `/v1/policies/${encodeURIComponent(view.policy.policy_id)}/${running ? "pause" : "start"}`);
    say(running ? t("Paused: what was sent goes on") : t("Started: customers are considered now, and whenever something changes"));
    reload();
  };
  const columns = [
    { key: "name", title: t("Policy"), cell: (one) => html`<a href=${pageOf(one.policy.policy_id)}>${one.policy.name}</a><span class="sub">${one.policy.reason}</span>` },
    { key: "status", title: t("Status"), cell: (one) => html`<${Badge} kind=${STATES()[one.status][0]}>${STATES()[one.status][1]}<//>${one.notes.some((note) => note.stops) && html`<span class="sub error-text">${t("promises what is not given")}</span>`}` },
    { key: "sent", title: t("Sent"), number: true, cell: (one) => html`${count(sum(one, "offered"))}<span class="sub">${t("{n} in the control group", { n: count(sum(one, "held_back")) })}</span>` },
    { key: "used", title: t("Used"), number: true, cell: (one) => html`${count(sum(one, "used"))}<span class="sub">${sum(one, "offered") ? percent(sum(one, "used") / sum(one, "offered")) : "–"}</span>` },
    { key: "budget", title: t("Cost and budget"), cell: (one) => html`<${Budget} view=${one} />` },
    { key: "brings", title: t("More buyers"), number: true, cell: (one) => html`<${Brings} view=${one} />` },
    ...(may("customers:write") ? [{ key: "act", title: "", cell: (one) => html`<${Action} kind="small" onAct=${turn(one)} aria-label="${one.status === "running" ? t("Pause") : t("Start")} ${one.policy.name}">${one.status === "running" ? t("Pause") : t("Start")}<//>` }] : []),
  ];
  const empty = html`<${Empty} title=${t("No policies yet")} action=${may("customers:write") && html`<a class="button primary" href=${at("customers", "/policy")}>${t("New policy")}</a>`}>${t("A policy says who gets a code of their own, when, and how much more if it is not used.")}<//>`;
  return html`<${TitleBar} title=${t("Offers")}>${may("customers:write") && html`<a class="button primary" href=${at("customers", "/policy")}>${t("New policy")}</a>`}<//>
    ${problem && html`<${Failure} problem=${problem} retry=${reload} />`}
    <section class="panel" aria-label=${t("Policies")}>${data ? html`<${List} label=${t("Policies")} columns=${columns} rows=${data.items} rowKey=${(one) => one.policy.policy_id} empty=${empty} />` : !problem && html`<${Loading} rows=${4} />`}</section>
    ${data && html`<section class="panel" aria-labelledby="cap-title"><header><h2 id="cap-title">${t("Of all policies together")}</h2><div class="actions">${may("customers:write") && html`<button type="button" class="small" onClick=${() => setEditing(true)}>${t("Change")}</button>`}</div></header>
      <div class="body"><p id="cap">${t("A customer gets at most {offers}.", { offers: offersInWords(data.cap) })}</p></div></section>`}
    ${editing && html`<${CapDialog} cap=${data.cap} onClose=${() => setEditing(false)} onSaved=${reload} />`}`;
}

function CapDialog({ cap, onClose, onSaved }) {
  const [value, setValue] = useState({ offers: String(cap.offers), days: String(cap.days) });
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, ["offers", "days"]);
  const save = async () => {
    try {
      await call("customers", "PUT", "/v1/offer-cap", { offers: Number(value.offers), days: Number(value.days) });
      say(t("Saved"));
      onSaved();
      onClose();
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${t("Of all policies together")} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <div class="columns">
      <${Input} label=${t("Offers to one customer, at most")} type="number" min="1" max="100" value=${value.offers} onInput=${(offers) => setValue({ ...value, offers })} error=${errors.offers} />
      <${Input} label=${t("within any days")} type="number" min="1" max="366" value=${value.days} onInput=${(days) => setValue({ ...value, days })} error=${errors.days} />
    </div>
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${save}>${t("Save")}<//></div>
  <//>`;
}

show("/offers", t("Offers"), Page);
