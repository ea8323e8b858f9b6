// Activations as they come: the newest first; after a lost connection those that came meanwhile follow, none twice.

import { get } from "./api.js";
import { CopyLink, Filters, only, PLACES, useChoices, useQuestion } from "./filters.js";
import { clockTime, count, money, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { fresh, Notices, Status } from "./live.js";
import * as names from "./names.js";
import { show, TitleBar } from "./shell.js";
import { useStream } from "./stream.js";
import { csv } from "./tables.js";
import { Empty, html, useEffect, useRef, useState } from "./ui.js";
import "./words_statistics.js";

const MOST = 200;
const ANNOUNCE_EVERY_MS = 10_000;
const HEAD_EVERY_MS = 5_000;
const DAY_MS = 86_400_000;

// The rows that are shown, and those that wait while one reads: the newest of all first.
function useActivations(path) {
  const [rows, setRows] = useState([]);
  const [waiting, setWaiting] = useState([]);
  const [paused, setPaused] = useState(false);
  const [failed, setFailed] = useState(false);
  const [seen, setSeen] = useState(0);
  const ids = useRef(new Set());
  const pausing = useRef(false);
  pausing.current = paused;
  useEffect(() => {
    ids.current = new Set();
    setRows([]);
    setWaiting([]);
  }, [path]);
  const add = (row) => {
    if (ids.current.has(row.id)) return;
    ids.current.add(row.id);
    const onTop = (before) => [row, ...before].slice(0, MOST);
    (pausing.current && !row.gap ? setWaiting : setRows)(onTop);
    if (!row.gap) setSeen((n) => n + 1);
  };
  const stream = useStream(path, (name, data) => {
    if (name === "failed" || name === "open") setFailed(name === "failed");
    if (name === "activation") add(data);
    if (name === "gap") add({ id: `gap ${performance.now()}`, gap: true });
  });
  const resume = () => {
    setRows((before) => [...waiting, ...before].slice(0, MOST));
    setWaiting([]);
    setPaused(false);
  };
  return { ...stream, failed, rows, waiting, paused, seen, pause: () => setPaused(true), resume };
}

// How fresh the figures are: the stream of activations does not tell.
function useHead(state) {
  const [head, setHead] = useState(null);
  useEffect(() => {
    if (state !== "live") return undefined;
    const ask = () => document.hidden || get("analytics", "/v1/statistics/activations?limit=1", { stay: true }).then((answer) => setHead(fresh(answer)), () => null);
    ask();
    const timer = setInterval(ask, HEAD_EVERY_MS);
    return () => clearInterval(timer);
  }, [state]);
  return head;
}

const when = (at) => (Date.now() - Date.parse(at) < DAY_MS / 2 ? clockTime(at) : time(at));

function Row({ row, set }) {
  if (row.gap) return html`<tr class="gap"><td colspan="7">${t("More came than could be kept while the connection was lost: some are missing here. The figures have them all.")}</td></tr>`;
  const link = (text, changes) => html`<button type="button" class="link plain" onClick=${() => set(changes)}>${text}</button>`;
  return html`<tr data-activation=${row.id}>
    <td><time datetime=${row.at} title=${time(row.at)}>${when(row.at)}</time></td>
    <td>${link(row.campaign, { campaign_id: row.campaign_id })}<span class="sub">${row.instrument}</span></td>
    <td>${link(row.store, { store_id: row.store_id })}<span class="sub">${row.region}</span></td>
    <td>${names.device(row.device)}</td>
    <td>${row.emission_id ? link(row.emission_id, { emission_id: row.emission_id }) : html`<span class="muted">–</span>`}</td>
    <td class="number strong">${row.discount ? money(row.discount, row.currency) : ""}${row.bonuses ? html`<span class="sub">${tn(row.bonuses, "{n} bonus", "{n} bonuses")}</span>` : null}</td>
    <td class="number">${money(row.paid, row.currency)}</td>
  </tr>`;
}

// Readers of screens are told how many came, now and then, not each.
function Announcement({ seen }) {
  const [told, tell] = useState({ seen: 0, text: "" });
  const latest = useRef(seen);
  latest.current = seen;
  useEffect(() => {
    const timer = setInterval(() => tell((before) => (latest.current === before.seen ? before
      : { seen: latest.current, text: tn(latest.current - before.seen, "{n} new activation", "{n} new activations") })), ANNOUNCE_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<p class="visually-hidden" aria-live="polite">${told.text}</p>`;
}

function Feed() {
  const question = useQuestion();
  const { query, set, forget } = question;
  const [choices] = useChoices();
  const wanted = only(query, PLACES);
  const feed = useActivations(`/v1/statistics/activations/stream?${wanted}`);
  const { rows, waiting, paused } = feed;
  const head = useHead(feed.state);
  useEffect(() => {
    if (feed.state === "refused") forget(feed.problem.errors.map((error) => error.field));
  }, [feed.state, feed.problem]);
  const heads = [t("Time"), t("Campaign"), t("Store"), t("Device"), t("Code"), t("Discount"), t("Receipt paid")];
  return html`<${TitleBar} title=${t("Activations")}>
      <${Status} state=${feed.state} freshness=${head} /><${CopyLink} />
    <//>
    <${Filters} question=${question} choices=${choices} without=${["period"]} />
    <section class="panel feed" aria-label=${t("Activations as they come")}>
      <header><h2>${t("Activations as they come")}</h2><p class="muted small">${t("newest first, {n} at most", { n: count(MOST) })}</p>
        <div class="actions">
          <button type="button" class="small pause" aria-pressed=${paused} onClick=${paused ? feed.resume : feed.pause}>
            ${!paused ? t("Pause") : waiting.length ? tn(waiting.length, "Go on: {n} new", "Go on: {n} new") : t("Go on")}</button>
          <a class="button small quiet" href=${csv("activations", wanted, { limit: 1000 })} download aria-label=${t("Download {title} as CSV", { title: t("Activations") })}>CSV</a>
        </div></header>
      <div class="scroll" tabindex="0" role="region" aria-label=${t("Activations as they come")}>
        <table class="list" id="feed" aria-busy=${feed.state === "connecting"}>
          <thead><tr>${heads.map((text, i) => html`<th scope="col" key=${i} class=${i > 4 ? "number" : ""}>${text}</th>`)}</tr></thead>
          <tbody>${rows.map((row) => html`<${Row} key=${row.id} row=${row} set=${set} />`)}</tbody>
        </table>
        ${!rows.length && feed.state === "live" && html`<${Empty} title=${t("No activation yet")}>${t("As soon as a receipt with a benefit is paid, it is here.")}<//>`}
      </div>
    </section>
    <${Announcement} seen=${feed.seen} />
    <${Notices} ...${feed} freshness=${head} />`;
}

show("/feed", t("Activations"), Feed);
