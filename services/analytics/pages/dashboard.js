// The dashboard: asks for a stream of snapshots of the chosen filter and shows the latest.

import { drawActivity, drawBars, showEmpty } from "./charts.js";
import { change, clockTime, count, device, money, percent, plain, reason } from "./figures.js";
import { onThemeChange } from "./theme.js";

const FILTERS = ["campaign_id", "store_id", "region", "device"];
const BEFORE = { today: "vs. yesterday", all: "" };
const LONG_BEFORE = { hour: "the hour before", today: "yesterday until now", "7d": "the 7 days before", "30d": "the 30 days before", "90d": "the 90 days before" };
const ANNOUNCE_EVERY_MS = 15_000;
const CHOICES_EVERY_MS = 5_000;
const form = document.getElementById("filters");
const RETRY_MS = 2_000;

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let source = null;
let currencyChosen = null;
let snapshot = null;
let sort = { key: "activations", descending: true };
let announcedAt = 0;
let choicesAt = -Infinity;
let frame = 0;

// ---- what is asked ----

// As the address bar shows it; the zone is the viewer's.
function parameters() {
  const chosen = new URLSearchParams({ period: form.elements.period.value });
  for (const name of FILTERS) {
    if (form.elements[name].value) chosen.set(name, form.elements[name].value);
  }
  if (currencyChosen) chosen.set("currency", currencyChosen);
  return chosen;
}

function restore() {
  const chosen = new URLSearchParams(location.search);
  for (const input of form.elements.period) input.checked = input.value === (chosen.get("period") ?? "90d");
  if (!form.elements.period.value) form.querySelector('[value="90d"]').checked = true;
  for (const name of FILTERS) {
    // The choices are not loaded yet: keep what was chosen as an option of its own.
    const value = chosen.get(name);
    if (value) form.elements[name].add(new Option(value, value, true, true));
  }
  currencyChosen = chosen.get("currency");
}

function marked() {
  let any = false;
  for (const name of FILTERS) {
    const set = Boolean(form.elements[name].value);
    form.elements[name].classList.toggle("set", set);
    any ||= set;
  }
  document.getElementById("clear").hidden = !any;
}

function choose(name, value) {
  const select = form.elements[name];
  if (![...select.options].some((option) => option.value === value)) select.add(new Option(value, value));
  select.value = select.value === value ? "" : value;
  ask();
}

async function loadChoices() {
  if (performance.now() - choicesAt < CHOICES_EVERY_MS) return;
  choicesAt = performance.now();
  const response = await fetch("/v1/statistics/choices", { headers: { accept: "application/json" } }).catch(() => null);
  if (!response?.ok) return; // the stream says what is wrong; the next time is in a minute
  const choices = await response.json();
  fillSelect("campaign_id", choices.campaigns, (choice) => choice.name);
  fillSelect("store_id", choices.stores, (choice) => choice.name);
  fillSelect("region", choices.regions, (choice) => choice.name);
  fillSelect("device", choices.devices, (choice) => device(choice.id));
}

function fillSelect(name, choices, label) {
  const select = form.elements[name];
  const chosen = select.value;
  const options = choices.map((choice) => new Option(label(choice), choice.id));
  if (chosen && !choices.some((choice) => choice.id === chosen)) options.push(new Option(chosen, chosen));
  select.replaceChildren(select.options[0], ...options);
  select.value = chosen;
}

// ---- the stream ----

function state(name, text) {
  const status = document.getElementById("status");
  if (status.dataset.state === name) return;
  status.dataset.state = name;
  status.querySelector("[data-text]").textContent = text;
}

function ask() {
  marked();
  const chosen = parameters();
  history.replaceState(null, "", `?${chosen}`);
  chosen.set("time_zone", zone);
  source?.close();
  source = new EventSource(`/v1/statistics/stream?${chosen}`);
  document.getElementById("main").setAttribute("aria-busy", "true");
  source.addEventListener("open", () => {
    state("live", "Live");
    banner(null); // no snapshot follows when nothing has changed
  });
  source.addEventListener("snapshot", (event) => {
    state("live", "Live");
    banner(null);
    snapshot = JSON.parse(event.data);
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(show);
  });
  source.addEventListener("failed", () => banner("The figures could not be read just now. Trying again …"));
  source.addEventListener("expired", signedOut);
  source.addEventListener("error", ({ target }) => {
    if (target !== source) return;
    if (target.readyState === EventSource.CLOSED) refused();
    else state("reconnecting", "Reconnecting");
  });
}

