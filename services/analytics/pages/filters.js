// What is asked: time, campaign, store, … They are in the address, so that a view can be shared.

import { get } from "./api.js";
import { t } from "./i18n.js";
import { device } from "./names.js";
import { Action, html, say, useAddress, useCallback, useEffect, useMemo, useState } from "./ui.js";
import "./words_statistics.js";

export const PLACES = ["campaign_id", "instrument_id", "emission_id", "store_id", "device", "region"];
const KNOWN = ["period", "from", "to", ...PLACES, "currency"];
const CHOICES_EVERY_MS = 60_000;
export const DEFAULT_PERIOD = "90d";

const PERIODS = () => [
  ["15m", t("15 min"), t("Last 15 minutes")], ["hour", t("Hour"), t("Last hour")], ["today", t("Today")], ["yesterday", t("Yesterday")],
  ["7d", t("7 days")], ["30d", t("30 days")], ["90d", t("90 days")], ["all", t("All")], ["custom", t("From–to")],
];

// { asked, query, set, forget, filtered }: the address's parameters, the same as the API wants them, and ways to change them.
export function useQuestion() {
  const [address, change] = useAddress();
  const [zone, setZone] = useState(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
  const custom = Boolean(address.from || address.to);
  const asked = { ...address, period: custom ? "custom" : address.period ?? DEFAULT_PERIOD };
  const query = useMemo(() => {
    const wanted = new URLSearchParams({ time_zone: zone });
    if (!custom) wanted.set("period", asked.period);
    for (const name of KNOWN) if (name !== "period" && address[name]) wanted.set(name, address[name]);
    return wanted.toString();
  }, [zone, ...KNOWN.map((name) => address[name])]);
  const set = useCallback((changes) => change(changes), [change]);
  // What a link asked for and the server does not know is not asked for again; false if there is nothing to leave out.
  const forget = useCallback((fields) => {
    const mine = fields.filter((field) => KNOWN.includes(field) && new URLSearchParams(location.search).has(field));
    if (fields.includes("time_zone")) setZone("UTC");
    if (mine.length) change(Object.fromEntries(mine.map((field) => [field, ""])), { replace: true });
    return mine.length > 0 || (fields.includes("time_zone") && zone !== "UTC");
  }, [change, zone]);
  return { asked, query, set, forget, zone, filtered: PLACES.some((name) => address[name]) };
}

// The parameters of a question with some changed; null takes one out.
export function withChanges(query, changes) {
  const wanted = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) wanted.delete(name);
    else wanted.set(name, value);
  }
  return wanted.toString();
}

// Those of a question's parameters that are named: some answers take no others.
export const only = (query, names) => new URLSearchParams([...new URLSearchParams(query)].filter(([name]) => names.includes(name))).toString();

