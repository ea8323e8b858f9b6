// A store is written or changed; many are read from a file in the browser.

import { call } from "./api.js";
import { parsed, typed } from "./format.js";
import { t, tn } from "./i18n.js";
import { records } from "./csv.js";
import { proposedId } from "./form.js";
import { explained } from "./messages.js";
import { HERE, zoneOptions } from "./zones.js";
import { Action, Dialog, Failure, Field, Input, Notice, Select, errorsOf, html, say, useState } from "./ui.js";

const FIELDS = ["store_id", "name", "region", "time_zone", "currency", "location.latitude_e6", "location.longitude_e6", "bonus_share"];
const number = (text, fraction) => (String(text ?? "").trim() === "" ? undefined : parsed(text, fraction) ?? text);

// What was typed, or stands in a row of a file, as the API takes it.
function storeOf({ store_id, name, region, time_zone, currency, latitude, longitude, bonus_share }) {
  const [latitude_e6, longitude_e6, share] = [number(latitude, 6), number(longitude, 6), number(bonus_share, 2)];
  return {
    store_id, name, region, time_zone, currency: currency?.toUpperCase(),
    ...((latitude_e6 !== undefined || longitude_e6 !== undefined) && { location: { latitude_e6, longitude_e6 } }),
    ...(share !== undefined && { bonus_share: share }),
  };
}

const keep = (stores) => call("emission", "PUT", "/v1/stores", { stores });
const own = ({ field, message }) => ({ field: field.replace(/^stores\.\d+\./, ""), message: explained(message) });

export function EditStore({ store, onClose, onDone }) {
  const isNew = !store.store_id;
  const [form, setForm] = useState({
    store_id: store.store_id, name: store.name, region: store.region, time_zone: store.time_zone ?? HERE, currency: store.currency ?? "UAH",
    latitude: typed(store.location?.latitude_e6, 6), longitude: typed(store.location?.longitude_e6, 6), bonus_share: typed(store.bonus_share ?? 5000, 2),
  });
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, FIELDS);
  const set = (field) => (value) => setForm({ ...form, [field]: value, ...(field === "name" && isNew && (form.store_id ?? "") === (proposedId(form.name) ?? "") && { store_id: proposedId(value) }) });
  const save = async () => {
    try {
      await keep([storeOf(form)]);
      say(t("{name} was saved", { name: form.name }));
      onDone();
    } catch (error) {
      error.errors = error.errors?.map(own);
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${isNew ? t("New store") : store.name} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Input} label=${t("Name")} value=${form.name} onInput=${set("name")} error=${errors.name} required />
    ${isNew && html`<${Input} label=${t("Id")} value=${form.store_id} onInput=${set("store_id")} error=${errors.store_id} hint=${t("as tills call it; it stays as it is")} required class="mono" />`}
    <${Input} label=${t("Region")} value=${form.region} onInput=${set("region")} error=${errors.region} hint=${t("where its statistics are counted")} required />
    <div class="columns"><${Select} label=${t("Time zone")} value=${form.time_zone} onInput=${set("time_zone")} options=${zoneOptions(form.time_zone)} error=${errors.time_zone} />
      <${Input} label=${t("Currency")} value=${form.currency} onInput=${set("currency")} error=${errors.currency} maxlength="3" required /></div>
    <div class="columns"><${Input} label=${t("Latitude")} value=${form.latitude} onInput=${set("latitude")} error=${errors["location.latitude_e6"]} inputmode="decimal" />
      <${Input} label=${t("Longitude")} value=${form.longitude} onInput=${set("longitude")} error=${errors["location.longitude_e6"]} inputmode="decimal" /></div>
    <${Input} label=${t("Payable with points, %")} value=${form.bonus_share} onInput=${set("bonus_share")} error=${errors.bonus_share} hint=${t("of a receipt, at most")} inputmode="decimal" />
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${save}>${t("Save")}<//></div>
  <//>`;
}

const TEMPLATE = "store_id,name,region,time_zone,currency,latitude,longitude,bonus_share\r\nkyiv-1,Khreshchatyk 1,Kyiv,Europe/Kyiv,UAH,50.4501,30.5234,50\r\n";
const NEEDED = ["store_id", "name", "region", "time_zone", "currency"];

export function UploadStores({ onClose, onDone }) {
  const [read, setRead] = useState(null);
  const [problem, setProblem] = useState(null);
  const choose = async (event) => {
    const [file] = event.target.files;
    setProblem(null);
    setRead(file ? records(await file.text()) : null);
  };
  const missing = read ? NEEDED.filter((name) => !read.names.includes(name)) : [];
  const send = async () => {
    try {
      const { stores, changed } = await keep(read.rows.map(({ values }) => storeOf(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "")))));
      say(t("{stores}, {changed} of them new or changed", { stores: tn(stores, "{n} store", "{n} stores"), changed }));
      onDone();
    } catch (error) {
      setProblem(error);
    }
  };
  const placed = (field) => {
    const [, n, column] = /^stores\.(\d+)\.?(.*)$/.exec(field) ?? [];
    return n === undefined ? field : [t("Line {n}", { n: read.rows[Number(n)]?.line ?? Number(n) + 2 }), column].filter(Boolean).join(", ");
  };
  return html`<${Dialog} title=${t("Upload stores")} onClose=${onClose}>
    <${Field} label=${t("CSV file")} hint=${t("with a header: store_id, name, region, time_zone, currency and, as you have them, latitude, longitude, bonus_share (%)")}>${(control) => html`
      <input type="file" accept=".csv,text/csv,text/plain" ...${control} onChange=${choose} />`}<//>
    <p><a href="data:text/csv;charset=utf-8,${encodeURIComponent(TEMPLATE)}" download="stores.csv">${t("Template")}</a></p>
    ${read && (missing.length ? html`<${Notice} kind="bad">${t("The header lacks {names}.", { names: missing.join(", ") })}<//>` : html`<${Notice}>${tn(read.rows.length, "{n} store", "{n} stores")}<//>`)}
    ${problem && (problem.errors?.length ? html`<${Notice} kind="bad"><ul class="plain-list small">${problem.errors.slice(0, 20).map((one) => html`<li key=${one.field + one.message}>${placed(one.field)}: ${explained(one.message)}</li>`)}</ul><//>` : html`<${Failure} problem=${problem} />`)}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" disabled=${!read?.rows.length || missing.length > 0} onAct=${send}>${t("Upload")}<//></div>
  <//>`;
}
