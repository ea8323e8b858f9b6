// Ids chosen by searching: chips of what is chosen, and a field with suggestions (the ARIA combobox pattern).

import { get, may } from "./api.js";
import { count } from "./format.js";
import { t, tn } from "./i18n.js";
import { useField } from "./form.js";
import { Field, html, useAsk, useEffect, useId, useRef, useSettled, useState } from "./ui.js";

const MOST = 20;
const SHOWN = 12;
const encoded = encodeURIComponent;

const found = (path, id, name, sub) => ({
  search: async (text, signal) => (await get("emission", `${path}${path.includes("?") ? "&" : "?"}search=${encoded(text)}&limit=${MOST}`, { signal })).items.map((one) => ({ id: one[id], name: one[name], sub: sub?.(one), whole: one })),
});
const names = (path, parameter, id) => async (ids, signal) => {
  const asked = ids.slice(0, 50).map((one) => `${parameter}=${encoded(one)}`).join("&");
  const { items } = await get("emission", `${path}?limit=100&${asked}`, { signal });
  return Object.fromEntries(items.map((one) => [one[id], one.name]));
};

// Where suggestions come from; free: what nothing was found for may be chosen, too.
const SOURCES = {
  stores: { ...found("/v1/stores", "store_id", "name", (one) => one.region), names: names("/v1/stores", "store", "store_id") },
  groups: { ...found("/v1/customer-groups", "group_id", "name", (one) => tn(one.members, "{n} customer", "{n} customers")), names: names("/v1/customer-groups", "group", "group_id") },
  emissions: { ...found("/v1/emissions", "emission_id", "name", (one) => one.word ?? tn(one.count, "{n} code", "{n} codes")) },
  instruments: { ...found("/v1/instruments", "instrument_id", "name", (one) => one.sentence) },
  skus: { ...found("/v1/products", "sku", "name", (one) => [one.group, one.brand].filter(Boolean).join(" · ")), names: names("/v1/products", "sku", "sku"), free: true },
  product_groups: { ...found("/v1/products/groups", "name", "name", (one) => tn(one.products, "{n} product", "{n} products")), free: true },
  brands: { ...found("/v1/products/brands", "name", "name", (one) => tn(one.products, "{n} product", "{n} products")), free: true },
  regions: { search: async (text, signal) => regionsOf(await get("emission", `/v1/stores?limit=1000`, { signal }), text), free: true },
  segments: { search: segments, names: async (ids, signal) => Object.fromEntries((await segments("", signal, 500)).map((one) => [one.id, one.name])), free: true },
  values: { search: async () => [], free: true },
  currencies: { search: async (text) => Intl.supportedValuesOf("currency").filter((one) => one.startsWith(text.toUpperCase())).slice(0, MOST).map((id) => ({ id, name: new Intl.DisplayNames([document.documentElement.lang], { type: "currency" }).of(id) })) },
};

// Of the customers service; whoever may not ask it, or while it is away, types ids.
async function segments(text, signal, most = MOST) {
  if (!may("customers:read")) return [];
  const { items } = await get("customers", `/v1/segments?archived=false&search=${encoded(text)}&limit=${most}`, { signal }).catch(() => ({ items: [] }));
  return items.map((one) => ({ id: one.segment_id, name: one.name, sub: tn(one.members, "{n} customer", "{n} customers"), whole: one }));
}

function regionsOf({ items }, text) {
  const counted = new Map();
  for (const { region } of items) counted.set(region, (counted.get(region) ?? 0) + 1);
  return [...counted].filter(([name]) => name.toLowerCase().includes(text.toLowerCase())).slice(0, MOST).map(([id, n]) => ({ id, name: id, sub: tn(n, "{n} store", "{n} stores") }));
}

