// The next purchase: which model foretells it and how good that is, and who is expected in the next days.

import { call, get, may } from "./api.js";
import { Days, Errors, Reliability, nameOf } from "./forecast_charts.js";
import { pageOfCustomer } from "./customer_names.js";
import { count, day, decimal, percent, time } from "./format.js";
import { locale, t, tn } from "./i18n.js";
import { Action, Badge, Empty, Failure, List, Loading, Notice, Select, html, say, useAsk, useEffect, useState } from "./ui.js";
import "./words_forecast.js";

const AGAIN_MS = 1000;
const OPEN = ["asked", "running"];
const share = (points, most = 0) => percent(points / 10_000, most);
const change = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
const signed = new Intl.NumberFormat(locale, { maximumFractionDigits: 2, signDisplay: "exceptZero" });
const STAGES = () => ({
  waiting: t("waiting to begin"), reading: t("reading profiles"), comparing: t("comparing models"),
  learning: t("learning"), foretelling: t("foretelling of every customer"), done: t("done"),
});

function said({ used, models }) {
  if (!used) return t("Nothing has been learnt yet: it begins as soon as somebody has bought something.");
  const model = nameOf(used.model);
  if (used.basis === "too_few_customers") return t("In use: {model}. With fewer than 200 customers differences between models are chance.", { model });
  if (used.basis === "too_short_a_history") return t("In use: {model}. The history is too short to compare models.", { model });
  const own = models.find((one) => one.used);
  return t("In use: {model}. Tried on the past, it is wrong by {error} trips in {days} days, {change} against the running mean.", {
    model, error: decimal(own.error), days: own.scores[0].days, change: change.format(own.ratio - 1),
  });
}

function Latest({ run }) {
  if (!run || run.status === "done") return null;
  if (run.status === "failed") return html`<div class="body"><${Notice} kind="bad">${t("The training of {time} has failed: what was foretold before stays. It is tried again within the hour.", { time: time(run.asked_at) })}<//></div>`;
  const text = t("Training: {stage}, {share}", { stage: STAGES()[run.stage], share: share(run.progress) });
  return html`<div class="body progress-line" data-training=${run.status}><progress max="10000" value=${run.progress} aria-label=${text}></progress><span class="muted small">${text}</span></div>`;
}

