// The certificates: a list of limits, and the slots of the one that is chosen.

const LIMITS_A_PAGE = 50;
const SLOTS_A_PAGE = 200;
const TYPING_MS = 250;
const STATES = ["used", "held", "leased"];
const WORDS = { used: "Used", held: "Held", leased: "Leased", free: "Free" };
const SHORT = { used: "used", held: "held", leased: "lease", free: "free" };

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

let asked = 0; // which list was asked for last: an earlier answer that comes late is not shown
let opened = 0;
let next = null;
let chosen = { id: null, first: 1 };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "className") made.className = value;
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// ---- asking ----

async function get(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } }).catch(() => null);
  if (answer === null) throw new Error("The evaluator does not answer. Try again.");
  if (answer.status === 401 || answer.status === 403) {
    const error = new Error("Your session has ended. ");
    error.link = "Sign in again";
    throw error;
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? `The evaluator answered ${answer.status}.`);
  return body;
}

function banner(error) {
  const shown = byId("banner");
  shown.hidden = error === null;
  shown.replaceChildren(error?.message ?? "");
  if (error?.link) shown.append(element("a", { href: location.pathname }, error.link));
}

// ---- the list ----

async function list(after = "") {
  const mine = ++asked;
  const limits = byId("limits");
  limits.setAttribute("aria-busy", "true");
  if (!after) note("Loading …");
  const text = byId("text").value.trim();
  const question = new URLSearchParams({ limit: LIMITS_A_PAGE, search: text, after });
  try {
    // The counters at once; adding the ledger up may take longer.
    const page = await get(`/v1/limits?check=false&${question}`);
    if (mine !== asked) return;
    banner(null);
    if (!after) limits.replaceChildren();
    limits.append(...page.limits.map(row));
    next = page.next;
    byId("more").hidden = next === null;
    if (limits.children.length) note(null);
    else note(text ? `No limit has “${text}” in its name.` : "Nothing has taken of a limit yet.");
    limits.setAttribute("aria-busy", "false");
    if (!page.limits.length) return;
    for (const limit of (await get(`/v1/limits?check=true&${question}`)).limits) {
      if (mine !== asked) return;
      const found = limits.querySelector(`[data-limit="${CSS.escape(limit.limit_id)}"]`);
      if (found) fill(found, limit);
    }
  } catch (error) {
    if (mine !== asked) return;
    limits.setAttribute("aria-busy", "false");
    if (!limits.children.length) note("The limits could not be read.");
    banner(error);
  }
}

function note(text) {
  const shown = byId("limits-state");
  shown.hidden = text === null;
  shown.textContent = text ?? "";
}

function row(limit) {
  const button = element("button", { type: "button", "aria-expanded": String(limit.limit_id === chosen.id), "aria-controls": "certificate" });
  button.dataset.limit = limit.limit_id;
  button.addEventListener("click", () => open(limit.limit_id));
  fill(button, limit);
  return element("li", {}, button);
}

function fill(button, limit) {
  button.replaceChildren(
    element("b", {}, limit.limit_id),
    bar(limit),
    element("span", { className: "words muted" }, sentence(limit)),
    mark(limit.consistent),
  );
}

function sentence(limit) {
  const parts = STATES.filter((state) => limit[state]).map((state) => `${number.format(limit[state])} ${state}`);
  const rolling = limit.window_days === null ? "" : ` in ${limit.window_days} days`;
  return `${parts.join(", ") || "nothing taken"}, ${number.format(limit.free)} free of ${cap(limit)}${rolling}`;
}

const cap = (limit) => (limit.cap === null ? "an unknown cap" : number.format(limit.cap)) + (limit.money ? " minor units" : "");

function bar(limit) {
  const whole = Math.max(limit.cap ?? 0, STATES.reduce((sum, state) => sum + limit[state], 0), 1);
  const shown = element("span", { className: "bar", "aria-hidden": "true" });
  for (const state of STATES) {
    if (!limit[state]) continue;
    const part = element("i", { className: state });
    part.style.width = `${(100 * limit[state]) / whole}%`;
    shown.append(part);
  }
  return shown;
}