export function PickField({ at, label, hint, source, single = false, required, extra }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Picker} at=${at} label=${label} hint=${hint} source=${source} single=${single} required=${required} error=${error} disabled=${readOnly}
    value=${single ? (value ? [value] : []) : value ?? []} onPick=${(ids) => set(single ? ids[ids.length - 1] : ids.length ? ids : undefined)} extra=${extra} />`;
}

export function Picker({ at, label, hint, source, value, onPick, single = false, required, error, disabled, extra }) {
  const { names: ask, free } = SOURCES[source];
  const known = useNames(ask, value);
  const [all, setAll] = useState(false);
  const add = (chosen) => {
    known.learn(chosen);
    onPick(single ? [chosen.id] : value.includes(chosen.id) ? value : [...value, chosen.id], chosen);
  };
  const addMany = (ids) => onPick([...new Set([...value, ...ids])]);
  const shown = all ? value : value.slice(0, SHOWN);
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error} className="picker">${(control) => html`
    ${shown.length > 0 && html`<ul class="chips">${shown.map((id) => html`<li key=${id} class="chip"><span title=${id}>${known.names[id] && known.names[id] !== id ? html`${known.names[id]} <span class="muted mono small">${id}</span>` : id}</span>
      ${!disabled && html`<button type="button" aria-label=${t("Remove {name}", { name: known.names[id] ?? id })} onClick=${() => onPick(value.filter((one) => one !== id))}>✕</button>`}</li>`)}
      ${value.length > SHOWN && html`<li><button type="button" class="small quiet" onClick=${() => setAll(!all)}>${all ? t("Fewer") : t("and {n} more", { n: count(value.length - SHOWN) })}</button></li>`}</ul>`}
    ${!disabled && html`<div class="row nowrap"><${Suggestions} source=${source} free=${free} chosen=${value} onAdd=${add} onMany=${single ? null : addMany} control=${{ ...control, "data-field": at }} single=${single} />${extra}</div>`}`}<//>`;
}

function useNames(ask, ids) {
  const [names, setNames] = useState({});
  const missing = ask ? ids.filter((id) => !(id in names)) : [];
  useEffect(() => {
    if (!missing.length) return undefined;
    const stop = new AbortController();
    ask(missing, stop.signal).then((found) => setNames((before) => ({ ...Object.fromEntries(missing.map((id) => [id, id])), ...before, ...found })), () => null);
    return () => stop.abort();
  }, [missing.slice(0, 50).join(" ")]);
  return { names, learn: ({ id, name }) => setNames((before) => ({ ...before, [id]: name })) };
}

function Suggestions({ source, free, chosen, onAdd, onMany, control, single }) {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const settled = useSettled(text, 150);
  const id = useId();
  const box = useRef();
  const { data, loading } = useAsk((signal) => (open ? SOURCES[source].search(settled.trim(), signal) : Promise.resolve([])), [settled, open]);
  const suggested = (data ?? []).filter((one) => single || !chosen.includes(one.id));
  const own = free && text.trim() && !suggested.some((one) => one.id === text.trim()) ? [{ id: text.trim(), name: text.trim(), sub: t("as typed") }] : [];
  const options = [...suggested, ...own];
  useEffect(() => setActive(0), [settled]);
  const choose = (option) => {
    onAdd(option);
    setText("");
    setActive(0);
    if (single) setOpen(false);
  };
  const onKeyDown = (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      if (open && options.length) setActive((active + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      // While what is typed is still being looked for, what is shown is not meant.
      if (open && settled === text && !loading && options[active]) choose(options[active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      setOpen(false);
    }
  };
  const onPaste = (event) => {
    const pasted = event.clipboardData.getData("text").split(/[\n\t,;]+/).map((one) => one.trim()).filter(Boolean);
    if (pasted.length < 2 || !onMany) return;
    event.preventDefault();
    onMany(pasted);
  };
  return html`<div class="combobox" ref=${box} onFocusout=${(event) => box.current.contains(event.relatedTarget) || setOpen(false)}>
    <input type="text" role="combobox" autocomplete="off" spellcheck=${false} aria-expanded=${open} aria-controls="${id}-list" aria-autocomplete="list"
      aria-activedescendant=${open && options[active] ? `${id}-${active}` : undefined} placeholder=${single && chosen.length ? t("Choose another") : t("Search")} value=${text} ...${control} required=${false}
      onInput=${(event) => { setText(event.target.value); setOpen(true); }} onClick=${() => setOpen(true)} onKeyDown=${onKeyDown} onPaste=${onPaste} />
    <ul role="listbox" id="${id}-list" aria-label=${t("Suggestions")} hidden=${!open}>
      ${options.map((one, n) => html`<li role="option" id="${id}-${n}" key=${one.id} aria-selected=${n === active} onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(one)}>
        <span>${one.name}${one.name !== one.id && html` <span class="mono small muted">${one.id}</span>`}</span>${one.sub && html`<span class="sub small muted">${one.sub}</span>`}</li>`)}
      ${!options.length && html`<li role="option" aria-disabled="true" aria-selected="false" class="muted">${loading || settled !== text ? t("Searching …") : free ? t("Type one and press Enter") : t("Nothing found")}</li>`}
    </ul>
  </div>`;
}
