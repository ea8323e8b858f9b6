// The rules with their thresholds, and what the score has learnt from.

import { RULES, testInWords } from "./alert_names.js";
import { call, get, may } from "./api.js";
import { count, percent, time } from "./format.js";
import { t } from "./i18n.js";
import { Action, Badge, Check, Dialog, Failure, Input, Loading, Notice, errorsOf, html, say, useAsk, useState } from "./ui.js";

const MINUTE_S = 60;

export function RulesPanel() {
  const { data, problem, reload } = useAsk((signal) => get("customers", "/v1/alert-rules", { signal }), []);
  const [editing, setEditing] = useState(null);
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  if (!data) return html`<section class="panel" aria-label=${t("Rules")}><${Loading} /></section>`;
  const { learnt } = data;
  return html`<${Notice}>${learnt.state === "learnt"
      ? t("The score has learnt from {confirmed} confirmed and {dismissed} dismissed alerts.", { confirmed: count(learnt.confirmed), dismissed: count(learnt.dismissed) })
      : t("There is no score yet: it learns once {needed} alerts are confirmed; {confirmed} are.", { needed: count(learnt.needed), confirmed: count(learnt.confirmed) })}<//>
    ${data.items.map((rule) => html`<section class="panel" key=${rule.rule} aria-labelledby="rule-${rule.rule}">
      <header><h2 id="rule-${rule.rule}">${RULES()[rule.rule]?.[0] ?? rule.rule}</h2>
        <div class="actions"><${Badge} kind=${rule.enabled ? "good" : ""}>${rule.enabled ? t("on") : t("off")}<//>
          ${may("customers:write") && html`<button type="button" class="small" aria-label="${t("Change")} ${RULES()[rule.rule]?.[0] ?? rule.rule}" onClick=${() => setEditing(rule)}>${t("Change")}</button>`}</div></header>
      <div class="body stack"><p>${RULES()[rule.rule]?.[1]}</p>
        <ul>${rule.tests.map((test, n) => html`<li key=${n}>${testInWords(test)}: <b>${t("from {n} on", { n: count(test.at_least) })}</b></li>`)}</ul>
        <p class="muted">${rule.score === null ? t("The score raises no alert by itself.") : t("Half-way is enough from a score of {score} on.", { score: percent(rule.score / 10000, 0) })}
          ${" "}${rule.blocks_s === null ? t("Nobody is blocked by the rule itself.") : t("Whoever meets it is blocked for {n} minutes.", { n: count(Math.round(rule.blocks_s / MINUTE_S)) })}
          ${rule.changed_at && html` ${t("Changed by {who}, {at}.", { who: rule.changed_by, at: time(rule.changed_at) })}`}</p>
      </div></section>`)}
    ${editing && html`<${RuleDialog} rule=${editing} onClose=${() => setEditing(null)} onSaved=${() => { setEditing(null); reload(); }} />`}`;
}

function RuleDialog({ rule, onClose, onSaved }) {
  const [enabled, setEnabled] = useState(rule.enabled);
  const [least, setLeast] = useState(rule.tests.map((test) => String(test.at_least)));
  const [score, setScore] = useState(rule.score === null ? "" : String(rule.score / 100));
  const [minutes, setMinutes] = useState(rule.blocks_s === null ? "" : String(rule.blocks_s / MINUTE_S));
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, ["score", "blocks_s"]);
  const save = async () => {
    try {
      await call("customers", "PUT", `/v1/alert-rules/${rule.rule}`, {
        version: rule.version, enabled, tests: rule.tests.map((test, n) => ({ ...test, at_least: Number(least[n]) })),
        score: score === "" ? null : Math.round(Number(score) * 100), blocks_s: minutes === "" ? null : Math.round(Number(minutes) * MINUTE_S),
      });
      say(t("Saved"));
      onSaved();
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} wide title=${RULES()[rule.rule]?.[0] ?? rule.rule} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Check} label=${t("Alerts are raised")} value=${enabled} onInput=${setEnabled} />
    ${rule.tests.map((test, n) => html`<${Input} key=${n} label=${testInWords(test)} type="number" min="1" value=${least[n]} hint=${t("from how many on")} onInput=${(value) => setLeast(least.map((one, at) => (at === n ? value : one)))} />`)}
    <${Input} label=${t("Half-way is enough from this score on, %")} type="number" min="0" max="100" value=${score} onInput=${setScore} error=${errors.score} hint=${t("none: never")} />
    <${Input} label=${t("Whoever meets it is blocked for so many minutes")} type="number" min="1" value=${minutes} onInput=${setMinutes} error=${errors.blocks_s} hint=${t("none: never")} />
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${save}>${t("Save")}<//></div>
  <//>`;
}
