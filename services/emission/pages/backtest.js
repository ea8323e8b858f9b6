// A backtest: what the campaign as it is typed would have done to the receipts of some days.

import { Problem, call, get } from "./api.js";
import { count, day, money, percent, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { Refused, drafted } from "./drafted.js";
import { Panel, useStored } from "./parts.js";
import { conditionOf, gap, limitOf, reason } from "./reasons.js";
import { Bars, Ranking } from "./bars.js";
import { Action, Check, Empty, Input, List, Notice, html, useEffect, useState } from "./ui.js";

const LOOK_EVERY_MS = 600;
// Days are those of the stores: where it is tomorrow already (UTC+14 at most), today's receipts must be among them, too.
const daysAgo = (days) => new Date(Date.now() + 14 * 3_600_000 - days * 86_400_000).toISOString().slice(0, 10);

export function Backtest({ form, plan }) {
  const document = plan(form.value);
  const [asked, keep] = useStored(`backtest ${document.campaign_id ?? "new"}`, { from: daysAgo(30), to: daysAgo(-1), assume: true, move: true, id: null });
  const [state, setState] = useState({ progress: null, problem: null, names: {} });
  const set = (field) => (value) => keep({ ...asked, [field]: value });
  const start = async () => {
    try {
      const { draft, names } = await drafted(document);
      const body = { campaign: draft, from: asked.from, to: asked.to, assume_codes: asked.assume, move: asked.move };
      const progress = await call("evaluator", "POST", "/v1/backtests", body);
      keep({ ...asked, id: progress.backtest_id });
      setState({ progress, problem: null, names });
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setState({ ...state, progress: null, problem });
    }
  };
  // One that was started before is looked at again; after a day, or a restart, it is not known any more.
  useEffect(() => {
    if (!asked.id || state.progress?.status === "done" || state.progress?.status === "failed" || state.problem) return undefined;
    const look = async () => {
      try {
        const progress = await get("evaluator", `/v1/backtests/${asked.id}`);
        const { names } = Object.keys(state.names).length ? state : await drafted(document);
        setState({ progress, problem: null, names });
      } catch (problem) {
        if (problem.status === 404) keep({ ...asked, id: null });
        else setState({ ...state, problem });
      }
    };
    const timer = setTimeout(look, state.progress ? LOOK_EVERY_MS : 0);
    return () => clearTimeout(timer);
  }, [asked.id, state]);
  if (!document.instruments?.length) return html`<section class="panel"><${Empty} title=${t("Nothing to test yet")}>${t("Give the campaign an instrument on the tab Plan.")}<//></section>`;
  const { progress } = state;
  const running = progress?.status === "running";
  return html`<div class="stack">
    <${Panel} id="backtest-title" title=${t("Backtest")} hint=${t("the campaign as it is typed here, on receipts that were recorded")}>
      <div class="columns"><${Input} type="date" label=${t("Receipts from")} value=${asked.from} onInput=${set("from")} /><${Input} type="date" label=${t("until (not included)")} value=${asked.to} onInput=${set("to")} /></div>
      <${Check} label=${t("As if it had begun on the first of these days")} value=${asked.move} onInput=${set("move")} />
      <${Check} label=${t("As if everybody had presented its codes (an upper bound)")} value=${asked.assume} onInput=${set("assume")} />
      <div class="actions"><${Action} kind="primary" disabled=${running} onAct=${start}>${t("Start the backtest")}<//></div>
      ${state.problem && html`<${Refused} problem=${state.problem} />`}
      ${running && html`<div><p role="status">${progress.total ? t("{n} of {all} receipts", { n: count(progress.done), all: count(progress.total) }) : t("Counting receipts …")}</p>
        <progress max="1" value=${progress.fraction} aria-label=${t("Backtest")}></progress></div>`}
      ${progress?.status === "failed" && html`<${Notice} kind="bad">${progress.error}<//>`}
    <//>
    ${progress?.report && html`<${Report} report=${progress.report} names=${state.names} />`}
  </div>`;
}

// "{campaign}/{instrument}/~customer", "{campaign}/{instrument}/{condition}"
function limitNamed(name) {
  const parts = name.split("/");
  const last = parts[parts.length - 1];
  const what = last.startsWith("~") ? limitOf(last.slice(1).split(".").filter(Boolean)) : parts.length > 2 ? t("first ones with a code") : limitOf([]);
  return parts.length > 2 || !last.startsWith("~") ? `${parts[1]}, ${what}` : what;
}

function Report({ report, names }) {
  const { currency } = report;
  if (!report.receipts) return html`<section class="panel"><${Empty} title=${t("No receipts")}>${t("There are no recorded receipts of these days.")}<//></section>`;
  const name = (one) => names[one.instrument_id] ?? one.instrument_id;
  const amount = (minor) => money(minor, currency);
  return html`
    <${Panel} id="report-title" title=${t("What it would have done")}>
      <p class="said">${tn(report.receipts, "{granted} of {n} receipt would have got something ({share}), {paid} of them paid.", "{granted} of {n} receipts would have got something ({share}), {paid} of them paid.", { granted: count(report.granted), share: percent(report.granted / report.receipts), paid: count(report.granted_paid) })}
        ${" "}${t("That would have cost {cost} of discounts, {part} of what all paid receipts came to.", { cost: amount(report.discount), part: percent(report.cost_share / 10_000, 2) })}
        ${report.live_discount !== 0 && ` ${report.live_discount < 0 ? t("Other campaigns would have given {amount} less.", { amount: amount(-report.live_discount) }) : t("Other campaigns would have given {amount} more.", { amount: amount(report.live_discount) })}`}</p>
      <dl class="tiles"><div><dt>${t("Receipts with a benefit")}</dt><dd>${count(report.granted)}</dd></div><div><dt>${t("Known customers")}</dt><dd>${count(report.customers)}</dd></div>
        <div><dt>${t("Discounts")}</dt><dd>${amount(report.discount)}</dd></div><div><dt>${t("Net cost")}</dt><dd>${amount(report.net_cost)}</dd></div>
        ${report.bonuses > 0 && html`<div><dt>${t("Bonus points")}</dt><dd>${count(report.bonuses)}</dd></div>`}
        <div><dt>${t("Share of these receipts")}</dt><dd>${percent(report.granted_cost_share / 10_000, 2)}</dd></div></dl>
    <//>
    <${Panel} id="by-day" title=${t("Receipts with a benefit, by day")}>
      <${Bars} label=${t("Receipts with a benefit, by day")} rows=${report.by_day.map((cell) => ({ key: cell.key, name: day(cell.key), value: cell.granted }))} said=${count} heading=${t("Day")} unit=${t("receipts")} />
    <//>
    ${report.caps.length > 0 && html`<${Panel} id="caps" title=${t("Limits")}><ul class="plain-list">${report.caps.map((cap) => html`<li key=${cap.name}><span class="strong">${limitNamed(cap.name)}</span>: ${cap.full
      ? t("used up first at {time}; {n} receipts found no room", { time: time(cap.full_at), n: count(cap.refused) })
      : t("{used} of {cap} used", { used: cap.money ? amount(cap.used) : count(cap.used), cap: cap.money ? amount(cap.cap) : count(cap.cap) })}</li>`)}</ul><//>`}
    <section class="panel" aria-label=${t("Instruments")}><header><h2>${t("Instruments")}</h2></header><${List} label=${t("Instruments")} rows=${report.instruments} rowKey=${(one) => one.instrument_id} empty=${null} columns=${[
      { key: "name", title: t("Instrument"), cell: name }, { key: "receipts", number: true, title: t("Receipts"), cell: (one) => count(one.receipts) }, { key: "paid", number: true, title: t("Paid"), cell: (one) => count(one.paid) },
      { key: "discount", number: true, title: t("Discounts"), cell: (one) => amount(one.discount) }, { key: "bonuses", number: true, title: t("Bonus points"), cell: (one) => count(one.bonuses) }]} /></section>
    ${report.by_store.length > 0 && html`<section class="panel" aria-label=${t("Discounts by store")}><header><h2>${t("Discounts by store")}</h2></header><${Ranking} label=${t("Discounts")} heading=${t("Store")} said=${amount}
      rows=${[...report.by_store].sort((one, other) => other.discount - one.discount).slice(0, 12).map((cell) => ({ key: cell.key, name: cell.key, value: cell.discount }))} /></section>`}
    <${Panel} id="refusals" title=${t("Why others got nothing")}>
      ${report.refusals.length ? html`<ul class="plain-list">${report.refusals.map((one) => html`<li key=${one.instrument_id + one.reason + one.condition}>${name(one)}: ${reason(one.reason)}${one.condition && ` – ${conditionOf(one.condition)}`} <span class="muted">(${tn(one.receipts, "{n} receipt", "{n} receipts")})</span></li>`)}</ul>` : html`<p class="muted">${t("Nothing was refused.")}</p>`}
      ${report.near_misses.map((one) => html`<p key=${one.instrument_id + one.condition + one.unit}>${t("{receipts} lacked only {median} (median) for {name}.", { receipts: tn(one.receipts, "{n} receipt", "{n} receipts"), median: gap(one.median, one.unit, currency), name: name(one) })}</p>`)}
      ${report.displaced.length > 0 && html`<h3>${t("Running instruments that are affected")}</h3><ul class="plain-list">${report.displaced.map((one) => html`<li key=${one.campaign_id + one.instrument_id}><span class="mono">${one.campaign_id}/${one.instrument_id}</span>: ${t("{lost} receipts less, {gained} more, {discount} of discount", { lost: count(one.lost), gained: count(one.gained), discount: amount(one.discount) })}</li>`)}</ul>`}
      ${report.left_out.length > 0 && html`<details><summary>${t("Not in these figures")}</summary><ul class="plain-list small muted">${report.left_out.map((text) => html`<li key=${text}>${text}</li>`)}</ul></details>`}
    <//>`;
}