function mark(consistent) {
  if (consistent === null) return element("span", { className: "mark unknown" }, "Checking …");
  return consistent ? element("span", { className: "mark yes" }, "✓ Agrees") : element("span", { className: "mark no" }, "✗ Differs");
}

// ---- one certificate ----

async function open(id, first = 1, focus = true) {
  const mine = ++opened;
  chosen = { id, first };
  for (const button of byId("limits").querySelectorAll("button")) {
    button.setAttribute("aria-expanded", String(button.dataset.limit === id));
  }
  const path = `/v1/limits/${encodeURIComponent(id)}/certificate`;
  byId("certificate").hidden = false;
  byId("certificate").setAttribute("aria-busy", "true");
  byId("certificate-title").textContent = id;
  byId("download").href = `${path}?format=csv`;
  if (focus) {
    byId("certificate-title").focus();
    byId("certificate").scrollIntoView({ block: "start" });
  }
  remember();
  try {
    const certificate = await get(`${path}?first=${first}&limit=${SLOTS_A_PAGE}`);
    if (mine !== opened) return;
    banner(null);
    show(certificate);
  } catch (error) {
    if (mine !== opened) return;
    clear();
    banner(error);
  }
  byId("certificate").setAttribute("aria-busy", "false");
}

function clear() {
  for (const id of ["figures", "grid", "verdict"]) byId(id).replaceChildren();
  byId("verdict").className = "verdict";
  byId("grid-note").textContent = "";
  byId("slots").tBodies[0].replaceChildren();
}

function close() {
  opened++;
  const id = chosen.id;
  chosen = { id: null, first: 1 };
  byId("certificate").hidden = true;
  remember();
  const button = byId("limits").querySelector(`[data-limit="${CSS.escape(id ?? "")}"]`);
  button?.setAttribute("aria-expanded", "false");
  (button ?? byId("limits")).focus();
}

function show(certificate) {
  const { limit, slots, leased, free } = certificate;
  clear();
  showVerdict(limit, slots);
  const figures = [["Cap", limit.cap ?? "–"], ["Free", limit.free], ["Held", limit.held], ["Leased", limit.leased], ["Used", limit.used]];
  if (limit.window_days !== null) figures.push(["Ever used", limit.ever_used]);
  for (const [name, value] of figures) {
    const shown = typeof value === "number" ? number.format(value) : value;
    byId("figures").append(element("div", {}, element("dt", {}, name), element("dd", {}, shown)));
  }
  byId("amount-heading").textContent = limit.money ? "Takes (minor units)" : "Takes";
  byId("grid-box").hidden = limit.money;
  const last = certificate.next === null;
  if (!limit.money) {
    byId("grid").append(...slots.map(cell));
    if (last) byId("grid").append(...leased.map((one) => range("leased", one.first, one.last)));
    if (last && free) byId("grid").append(range("free", free.first, free.last));
  }
  byId("grid-note").textContent = limit.money ? "" : "Each slot by its number; its line is below.";
  const body = byId("slots").tBodies[0];
  body.append(...slots.map(line));
  if (last) body.append(...leased.map(leasedLine));
  if (!slots.length && !(last && leased.length)) {
    const empty = certificate.taken || limit.leased ? "Nothing on this page." : "Nothing takes of this limit now.";
    body.append(element("tr", {}, element("td", { colspan: "5", className: "muted" }, empty)));
  }
  const from = slots.length ? slots[0].number : 0;
  byId("page").textContent = slots.length ? `${number.format(from)}–${number.format(slots.at(-1).number)} of ${number.format(certificate.taken)}` : "";
  byId("previous").disabled = chosen.first === 1;
  byId("next").disabled = last;
  byId("next").dataset.first = certificate.next ?? "";
}