// What there is to filter by; read again now and then, and when `unknown` says that something new was seen.
export function useChoices() {
  const [choices, setChoices] = useState({ campaigns: [], instruments: [], emissions: [], stores: [], devices: [], regions: [] });
  const load = useCallback(() => {
    // The stream says what is wrong; the next time is in a minute.
    get("analytics", "/v1/statistics/choices").then((read) => setChoices((before) => ({ ...before, ...read })), () => null);
  }, []);
  useEffect(() => {
    load();
    const timer = setInterval(load, CHOICES_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return [choices, load];
}

function Pick({ name, label, all, choices, asked, set, write = (choice) => choice.name, also = {} }) {
  const value = asked[name] ?? "";
  const options = choices.map((choice) => [choice.id, write(choice)]);
  if (value && !choices.some((choice) => choice.id === value)) options.push([value, value]);
  return html`<select name=${name} aria-label=${label} class=${value ? "set" : ""} value=${value}
      onChange=${(event) => set({ [name]: event.target.value, ...also })}>
    <option value="" selected=${value === ""}>${all}</option>
    ${options.map(([id, text]) => html`<option value=${id} key=${id} selected=${id === value}>${text}</option>`)}
  </select>`;
}

// What is shown has one currency: that of most receipts, unless another one is asked for.
const Currency = ({ codes, value, set }) => html`<select name="currency" aria-label=${t("Currency")} value=${value} onChange=${(event) => set({ currency: event.target.value })}>
  ${codes.map((one) => html`<option value=${one} key=${one} selected=${one === value}>${one}</option>`)}</select>`;

function Periods({ asked, choose }) {
  return html`<fieldset class="periods"><legend class="visually-hidden">${t("Period")}</legend>
    ${PERIODS().map(([value, text, title]) => html`<label key=${value} title=${title}>
      <input type="radio" name="period" value=${value} checked=${asked.period === value} onChange=${() => choose(value)} aria-label=${title ?? text} />
      <span>${text}</span></label>`)}
  </fieldset>`;
}

const local = (instant) => {
  if (!instant) return "";
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const instant = (typed) => (typed ? new Date(typed).toISOString() : "");

function Custom({ asked, set }) {
  const [from, setFrom] = useState(local(asked.from));
  const [to, setTo] = useState(local(asked.to));
  useEffect(() => { setFrom(local(asked.from)); setTo(local(asked.to)); }, [asked.from, asked.to]);
  const wrong = from && to && from >= to;
  const submit = (event) => {
    event.preventDefault();
    if (!wrong && (from || to)) set({ period: "", from: instant(from), to: instant(to) });
  };
  return html`<form class="row custom" onSubmit=${submit}>
    <label>${t("From")} <input type="datetime-local" name="from" value=${from} onInput=${(event) => setFrom(event.target.value)} /></label>
    <label>${t("to")} <input type="datetime-local" name="to" value=${to} onInput=${(event) => setTo(event.target.value)} aria-invalid=${wrong ? "true" : undefined} /></label>
    <button class="small" disabled=${wrong || !(from || to)}>${t("Show")}</button>
    ${wrong && html`<span class="error-text" role="alert">${t("The end must be after the beginning.")}</span>`}
  </form>`;
}

export const CopyLink = () => html`<${Action} kind="quiet" onAct=${async () => {
  await navigator.clipboard.writeText(location.href);
  say(t("The link to this view is copied"));
}}>${t("Copy link")}<//>`;

// `without`: filters that mean nothing on this page.
export function Filters({ question, choices, currencies = [], currency = null, without = [], children }) {
  const { asked, set, filtered } = question;
  const [custom, setCustom] = useState(false);
  const open = custom || asked.period === "custom";
  const shown = open ? { ...asked, period: "custom" } : asked;
  const choose = (period) => {
    setCustom(period === "custom");
    if (period !== "custom") set({ period, from: "", to: "" });
  };
  const codes = currencies.map((one) => one.currency);
  if (asked.currency && !codes.includes(asked.currency)) codes.push(asked.currency);
  const instruments = choices.instruments.filter((one) => !asked.campaign_id || one.campaign_id === asked.campaign_id);
  const pick = (name, label, all, of, more = {}) => !without.includes(name) && html`<${Pick} name=${name} label=${label} all=${all} choices=${of} asked=${asked} set=${set} ...${more} />`;
  return html`<div class="filters" role="group" aria-label=${t("What is shown")}>
    ${!without.includes("period") && html`<${Periods} asked=${shown} choose=${choose} />`}
    <div class="selects">
      ${pick("campaign_id", t("Campaign"), t("All campaigns"), choices.campaigns, { also: { instrument_id: "" } })}
      ${(asked.instrument_id || asked.campaign_id) && pick("instrument_id", t("Instrument"), t("All instruments"), instruments)}
      ${pick("store_id", t("Store"), t("All stores"), choices.stores)}
      ${pick("region", t("Region"), t("All regions"), choices.regions)}
      ${pick("device", t("Device"), t("All devices"), choices.devices, { write: (choice) => device(choice.id) })}
      ${pick("emission_id", t("Code"), t("All codes"), choices.emissions)}
      ${codes.length > 1 && html`<${Currency} codes=${codes} value=${asked.currency ?? currency} set=${set} />`}
      ${children}
      <button type="button" class="quiet" disabled=${!filtered} onClick=${() => set(Object.fromEntries([...PLACES, "compare"].map((name) => [name, ""])))}>${t("Clear filters")}</button>
    </div>
    ${open && !without.includes("period") && html`<${Custom} asked=${asked} set=${set} />`}
  </div>`;
}
