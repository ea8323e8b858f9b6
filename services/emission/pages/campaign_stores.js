// The stores of a campaign: one by one, or all of a region.

import { get } from "./api.js";
import { t, tn } from "./i18n.js";
import { useField } from "./form.js";
import { Menu } from "./parts.js";
import { PickField } from "./picker.js";
import { html, useAsk } from "./ui.js";

const PAGE = 1_000;

async function allStores(signal) {
  const all = [];
  for (let offset = 0; ; offset += PAGE) {
    const { items, total } = await get("emission", `/v1/stores?limit=${PAGE}&offset=${offset}`, { signal });
    all.push(...items);
    if (items.length < PAGE || all.length >= (total ?? 0)) return all;
  }
}

export function StoresField({ at }) {
  const { value = [], set, readOnly } = useField(at);
  const { data } = useAsk(allStores, []);
  const regions = new Map();
  for (const { region, store_id: id } of data ?? []) regions.set(region, [...(regions.get(region) ?? []), id]);
  const add = (region) => set([...new Set([...value, ...regions.get(region)])]);
  return html`<${PickField} at=${at} source="stores" label=${t("Stores")} hint=${value.length ? tn(value.length, "in {n} store", "in {n} stores") : t("none: in all stores, also in those to come")}
      extra=${!readOnly && regions.size > 0 && html`<${Menu} text=${t("Add a region …")} className="" onChoose=${add} choices=${[...regions].sort().map(([region, ids]) => [region, `${region} (${ids.length})`])} />`} />
    ${!readOnly && value.length > 0 && html`<div><button type="button" class="small quiet" onClick=${() => set(undefined)}>${t("All stores instead")}</button></div>`}`;
}