function showVerdict(limit, slots) {
  const wrong = [...limit.differences, ...slots.flatMap((slot) => slot.differences.map((text) => `No. ${slot.number}: ${text}`))];
  const verdict = byId("verdict");
  verdict.className = wrong.length ? "verdict no" : "verdict yes";
  if (!wrong.length) {
    verdict.append("✓ The counter is what the ledger adds up to: free + held + leased + used = cap.");
    return;
  }
  verdict.append("✗ This limit differs:", element("ul", {}, ...wrong.map((text) => element("li", {}, text))));
}

function cell(slot) {
  const link = element("a", { href: `#slot-${slot.number}`, "aria-label": `Slot ${slot.number}: ${WORDS[slot.state]}${slot.differences.length ? ", differs" : ""}` }, number.format(slot.number), element("small", {}, SHORT[slot.state]));
  return element("li", { className: slot.differences.length ? `${slot.state} wrong` : slot.state }, link);
}

function range(state, first, last) {
  const words = first === last ? number.format(first) : `${number.format(first)}–${number.format(last)}`;
  return element("li", { className: `${state} range` }, element("span", {}, words, element("small", {}, SHORT[state])));
}

function line(slot) {
  const receipt = slot.receipt_id === null ? element("span", {}, "End of a period") : element("code", {}, slot.receipt_id);
  const history = element("ol", {}, ...slot.history.map((entry) => element("li", {}, `${entry.status} `, element("time", { datetime: entry.at, className: "muted" }, time.format(new Date(entry.at))))));
  const wrong = slot.differences.map((text) => element("p", { className: "wrong" }, `✗ ${text}`));
  return element(
    "tr",
    { id: `slot-${slot.number}`, tabindex: "-1" },
    cellOf("No.", number.format(slot.number)),
    element("td", {}, element("span", { className: `tag ${slot.state}` }, WORDS[slot.state])),
    cellOf("Takes", number.format(slot.amount)),
    element("td", {}, receipt, element("small", {}, `${slot.campaign_id}/${slot.instrument_id}`)),
    element("td", {}, history, ...wrong),
  );
}

function leasedLine(one) {
  const numbers = one.first === null ? "" : one.first === one.last ? number.format(one.first) : `${number.format(one.first)}–${number.format(one.last)}`;
  return element(
    "tr",
    {},
    cellOf("No.", numbers),
    element("td", {}, element("span", { className: "tag leased" }, WORDS.leased)),
    cellOf("Takes", number.format(one.amount)),
    element("td", {}, `Leased by ${one.store_id}`, element("small", {}, one.lease_id)),
    element("td", {}, "granted ", element("time", { datetime: one.granted_at, className: "muted" }, time.format(new Date(one.granted_at))), ", until ", element("time", { datetime: one.expires_at, className: "muted" }, time.format(new Date(one.expires_at)))),
  );
}

const cellOf = (label, text) => element("td", { className: "number", "data-label": label }, text);

// ---- the address bar ----

function remember() {
  const shown = new URLSearchParams();
  if (byId("text").value.trim()) shown.set("search", byId("text").value.trim());
  if (chosen.id) shown.set("limit", chosen.id);
  if (chosen.first > 1) shown.set("first", chosen.first);
  history.replaceState(null, "", shown.size ? `?${shown}` : location.pathname);
}

const start = new URLSearchParams(location.search);
byId("text").value = start.get("search") ?? "";
let typing = 0;
byId("text").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    remember();
    list();
  }, TYPING_MS);
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  remember();
  list();
});
byId("more").addEventListener("click", () => list(next));
byId("close").addEventListener("click", close);
byId("previous").addEventListener("click", () => open(chosen.id, Math.max(1, chosen.first - SLOTS_A_PAGE)));
byId("next").addEventListener("click", () => open(chosen.id, Number(byId("next").dataset.first)));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen.id !== null && event.target !== byId("text")) close();
});
list();
if (start.get("limit")) open(start.get("limit"), Number(start.get("first")) || 1, false);
