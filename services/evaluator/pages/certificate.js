// The certificates: a list of limits, and the slots of the one that is chosen.

import { at, get } from "./api.js";
import { count } from "./format.js";
import { locale, t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Failure, html, Loading, useAddress, useEffect, useRef, useSettled, useState } from "./ui.js";
import "./words_certificate.js";

const LIMITS_A_PAGE = 50;
const SLOTS_A_PAGE = 200;
const STATES = ["used", "held", "leased"];
const WORDS = () => ({ used: t("Used"), held: t("Held"), leased: t("Leased"), free: t("Free") });
const SHORT = () => ({ used: t("used"), held: t("held"), leased: t("lease"), free: t("free") });
const TAKEN = () => ({ used: t("{n} used"), held: t("{n} held"), leased: t("{n} leased") });
const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" });

// ---- the list ----

// The limits whose names have the text, in pages: the counters at once; adding the ledger up may take longer.
function useLimits(text) {
  const [found, setFound] = useState({ text: null, limits: [], next: null, busy: true, problem: null });
  const [turn, setTurn] = useState(0);
  const stop = useRef(null);
  const read = async (after) => {
    stop.current?.abort();
    const { signal } = (stop.current = new AbortController());
    const question = new URLSearchParams({ limit: LIMITS_A_PAGE, search: text, after });
    const ask = (check) => get("evaluator", `/v1/limits?check=${check}&${question}`, { signal });
    setFound((before) => ({ ...before, busy: true }));
    try {
      const page = await ask(false);
      setFound((before) => ({ text, limits: after ? [...before.limits, ...page.limits] : page.limits, next: page.next, busy: false, problem: null }));
      if (!page.limits.length) return;
      const checked = new Map((await ask(true)).limits.map((limit) => [limit.limit_id, limit]));
      setFound((before) => ({ ...before, limits: before.limits.map((limit) => checked.get(limit.limit_id) ?? limit) }));
    } catch (problem) {
      if (!signal.aborted) setFound((before) => ({ ...before, busy: false, problem }));
    }
  };
  useEffect(() => {
    read("");
    return () => stop.current?.abort();
  }, [text, turn]);
  return { ...found, more: () => read(found.next), again: () => setTurn((now) => now + 1) };
}

const cap = (limit) => {
  const number = limit.cap === null ? t("an unknown cap") : count(limit.cap);
  return limit.money ? t("{n} minor units", { n: number }) : number;
};

function sentence(limit) {
  const taken = STATES.filter((state) => limit[state]).map((state) => TAKEN()[state].replace("{n}", count(limit[state]))).join(", ");
  const values = { taken: taken || t("nothing taken"), free: count(limit.free), cap: cap(limit), days: count(limit.window_days) };
  return limit.window_days === null ? t("{taken}, {free} free of {cap}", values) : t("{taken}, {free} free of {cap} in {days} days", values);
}

function Bar({ limit }) {
  const whole = Math.max(limit.cap ?? 0, STATES.reduce((sum, state) => sum + limit[state], 0), 1);
  return html`<span class="bar" aria-hidden="true">${STATES.filter((state) => limit[state]).map((state) => html`
    <i key=${state} class=${state} style=${{ width: `${(100 * limit[state]) / whole}%` }}></i>`)}</span>`;
}

function Mark({ consistent }) {
  if (consistent === null) return html`<span class="mark unknown">${t("Checking …")}</span>`;
  return consistent ? html`<span class="mark yes">✓ ${t("Agrees")}</span>` : html`<span class="mark no">✗ ${t("Differs")}</span>`;
}

function Limits({ text, chosen, open }) {
  const { limits, next, busy, problem, more, again, text: of } = useLimits(text);
  const waits = busy && of !== text;
  const note = problem && !limits.length ? t("The limits could not be read.") : limits.length || waits ? null
    : text ? t("No limit has “{text}” in its name.", { text }) : t("Nothing has taken of a limit yet.");
  return html`<section class="panel" aria-labelledby="limits-title">
    <header><h2 id="limits-title">${t("Limits")}</h2>
      <ul class="legend" aria-label=${t("Legend")}>${[...STATES, "free"].map((state) => html`<li key=${state} class=${state}>${WORDS()[state]}</li>`)}</ul></header>
    ${problem && html`<div class="body" id="banner"><${Failure} problem=${problem} retry=${again} /></div>`}
    ${waits && !limits.length && html`<${Loading} />`}
    <p class="state muted" id="limits-state" role="status" hidden=${!note}>${note}</p>
    <ul class="limits" id="limits" tabindex="-1" aria-busy=${String(busy)}>${limits.map((limit) => html`<li key=${limit.limit_id}>
      <button type="button" data-limit=${limit.limit_id} aria-expanded=${String(limit.limit_id === chosen)} aria-controls="certificate" onClick=${() => open(limit.limit_id)}>
        <b>${limit.limit_id}</b><${Bar} limit=${limit} /><span class="words muted">${sentence(limit)}</span><${Mark} consistent=${limit.consistent} />
      </button></li>`)}</ul>
    ${next !== null && html`<p class="more"><button type="button" id="more" onClick=${more}>${t("More limits")}</button></p>`}
  </section>`;
}