// The browser gives up when the answer is not a stream: find out why.
async function refused() {
  state("reconnecting", "Reconnecting");
  const asked = source;
  const question = new URL(asked.url).search;
  const answer = await fetch(`/v1/statistics/totals${question}`).catch(() => null);
  const problem = answer?.status === 422 ? await answer.json().catch(() => null) : null;
  if (asked !== source) return;
  if (answer?.status === 401 || answer?.status === 403) {
    signedOut();
    return;
  }
  if (problem) forget(problem.errors.map((error) => error.field));
  setTimeout(() => asked === source && ask(), RETRY_MS);
}

// What a link or the browser asked for and the server does not know is not asked for again.
function forget(fields) {
  if (fields.includes("time_zone")) zone = "UTC";
  if (fields.includes("currency")) currencyChosen = null;
  for (const name of FILTERS) if (fields.includes(name)) form.elements[name].value = "";
}

function signedOut() {
  source.close();
  state("signed-out", "Signed out");
  banner("Your session has ended. What you see is no longer updated. ", "Sign in again");
}

function banner(text, link) {
  const element = document.getElementById("banner");
  element.hidden = !text;
  element.replaceChildren(text ?? "");
  if (link) element.append(Object.assign(document.createElement("a"), { href: "/", textContent: link }));
}

// ---- what is shown ----

function show() {
  const { totals, previous } = snapshot;
  showCurrencies();
  showCards(totals, previous);
  showActivity();
  showPlaces("stores", snapshot.stores, "store_id", (row) => row.name);
  showPlaces("regions", snapshot.regions, "region", (row) => row.name);
  showPlaces("devices", snapshot.devices, "device", (row) => device(row.id));
  showRefusals(totals.instruments);
  showInstruments();
  document.getElementById("freshness").textContent = `Changed ${clockTime(snapshot.as_of)}`;
  document.getElementById("main").setAttribute("aria-busy", "false");
  announce(totals);
  const campaigns = new Set([...form.elements.campaign_id.options].map((option) => option.value));
  const stores = new Set([...form.elements.store_id.options].map((option) => option.value));
  if (
    snapshot.instruments.some((row) => !campaigns.has(row.campaign_id)) ||
    snapshot.stores.some((row) => !stores.has(row.id))
  ) loadChoices();
}

function showCurrencies() {
  const select = form.elements.currency;
  const known = snapshot.currencies.map((entry) => entry.currency);
  if (snapshot.currency && !known.includes(snapshot.currency)) known.unshift(snapshot.currency);
  document.getElementById("currency-field").hidden = known.length < 2 && !currencyChosen;
  if (known.join() !== [...select.options].map((option) => option.value).join()) {
    select.replaceChildren(...known.map((code) => new Option(code, code)));
  }
  select.value = snapshot.currency ?? "";
}

function showCards({ receipts, instruments }, previous) {
  const { currency, points, period } = snapshot;
  const campaign = form.elements.campaign_id.value;
  const before = previous && previous.receipts.receipts + previous.instruments.carts > 0 ? previous : null;
  const all = campaign ? "all campaigns" : "";
  const share = receipts.total ? `${percent(instruments.discount / receipts.total)} of gross sales` : "";
  const unauthorised = instruments.unauthorised_discount - instruments.returned_unauthorised_discount;
  const wrong = unauthorised > 0 ? `+ ${plain(unauthorised, currency)} unauthorised` : "";
  const refunded = receipts.refunded ? `${plain(receipts.refunded, currency)} refunded` : "";
  const series = (pick) => points.map(pick);
  card("receipts", count(receipts.receipts), change(receipts.receipts, before?.receipts.receipts), series((p) => p.receipts.receipts), { note: all });
  card("paid", money(receipts.paid, currency), change(receipts.paid, before?.receipts.paid), series((p) => p.receipts.paid), { note: [refunded, all].filter(Boolean).join(" · ") });
  card("average", money(receipts.average, currency), change(receipts.average, before?.receipts.average), series((p) => p.receipts.average ?? 0), { note: all });
  card("activations", count(instruments.activations), change(instruments.activations, before?.instruments.activations), series((p) => p.instruments.activations), { note: lessActivations(instruments) || (instruments.decided ? `of ${count(instruments.decided)} cart revisions` : "") });
  card("discount", money(instruments.net_discount, currency), change(instruments.net_discount, before?.instruments.net_discount), series((p) => p.instruments.net_discount), { note: wrong || lessDiscount(instruments) || share, warn: Boolean(wrong), neutral: true });
  card("bonuses", count(instruments.net_bonuses), change(instruments.net_bonuses, before?.instruments.net_bonuses), series((p) => p.instruments.net_bonuses), { note: lessBonuses(instruments) || "points", neutral: true });
}

