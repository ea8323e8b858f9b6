// Customers whom personal codes are bound to, read from a file in the browser.

import { count } from "./format.js";
import { t, tn } from "./i18n.js";
import { table } from "./csv.js";
import { useField } from "./form.js";
import { Field, Notice, html, useState } from "./ui.js";

const MOST = 200_000; // as services/emission/codes.py
const ID = /^[A-Za-z0-9@+][A-Za-z0-9@+._:() -]{0,63}$/;
const PHONE = /^\+?[\d .()/-]{9,20}$/;
const HEADINGS = ["customer_id", "customer", "id"];

// The customers of a file: of the column customer_id, or of the first. Bad lines are told by number.
export function customersOf(text) {
  const rows = table(text);
  const heading = (rows[0]?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const column = Math.max(heading.indexOf("customer_id"), 0);
  const first = HEADINGS.includes(heading[column]) ? 1 : 0;
  const customers = new Set();
  const bad = [];
  let twice = 0;
  for (const { line, cells } of rows.slice(first)) {
    const id = (cells[column] ?? "").trim();
    if (id === "") continue;
    if (!ID.test(id) || /[@ ]/.test(id) || PHONE.test(id)) bad.push({ line, why: /@/.test(id) || PHONE.test(id) || / /.test(id) ? t("looks like personal data: give an opaque id") : t("no customer id") });
    else if (customers.has(id)) twice += 1;
    else customers.add(id);
  }
  return { customers: [...customers], twice, bad };
}

export function Customers() {
  const { value, set, error, readOnly } = useField("customers");
  const [read, setRead] = useState(null);
  const choose = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const found = customersOf(await file.text());
    setRead({ ...found, name: file.name });
    set(found.customers.length ? found.customers : undefined);
  };
  const drop = () => { setRead(null); set(undefined); };
  return html`<${Field} label=${t("For these customers")} error=${error} hint=${t("a CSV or text file: the column customer_id, or the first one; each customer gets a code of their own")}>${(control) => html`
      <input type="file" accept=".csv,.txt,text/csv,text/plain" ...${control} data-field="customers" disabled=${readOnly} onChange=${choose} />`}<//>
    ${read && html`<${Notice} kind=${read.bad.length || read.customers.length > MOST ? "warn" : "good"}><div class="row between"><strong>${read.name}</strong>
      <button type="button" class="small" onClick=${drop}>${t("Without customers")}</button></div><${BadLines} read=${read} /><//>`}
    ${!read && value && html`<${Notice}>${tn(value.length, "{n} customer", "{n} customers")}<//>`}`;
}

// How many customers a file has, and which of its lines were left out.
export const BadLines = ({ read }) => html`<p>${tn(read.customers.length, "{n} customer", "{n} customers")}${read.twice > 0 && `, ${tn(read.twice, "{n} given twice", "{n} given twice")}`}${read.bad.length > 0 && `, ${tn(read.bad.length, "{n} bad line left out", "{n} bad lines left out")}`}
    ${read.customers.length > MOST && ` – ${t("at most {n} at once", { n: count(MOST) })}`}</p>
  ${read.bad.length > 0 && html`<ul class="plain-list small">${read.bad.slice(0, 10).map(({ line, why }) => html`<li key=${line}>${t("Line {n}", { n: line })}: ${why}</li>`)}${read.bad.length > 10 && html`<li>…</li>`}</ul>`}`;