// ---- one certificate ----

function Verdict({ limit, slots }) {
  const wrong = [...limit.differences, ...slots.flatMap((slot) => slot.differences.map((text) => `${t("No.")} ${slot.number}: ${text}`))];
  return html`<div class="verdict ${wrong.length ? "no" : "yes"}" id="verdict" role="status">${!wrong.length
    ? html`✓ ${t("The counter is what the ledger adds up to: free + held + leased + used = cap.")}`
    : html`✗ ${t("This limit differs:")}<ul>${wrong.map((text) => html`<li key=${text}>${text}</li>`)}</ul>`}</div>`;
}

function Figures({ limit }) {
  const figures = [[t("Cap"), limit.cap === null ? "–" : count(limit.cap)], [t("Free"), count(limit.free)], [t("Held"), count(limit.held)], [t("Leased"), count(limit.leased)], [t("Used"), count(limit.used)]];
  if (limit.window_days !== null) figures.push([t("Ever used"), count(limit.ever_used)]);
  return html`<dl class="figures" id="figures">${figures.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

const numbers = (first, last) => (first === null ? "" : first === last ? count(first) : `${count(first)}–${count(last)}`);
const Range = ({ state, first, last }) => html`<li class="${state} range"><span>${numbers(first, last)}<small>${SHORT()[state]}</small></span></li>`;

function Slots({ certificate: { slots, leased, free, next } }) {
  const last = next === null;
  const name = (slot) => `${t("Slot {n}: {state}", { n: slot.number, state: WORDS()[slot.state] })}${slot.differences.length ? t(", differs") : ""}`;
  return html`<div id="grid-box"><p class="muted" id="grid-note">${t("Each slot by its number; its line is below.")}</p>
    <ol class="grid" id="grid" aria-label=${t("Slots by number")}>
      ${slots.map((slot) => html`<li key=${slot.number} class="${slot.state} ${slot.differences.length ? "wrong" : ""}"><a href="#slot-${slot.number}" aria-label=${name(slot)}>${count(slot.number)}<small>${SHORT()[slot.state]}</small></a></li>`)}
      ${last && leased.map((one) => html`<${Range} key=${one.lease_id} state="leased" first=${one.first} last=${one.last} />`)}
      ${last && free && html`<${Range} state="free" first=${free.first} last=${free.last} />`}
    </ol></div>`;
}

const When = ({ at: moment }) => html`<time datetime=${moment} class="muted">${moments.format(new Date(moment))}</time>`;

const Line = ({ slot }) => html`<tr id="slot-${slot.number}" tabindex="-1">
  <td class="number" data-label=${t("No.")}>${count(slot.number)}</td>
  <td><span class="tag ${slot.state}">${WORDS()[slot.state]}</span></td>
  <td class="number" data-label=${t("Takes")}>${count(slot.amount)}</td>
  <td>${slot.receipt_id === null ? html`<span>${t("End of a period")}</span>` : html`<code>${slot.receipt_id}</code>`}<small>${slot.campaign_id}/${slot.instrument_id}</small></td>
  <td><ol>${slot.history.map((entry, i) => html`<li key=${i}>${STATUSES()[entry.status] ?? entry.status} <${When} at=${entry.at} /></li>`)}</ol>
    ${slot.differences.map((text) => html`<p class="wrong" key=${text}>✗ ${text}</p>`)}</td>
</tr>`;

const STATUSES = () => ({
  held: t("held"), committed: t("committed"), released: t("released"), expired: t("expired"), returned: t("returned"), unauthorised: t("unauthorised"),
});

const LeasedLine = ({ one }) => html`<tr>
  <td class="number" data-label=${t("No.")}>${numbers(one.first, one.last)}</td>
  <td><span class="tag leased">${t("Leased")}</span></td>
  <td class="number" data-label=${t("Takes")}>${count(one.amount)}</td>
  <td>${t("Leased by {store}", { store: one.store_id })}<small>${one.lease_id}</small></td>
  <td>${t("granted")} <${When} at=${one.granted_at} />, ${t("until")} <${When} at=${one.expires_at} /></td>
</tr>`;

function Ledger({ certificate }) {
  const { limit, slots, leased, next, taken } = certificate;
  const last = next === null;
  const empty = !slots.length && !(last && leased.length);
  return html`<div class="scroll" tabindex="0" role="region" aria-labelledby="certificate-title"><table id="slots">
    <thead><tr><th scope="col" class="number">${t("No.")}</th><th scope="col">${t("State")}</th><th scope="col" class="number">${limit.money ? t("Takes (minor units)") : t("Takes")}</th><th scope="col">${t("Receipt")}</th><th scope="col">${t("History")}</th></tr></thead>
    <tbody>${slots.map((slot) => html`<${Line} key=${slot.number} slot=${slot} />`)}
      ${last && leased.map((one) => html`<${LeasedLine} key=${one.lease_id} one=${one} />`)}
      ${empty && html`<tr><td colspan="5" class="muted">${taken || limit.leased ? t("Nothing on this page.") : t("Nothing takes of this limit now.")}</td></tr>`}</tbody>
  </table></div>`;
}

function Certificate({ id, first, close, turn, focused }) {
  const [state, setState] = useState({ certificate: null, problem: null, busy: true });
  const [again, setAgain] = useState(0);
  const title = useRef();
  const path = `/v1/limits/${encodeURIComponent(id)}/certificate`;
  useEffect(() => {
    if (!focused) return;
    title.current.focus();
    title.current.closest("section").scrollIntoView({ block: "start" });
  }, [id, first]);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, busy: true }));
    get("evaluator", `${path}?first=${first}&limit=${SLOTS_A_PAGE}`, { signal: stop.signal }).then(
      (certificate) => stop.signal.aborted || setState({ certificate, problem: null, busy: false }),
      (problem) => stop.signal.aborted || setState({ certificate: null, problem, busy: false }),
    );
    return () => stop.abort();
  }, [id, first, again]);
  const { certificate, problem, busy } = state;
  const slots = certificate?.slots ?? [];
  const page = slots.length ? t("{from}–{to} of {total}", { from: count(slots[0].number), to: count(slots.at(-1).number), total: count(certificate.taken) }) : "";
  return html`<section class="panel" id="certificate" aria-labelledby="certificate-title" aria-busy=${String(busy)}>
    <header><h2 id="certificate-title" tabindex="-1" ref=${title}>${id}</h2>
      <p class="actions"><a class="button small" href=${at("evaluator", `${path}?format=csv`)} download="certificate.csv">${t("Download as CSV")}</a> <button type="button" class="small" onClick=${close}>${t("Close")}</button></p></header>
    ${problem && html`<div class="body"><${Failure} problem=${problem} retry=${() => setAgain((now) => now + 1)} /></div>`}
    ${!certificate && !problem && html`<${Loading} />`}
    ${certificate && html`<${Verdict} limit=${certificate.limit} slots=${slots} /><${Figures} limit=${certificate.limit} />
      ${!certificate.limit.money && html`<${Slots} certificate=${certificate} />`}
      <${Ledger} certificate=${certificate} />
      <nav class="pager" aria-label=${t("Pages of slots")}><button type="button" disabled=${first === 1} onClick=${() => turn(Math.max(1, first - SLOTS_A_PAGE))}>${t("Previous")}</button>
        <span class="muted">${page}</span><button type="button" disabled=${certificate.next === null} onClick=${() => turn(certificate.next)}>${t("Next")}</button></nav>`}
  </section>`;
}

function Page() {
  const [address, change] = useAddress();
  const [text, setText] = useState(address.search ?? "");
  const [opened, setOpened] = useState(false); // by hand: a link does not take the focus
  const settled = useSettled(text.trim());
  const chosen = address.limit ?? null;
  useEffect(() => change({ search: settled }, { replace: true }), [settled]);
  const open = (id, first = 1) => {
    setOpened(true);
    change({ limit: id, first: first > 1 ? String(first) : "" }, { replace: true });
  };
  const close = () => {
    change({ limit: "", first: "" }, { replace: true });
    (document.querySelector(`[data-limit="${CSS.escape(chosen ?? "")}"]`) ?? document.getElementById("limits")).focus();
  };
  useEffect(() => {
    const escape = (event) => event.key === "Escape" && chosen !== null && event.target.type !== "search" && close();
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, [chosen]);
  return html`<${TitleBar} title=${t("Certificates of limits")}>
      <form class="search" role="search" onSubmit=${(event) => event.preventDefault()}>
        <input type="search" value=${text} onInput=${(event) => setText(event.target.value)} placeholder=${t("Campaign, instrument or condition")} aria-label=${t("Search limits by campaign, instrument or condition")}
          autocomplete="off" spellcheck=${false} maxlength="200" /></form>
    <//>
    <${Limits} text=${settled} chosen=${chosen} open=${open} />
    ${chosen !== null && html`<${Certificate} key=${chosen} id=${chosen} first=${Number(address.first) || 1} close=${close} turn=${(first) => open(chosen, first)} focused=${opened} />`}
    <p class="muted small explained">${t("Slots are numbered in the order in which they were first taken; those leased by stores come next, then the free ones. free + held + leased + used = cap. A counter agrees if it is what the ledger of redemptions adds up to. “tillstream verify” compares the events, the statistics and the decisions, too.")}</p>`;
}

show("/certificate", t("Certificates of limits"), Page);