// What a figure is made of where returns have taken back a part of it; otherwise nothing.
const less = (gross, returned, write) => (returned ? `${write(gross)} − ${write(returned)} returned` : "");
const lessActivations = (uses) => less(uses.gross_activations, uses.returned, count);
const lessDiscount = (uses) => less(uses.discount, uses.returned_discount, (minor) => plain(minor, snapshot.currency));
const lessBonuses = (uses) => less(uses.bonuses, uses.returned_bonuses, count);

// ``neutral``: more of it is neither good nor bad.
function card(id, value, changed, line, { note = "", neutral = false, warn = false } = {}) {
  const element = document.getElementById(`card-${id}`);
  const figure = element.querySelector("[data-value]");
  figure.textContent = value;
  figure.classList.toggle("long", value.length > 11);
  const changeElement = element.querySelector("[data-change]");
  changeElement.textContent = changed?.text ?? "";
  changeElement.className = neutral ? "" : changed?.sign ?? "";
  changeElement.parentElement.hidden = !changed;
  changeElement.parentElement.title = `compared with ${LONG_BEFORE[snapshot.period] ?? "the time before"}`;
  element.querySelector("[data-before]").textContent = BEFORE[snapshot.period] ?? "vs. previous";
  const noteElement = element.querySelector("[data-note]");
  noteElement.textContent = note;
  noteElement.title = note; // it may be cut
  noteElement.classList.toggle("warn", warn);
  spark(element.querySelector("[data-spark]"), line);
}

function spark(svg, values) {
  const most = Math.max(...values, 1);
  const least = Math.min(...values, 0); // more came back than was sold
  const path = values.length > 1 && values.some(Boolean)
    ? values.map((value, i) => `${i ? "L" : "M"}${(100 * i / (values.length - 1)).toFixed(2)} ${(26 - 22 * (value - least) / (most - least)).toFixed(2)}`).join("")
    : "";
  svg.querySelector(".line").setAttribute("d", path);
  svg.querySelector(".area").setAttribute("d", path && `${path}L100 28L0 28Z`);
}

const filtered = () => FILTERS.some((name) => form.elements[name].value);

function nothing() {
  if (filtered()) return "Nothing was counted for this choice. Clear the filters, or choose a longer period.";
  if (snapshot.period !== "all") return "Nothing was counted in this period yet. Choose a longer one.";
  return "Nothing has been counted yet. Start a campaign and send carts and sales: they show here within a second.";
}

function showActivity() {
  const { receipts, instruments } = snapshot.totals;
  drawActivity(snapshot);
  const empty = !receipts.receipts && !receipts.returns && !instruments.carts && !instruments.gross_activations;
  showEmpty("activity", empty ? nothing() : null);
  document.getElementById("activity-note").textContent = `per ${snapshot.step}`;
}

function showPlaces(id, rows, filter, name) {
  const { currency } = snapshot;
  const active = rows.filter(({ instruments }) => instruments.gross_activations || instruments.returned);
  const shown = drawBars(id, active.map((row) => ({
    id: row.id,
    name: name(row),
    value: row.instruments.activations,
    details: [
      ["Activations", count(row.instruments.activations)],
      ["Before returns", count(row.instruments.gross_activations)],
      ["Returned", count(row.instruments.returned)],
      ["Discount cost", money(row.instruments.net_discount, currency)],
      ["Receipts", count(row.receipts.receipts)],
      ["Sales", money(row.receipts.paid, currency)],
      ["Average receipt", money(row.receipts.average, currency)],
    ],
  })), { measure: "Activations", colour: "activations", onPick: (value) => choose(filter, value) });
  showEmpty(id, shown ? null : "No activations in this period. A paid receipt with a benefit is one.");
  panelNote(id, active.length > shown ? `top ${shown} of ${snapshot.truncated && active.length >= 50 ? "more than " : ""}${active.length}` : "");
}

