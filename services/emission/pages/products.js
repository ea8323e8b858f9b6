// The catalogue of products: uploaded, searched, cleared of what is no longer sold.

import { call, get, may } from "./api.js";
import { count, money, percent } from "./format.js";
import { t, tn } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Listing } from "./listing.js";
import { explained } from "./messages.js";
import { upload } from "./upload.js";
import { Confirm, Dialog, Failure, Field, Notice, html, say, useAsk, useState } from "./ui.js";
import "./words_authoring.js";
import "./words_shop.js";

const TEMPLATE = "sku,name,group,brand,cost,currency,attr:season\r\n4823077,Bounty 57 g,sweets,Bounty,23.50,UAH,winter\r\n";
const template = () => `data:text/csv;charset=utf-8,${encodeURIComponent(TEMPLATE)}`;
const named = ({ items }) => items.map((one) => [one.name, `${one.name} (${count(one.products)})`]);

function Products() {
  const [turn, setTurn] = useState(0);
  const [asking, setAsking] = useState(null);
  const { data: groups } = useAsk((signal) => get("emission", "/v1/products/groups?limit=200", { signal }), [turn]);
  const { data: brands } = useAsk((signal) => get("emission", "/v1/products/brands?limit=200", { signal }), [turn]);
  const again = () => setTurn((now) => now + 1);
  const columns = [
    { key: "sku", sort: true, title: t("SKU"), cell: (one) => html`<span class="mono">${one.sku}</span>` },
    { key: "name", sort: true, title: t("Name"), cell: (one) => html`<span class="strong">${one.name}</span>${Object.keys(one.attributes ?? {}).length > 0 && html`<span class="sub">${Object.entries(one.attributes).map(([name, value]) => `${name}: ${value}`).join(", ")}</span>`}` },
    { key: "group", sort: true, title: t("Group"), cell: (one) => one.group ?? "–" },
    { key: "brand", sort: true, title: t("Brand"), cell: (one) => one.brand ?? "–" },
    { key: "cost", number: true, title: t("Cost"), cell: (one) => (one.cost !== null && one.cost !== undefined ? money(one.cost, one.currency) : "–") },
    ...(may("campaigns:write") ? [{ key: "actions", title: "", cell: (one) => html`<button type="button" class="small danger" aria-label="${t("Delete")} ${one.name}" onClick=${() => setAsking(one)}>${t("Delete")}</button>` }] : []),
  ];
  return html`<${TitleBar} title=${t("Products")}>
      <a class="button" href=${template()} download="products.csv">${t("Template")}</a>
      ${may("campaigns:write") && html`<button type="button" class="primary" onClick=${() => setAsking("upload")}>${t("Upload products")}</button>`}<//>
    <${Listing} title=${t("Products")} path="/v1/products" columns=${columns} rowKey=${(one) => one.sku} sort="name" turn=${turn}
      filters=${[["group", t("Group"), groups ? named(groups) : []], ["brand", t("Brand"), brands ? named(brands) : []]]}
      none=${[t("No products yet"), t("Upload your catalogue: groups, brands and attributes can then be searched for in conditions and benefits.")]} />
    ${asking === "upload" ? html`<${Upload} onClose=${() => setAsking(null)} onDone=${again} />`
      : asking && html`<${Confirm} title=${t("Delete {name}?", { name: asking.name })} text=${t("Receipts that had it stay as they are; instruments that name it go on to do so.")} action=${t("Delete")}
        onAct=${async () => { await call("emission", "DELETE", `/v1/products/${encodeURIComponent(asking.sku)}`); again(); }} onClose=${() => setAsking(null)} />`}`;
}

function Upload({ onClose, onDone }) {
  const [file, setFile] = useState(null);
  const [sent, setSent] = useState(null);
  const [problem, setProblem] = useState(null);
  const send = async () => {
    setProblem(null);
    setSent(0);
    try {
      const { products, changed } = await upload("/v1/products", file, "text/csv", setSent);
      say(t("{products}, {changed} of them new or changed", { products: tn(products, "{n} product", "{n} products"), changed: count(changed) }));
      onDone();
      onClose();
    } catch (error) {
      setProblem(error);
    }
    setSent(null);
  };
  return html`<${Dialog} title=${t("Upload products")} onClose=${onClose}>
    <${Field} label=${t("CSV file")} hint=${t("a header with sku, name and, as you have them, group, brand, cost, currency and attr:… for attributes; comma or semicolon. All rows or none.")}>${(control) => html`
      <input type="file" accept=".csv,text/csv,text/plain" ...${control} onChange=${(event) => { setFile(event.target.files[0] ?? null); setProblem(null); }} />`}<//>
    ${sent !== null && html`<div><p role="status">${sent < 1 ? t("{share} sent", { share: percent(sent, 0) }) : t("Being read …")}</p><progress max="1" value=${sent < 1 ? sent : undefined} aria-label=${t("Upload")}></progress></div>`}
    ${problem && (problem.errors.length ? html`<${Notice} kind="bad"><p>${problem.message}</p><ul class="plain-list small">${problem.errors.slice(0, 50).map((one) => html`<li key=${one.field + one.message}>${placed(one.field)}: ${explained(one.message)}</li>`)}</ul><//>`
      : html`<${Failure} problem=${problem} />`)}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button>
      <button type="button" class="primary" disabled=${!file || sent !== null} aria-busy=${sent !== null} onClick=${send}>${t("Upload")}</button></div>
  <//>`;
}

// "rows.3.cost" → "Row 3, cost"
function placed(field) {
  const [, row, column] = /^rows\.(\d+)(?:\.(.+))?$/.exec(field) ?? [];
  return row ? [t("Row {n}", { n: row }), column].filter(Boolean).join(", ") : field || t("File");
}

show("/products", t("Products"), Products);
