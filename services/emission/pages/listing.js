// A list page: what is searched, filtered, sorted and paged is in the address.

import { get, may } from "./api.js";
import { t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { sayWhatWasDone } from "./parts.js";
import { Empty, Failure, List, Loading, Pager, html, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";

const PAGE = 25;

// The page of a place of the menu: see Listing.
export function showList(here, title, more) {
  show(here, title, () => {
    useEffect(sayWhatWasDone, []);
    return html`<${TitleBar} title=${title}>${more.actions?.()}
        ${more.fresh && may("campaigns:write") && html`<a class="button primary" href="${here}/new">${more.fresh}</a>`}<//>
      <${Listing} title=${title} ...${more} />`;
  });
}

// path: of the API; filters: [[parameter, label, options]]; none: what is said while there is nothing at all.
export function Listing({ title, path, columns, filters = [], rowKey, sort: usual = "-changed_at", none, search = true, tools, turn = 0, more = "" }) {
  const [asked, change] = useAddress();
  const [text, setText] = useState(asked.search ?? "");
  const settled = useSettled(text);
  useEffect(() => { if (settled !== (asked.search ?? "")) change({ search: settled, offset: undefined }, { replace: true }); }, [settled]);
  useEffect(() => setText(asked.search ?? ""), [asked.search]);
  const sort = asked.sort ?? usual;
  const offset = Number(asked.offset) || 0;
  const query = new URLSearchParams({ sort, offset, limit: PAGE, ...(asked.search && { search: asked.search }) });
  for (const [name] of filters) if (asked[name]) query.set(name, asked[name]);
  const { data, problem, loading, reload } = useAsk((signal) => get("emission", `${path}?${query}${more}`, { signal }), [String(query), turn]);
  const narrowed = Boolean(asked.search) || filters.some(([name]) => asked[name]);
  const empty = narrowed
    ? html`<${Empty} title=${t("Nothing found")} action=${html`<button type="button" onClick=${() => change({ search: undefined, ...Object.fromEntries(filters.map(([name]) => [name, undefined])) })}>${t("Show all")}</button>`}>${t("Nothing matches what you look for.")}<//>`
    : html`<${Empty} title=${none?.[0] ?? t("Nothing yet")}>${none?.[1]}<//>`;
  return html`<section class="panel" aria-label=${title}>
    <div class="toolbar" role="search">
      ${search && html`<input type="search" placeholder=${t("Search")} aria-label=${t("Search")} value=${text} onInput=${(event) => setText(event.target.value)} />`}
      ${filters.map(([name, label, options]) => html`<select key=${name} aria-label=${label} value=${asked[name] ?? ""} onChange=${(event) => change({ [name]: event.target.value, offset: undefined })}>
        <option value="" selected=${!asked[name]}>${label}: ${t("all")}</option>${options.map(([key, said]) => html`<option key=${key} value=${key} selected=${asked[name] === key}>${said}</option>`)}</select>`)}
      ${tools}
    </div>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} rows=${8} />`
      : html`<div aria-busy=${loading}><${List} label=${title} columns=${columns} rows=${data.items} rowKey=${rowKey} sort=${sort} onSort=${(next) => change({ sort: next, offset: undefined })} empty=${empty} /></div>
        ${data.items.length > 0 && html`<${Pager} offset=${offset} limit=${PAGE} total=${data.total ?? data.items.length} onPage=${(next) => change({ offset: next || undefined })} />`}`}
  </section>`;
}