function showRefusals({ reasons, refusals, carts }) {
  const shown = drawBars("refusals", reasons.map((row) => ({
    id: row.reason,
    name: reason(row.reason),
    value: row.refusals,
    details: [["Refused", count(row.refusals)], ["Share", percent(row.refusals / refusals)]],
  })), { measure: "Refusals", colour: "refusals", most: 9 });
  showEmpty("refusals", shown ? null : carts ? "Every cart revision that was considered got its benefit." : "No cart was considered in this period.");
  panelNote("refusals", shown ? `${count(refusals)} times considered, nothing given` : "");
}

function panelNote(id, text) {
  document.getElementById(id).closest(".panel").querySelector("[data-note]").textContent = text;
}

function showInstruments() {
  const table = document.getElementById("instruments");
  const rows = [...snapshot.instruments];
  const key = sort.key;
  rows.sort((a, b) => {
    const order = key === "name" ? a.name.localeCompare(b.name) : a[key] - b[key];
    return sort.descending ? -order : order;
  });
  table.tBodies[0].replaceChildren(...rows.map(instrumentRow));
  for (const head of table.tHead.rows[0].cells) {
    const button = head.querySelector("button");
    if (button?.dataset.sort === key) head.setAttribute("aria-sort", sort.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  showEmpty("instruments", rows.length ? null : nothing());
  document.getElementById("instruments-note").textContent = rows.length
    ? `${count(rows.length)}${snapshot.truncated ? "+" : ""} considered at a checkout` : "";
}

function instrumentRow(row) {
  const { currency } = snapshot;
  const element = document.createElement("tr");
  element.dataset.instrument = row.instrument_id;
  element.dataset.campaign = row.campaign_id;
  const rate = (part, whole) => (whole ? percent(part / whole) : "");
  element.append(
    cell("name text", Object.assign(document.createElement("b"), { textContent: row.name }), small("span", row.campaign)),
    cell("", count(row.carts)),
    cell("", count(row.decided), small("small", rate(row.decided, row.carts))),
    cell("strong", count(row.activations), small("small", lessActivations(row))),
    cell("", money(row.net_discount, currency), small("small", lessDiscount(row))),
    cell("", money(row.revenue, currency)),
    cell("", count(row.net_bonuses), small("small", lessBonuses(row))),
    cell("", count(row.refusals)),
    reasonsCell(row),
  );
  return element;
}

function reasonsCell({ reasons, refusals }) {
  if (!refusals) return cell("reasons text", "–");
  const mix = document.createElement("div");
  mix.className = "mix";
  mix.setAttribute("aria-hidden", "true");
  mix.append(...reasons.map((row) => {
    const part = document.createElement("i");
    part.style.flexGrow = row.refusals;
    return part;
  }));
  const told = reasons.map((row) => `${reason(row.reason)} ${count(row.refusals)}`).join(" · ");
  return cell("reasons text", mix, told);
}

function cell(className, ...content) {
  const element = document.createElement("td");
  element.className = className;
  element.append(...content);
  return element;
}

const small = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

// Readers of screens are told now and then, not twice a second.
function announce({ receipts, instruments }) {
  const now = performance.now();
  if (announcedAt && now - announcedAt < ANNOUNCE_EVERY_MS) return;
  announcedAt = now;
  document.getElementById("announcement").textContent =
    `${count(receipts.receipts)} receipts, sales ${money(receipts.paid, snapshot.currency)}, ` +
    `${count(instruments.activations)} activations, discount ${money(instruments.net_discount, snapshot.currency)}.`;
}

// ---- begin ----

form.addEventListener("change", ({ target }) => {
  // The page shows the currency it was given; only what the viewer picks is asked for again.
  if (target === form.elements.currency) currencyChosen = target.value;
  ask();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const name of FILTERS) form.elements[name].value = "";
  ask();
});
for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    const key = button.dataset.sort;
    sort = { key, descending: sort.key === key ? !sort.descending : key !== "name" };
    if (snapshot) showInstruments();
  });
}
onThemeChange(() => snapshot && show());
restore();
ask();
loadChoices();
setInterval(loadChoices, 60_000);
