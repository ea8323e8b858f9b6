// How fresh what one sees is, said honestly: how long ago it was true, what lags, and that the connection is lost.

import { signIn } from "./api.js";
import { ago, list } from "./format.js";
import { t, tn } from "./i18n.js";
import { source } from "./names.js";
import { useStream } from "./stream.js";
import { html, useEffect, useState } from "./ui.js";
import "./words_statistics.js";

const TICK_MS = 250;
const LATE_S = 5;
const LOST_MS = 3_000;

// The head of the latest answer, with the moment at which it came.
const now = () => performance.now();
export const fresh = (head) => ({ as_of: head.as_of, counted_until: head.counted_until, sources: head.sources ?? [], came: now() });

// Seconds since everything that had happened was counted; null: nothing has been counted yet.
export function age({ as_of, counted_until, came }) {
  if (!counted_until) return null;
  return Math.max(0, (Date.parse(as_of) - Date.parse(counted_until)) / 1000) + (now() - came) / 1000;
}

// The snapshots of a question: { snapshot, freshness, failed, state, problem, again }.
export function useSnapshots(path) {
  const [shown, setShown] = useState({ path: null, snapshot: null });
  const [freshness, setFreshness] = useState(null);
  const [failed, setFailed] = useState(false);
  const stream = useStream(path, (name, data) => {
    if (name === "failed" || name === "open") setFailed(name === "failed");
    if (name === "snapshot") setShown({ path, snapshot: data });
    if (name === "snapshot" || name === "freshness") setFreshness(fresh(data));
  });
  return { ...stream, ...shown, freshness, failed, current: shown.path === path };
}

const STATES = () => ({
  connecting: t("Connecting"), read: t("Up to date"), live: t("Live"), reconnecting: t("Reconnecting"), paused: t("Paused"),
  "signed-out": t("Signed out"), refused: t("Stopped"),
});

// "Live · as of 0.4 s ago".
export function Status({ state, freshness }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || tick((n) => n + 1), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const seconds = freshness && age(freshness);
  return html`<p class="live">
    <span class="status" id="status" role="status" data-state=${state}><span class="dot" aria-hidden="true"></span> ${STATES()[state]}</span>
    <span class="freshness muted" id="freshness">${!freshness ? "" : seconds === null ? t("nothing counted yet") : t("as of {ago}", { ago: ago(seconds) })}</span>
  </p>`;
}

function lagging({ as_of, sources }) {
  const late = ({ read_until }) => (read_until ? (Date.parse(as_of) - Date.parse(read_until)) / 1000 : null);
  const old = sources.filter((one) => late(one) === null || late(one) >= LATE_S);
  const unknown = old.filter((one) => one.records_behind === null).map(({ topic }) => source(topic));
  const delayed = old.filter((one) => one.records_behind && late(one) !== null).map((one) =>
    t("The {source} are counted with a delay: until {ago}, {records} to come.", {
      source: source(one.topic), ago: ago(late(one)), records: tn(one.records_behind, "{n} record", "{n} records"),
    }));
  return [
    ...(unknown.length ? [t("It is not known how far the {source} are counted: Kafka does not answer.", { source: list(unknown) })] : []),
    ...delayed,
  ];
}

// Whether it has been so for a while: a service that starts anew is no news.
function useLasting(isSo, ms) {
  const [lasts, setLasts] = useState(false);
  useEffect(() => {
    if (!isSo) return setLasts(false);
    const timer = setTimeout(() => setLasts(true), ms);
    return () => clearTimeout(timer);
  }, [isSo]);
  return isSo && lasts;
}

// What is wrong, over the page's lower edge: nothing moves when it comes and goes.
export function Notices({ state, failed, freshness, problem, again }) {
  const lost = useLasting(state === "reconnecting", LOST_MS);
  const told = [];
  if (state === "signed-out") {
    told.push(["bad", html`${t("Your session has ended. What you see is no longer updated.")} <button type="button" class="small" onClick=${signIn}>${t("Sign in again")}</button>`]);
  } else if (state === "refused") {
    told.push(["bad", html`${problem.message} <button type="button" class="small" onClick=${again}>${t("Try again")}</button>`]);
  } else if (failed) {
    told.push(["warn", t("The figures could not be read just now. Trying again …")]);
  } else if (lost) {
    const why = problem?.status >= 500 ? problem.message : t("The connection is lost: what you see is no longer updated.");
    told.push(["warn", `${why} ${t("Trying again …")}`]);
  } else if (freshness) {
    for (const text of lagging(freshness)) told.push(["warn", text]);
  }
  return html`<div class="live-notices" id="notices" role="status" aria-live="polite">
    ${told.map(([kind, text], i) => html`<p key=${i} class="notice ${kind}">${text}</p>`)}</div>`;
}

