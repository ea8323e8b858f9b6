// The instruments of a campaign in the order in which they are tried.

import { get } from "./api.js";
import { language, t } from "./i18n.js";
import { useField } from "./form.js";
import { withoutNulls } from "./documents.js";
import { moved } from "./moving.js";
import { pageOf } from "./parts.js";
import { Picker } from "./picker.js";
import { html, useAsk, useEffect, useRef, useState } from "./ui.js";

const VIEW_ONLY = ["sentence", "created_at", "created_by", "changed_at", "changed_by"];

// An instrument as the API takes it, of what the API shows.
export const instrumentOf = (view) => withoutNulls(Object.fromEntries(Object.entries(view).filter(([key]) => !VIEW_ONLY.includes(key))));

// The instruments themselves, by id; those that are not there are missing.
export async function instrumentsOf(ids, signal) {
  const found = await Promise.all(ids.map((id) => get("emission", `/v1/instruments/${encodeURIComponent(id)}?language=${language}`, { signal }).catch((problem) => {
    if (problem.status !== 404) throw problem;
    return null;
  })));
  return Object.fromEntries(found.filter(Boolean).map((one) => [one.instrument_id, one]));
}

export function Instruments({ at }) {
  const { value = [], set, error, readOnly } = useField(at);
  const { data: known } = useAsk((signal) => instrumentsOf(value, signal), [[...value].sort().join(" ")]);
  const [focused, setFocused] = useState(null);
  const list = useRef();
  useEffect(() => {
    if (!focused) return;
    list.current.children[focused.n]?.querySelector(`[data-move="${focused.what}"]`)?.focus();
    setFocused(null);
  }, [focused]);
  const move = (from, by) => {
    const { next, n, pressed } = moved(value, from, by);
    set(next);
    setFocused({ n, what: pressed });
  };
  return html`
    ${value.length > 0 && html`<ol class="ordered" ref=${list}>${value.map((id, n) => html`<li key=${id}>
      <span class="order">${n + 1}</span>
      <div class="grow"><a href=${pageOf("instruments", id)}>${known?.[id]?.name ?? id}</a><span class="sub muted small">${known ? known[id]?.sentence ?? (known[id] ? "" : t("there is no such instrument any more")) : " "}</span></div>
      ${!readOnly && html`<div class="tools">
        <button type="button" class="small icon quiet" data-move="up" disabled=${n === 0} aria-label="${t("Move up")}: ${known?.[id]?.name ?? id}" title=${t("Move up")} onClick=${() => move(n, -1)}>↑</button>
        <button type="button" class="small icon quiet" data-move="down" disabled=${n === value.length - 1} aria-label="${t("Move down")}: ${known?.[id]?.name ?? id}" title=${t("Move down")} onClick=${() => move(n, 1)}>↓</button>
        <button type="button" class="small icon quiet" aria-label="${t("Remove")}: ${known?.[id]?.name ?? id}" title=${t("Remove")} onClick=${() => set(value.filter((one) => one !== id))}>✕</button></div>`}</li>`)}</ol>`}
    ${readOnly ? null : html`<${Picker} at=${at} source="instruments" label=${t("Add an instrument")} value=${[]} error=${error} required=${value.length === 0}
      onPick=${(ids) => set([...value, ...ids.filter((id) => !value.includes(id))])} extra=${html`<a class="button" href=${pageOf("instruments", "new")}>${t("New instrument")}</a>`} />`}`;
}