function Models({ models }) {
  const columns = [
    { key: "model", title: t("Model"), cell: (one) => html`<b>${nameOf(one.model)}</b>${one.used && html` <${Badge} kind="good">${t("in use")}<//>`}` },
    { key: "error", number: true, title: t("Mean error, trips"), cell: (one) => decimal(one.error) },
    { key: "ratio", number: true, title: t("To the running mean"), cell: (one) => change.format(one.ratio - 1) },
    { key: "bias", number: true, title: t("Foretold less real"), cell: (one) => signed.format(one.bias) },
    { key: "brier", number: true, title: t("Brier score"), cell: (one) => html`${decimal(one.brier, 4)}<span class="sub">${t("of the mean: {value}", { value: decimal(one.brier_mean, 4) })}</span>` },
    { key: "wait", number: true, title: t("Day wrong by"), cell: (one) => (one.wait_error === null ? "–" : tn(Math.round(one.wait_error), "{n} day", "{n} days")) },
  ];
  return html`<div class="forecast-beside wide"><div class="body"><h3>${t("Errors of the models")}</h3><${Errors} models=${models} /></div>
    <${List} label=${t("Models")} columns=${columns} rows=${models} rowKey=${(one) => one.model} /></div>`;
}

function Probabilities({ bins, days }) {
  const columns = [
    { key: "foretold", number: true, title: t("Foretold"), cell: (one) => share(one.foretold, 1) },
    { key: "came", number: true, title: t("Came"), cell: (one) => share(one.came, 1) },
    { key: "customers", number: true, title: t("Customers"), cell: (one) => count(one.customers) },
  ];
  return html`<div class="forecast-beside"><div class="body"><h3>${t("Probability of a purchase within {days} days", { days })}</h3><${Reliability} bins=${bins} />
      <p class="muted small">${t("On the line as many came as were foretold; large dots are many customers.")}</p></div>
    <${List} label=${t("Foretold and came")} columns=${columns} rows=${bins} rowKey=${(one) => one.foretold} /></div>`;
}

function Soon({ made, horizon }) {
  const [asked, setAsked] = useState({ days: "7", after: "" });
  const query = new URLSearchParams({ days: asked.days, limit: 20, ...(asked.after && { after: asked.after }) });
  const { data, problem, loading, reload } = useAsk((signal) => get("customers", `/v1/forecast/expected?${query}`, { signal }), [String(query), made]);
  const columns = [
    { key: "customer", title: t("Customer"), cell: (one) => html`<a class="nowrap" href=${pageOfCustomer(one.customer_id)}>${one.customer_id}</a>` },
    { key: "on", title: t("Expected on (UTC)"), cell: (one) => day(one.expected_on) },
    { key: "probability", number: true, title: t("Within {days} days", { days: horizon }), cell: (one) => share(one.probability) },
    { key: "purchases", number: true, title: t("Purchases in them"), cell: (one) => decimal(one.expected_purchases / 1000, 1) },
  ];
  return html`<section class="panel" id="expected" aria-labelledby="expected-title">
    <header><h2 id="expected-title">${t("Who is expected")}</h2></header>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />` : html`<div class="forecast-beside wide" aria-busy=${loading}>
      <div class="body"><${Select} label=${t("In the next")} value=${asked.days} onInput=${(days) => setAsked({ days, after: "" })} options=${["7", "14", "30", "91"].map((days) => [days, tn(Number(days), "{n} day", "{n} days")])} />
        <${Days} days=${data.by_day} />
        <details><summary>${t("As a table")}</summary><${List} label=${t("Expected by day")} rows=${data.by_day} rowKey=${(one) => one.day}
          columns=${[{ key: "day", title: t("Day (UTC)"), cell: (one) => day(one.day) }, { key: "customers", number: true, title: t("Customers"), cell: (one) => count(one.customers) }]} /></details></div>
      <div><${List} label=${t("Who is expected")} columns=${columns} rows=${data.items} rowKey=${(one) => one.customer_id} empty=${html`<${Empty} title=${t("Nobody is expected in these days")} />`} />
        <nav class="pager" aria-label=${t("Pages")}><button type="button" class="small" disabled=${!asked.after} onClick=${() => setAsked({ ...asked, after: "" })}>${t("First page")}</button>
          <button type="button" class="small" disabled=${!data.next} onClick=${() => setAsked({ ...asked, after: data.next })}>${t("Next")}</button></nav></div></div>`}
  </section>`;
}

export function Forecast() {
  const { data, problem, reload } = useAsk((signal) => get("customers", "/v1/forecast", { signal }), []);
  const open = OPEN.includes(data?.latest?.status);
  useEffect(() => {
    if (!open) return undefined;
    const timer = setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [open, data]);
  const train = async () => {
    await call("customers", "POST", "/v1/forecast/runs");
    say(t("The training begins"));
    reload();
  };
  return html`<section class="panel" id="next-purchase" aria-labelledby="next-purchase-title">
    <header><h2 id="next-purchase-title">${t("Next purchase")}</h2>
      ${data?.used && html`<p class="muted small">${t("learnt from {n} of {all} customers and {days} days, as of {time}", { n: count(data.used.learnt_from), all: count(data.used.customers), days: count(data.used.history_days), time: time(data.used.finished_at) })}</p>`}
      <div class="actions">${may("customers:write") && data && html`<${Action} kind="small" disabled=${open} onAct=${train}>${t("Train now")}<//>`}</div></header>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />` : html`
      <div class="body"><p id="model-said">${said(data)}</p></div><${Latest} run=${data.latest} />
      ${data.models.length > 0 && html`<${Models} models=${data.models} />`}
      ${data.reliability.length > 0 && html`<${Probabilities} bins=${data.reliability} days=${data.days} />`}`}
  </section>${data?.used && html`<${Soon} made=${data.used.run_id} horizon=${data.days} />`}`;
}
