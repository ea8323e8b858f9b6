// All segments: who is in them by now, and how that went in the last days.

import { at, get, may } from "./api.js";
import { count, time } from "./format.js";
import { language, t } from "./i18n.js";
import { nameOf, Progress, Spark } from "./segment_parts.js";
import { show, TitleBar } from "./shell.js";
import { Badge, Empty, Failure, List, Loading, Pager, html, useAddress, useAsk, useEffect, useSettled, useState } from "./ui.js";
import "./words_segments.js";

const PAGE = 25;
const AGAIN_MS = 2000;
const pageOf = (id) => at("customers", `/segment?segment_id=${encodeURIComponent(id)}`);

function Page() {
  const [asked, change] = useAddress();
  const [text, setText] = useState(asked.search ?? "");
  const settled = useSettled(text);
  useEffect(() => { if (settled !== (asked.search ?? "")) change({ search: settled, offset: undefined }, { replace: true }); }, [settled]);
  const sort = asked.sort ?? "-members";
  const offset = Number(asked.offset) || 0;
  const archived = asked.archived === "true";
  const query = new URLSearchParams({ sort, offset, limit: PAGE, archived, language, ...(asked.search && { search: asked.search }) });
  const { data, problem, loading, reload } = useAsk((signal) => get("customers", `/v1/segments?${query}`, { signal }), [String(query)]);
  const busy = data?.items.some((one) => one.progress);
  useEffect(() => {
    if (!busy) return undefined;
    const timer = setTimeout(reload, AGAIN_MS);
    return () => clearTimeout(timer);
  }, [busy, data]);
  const columns = [
    { key: "name", sort: true, title: t("Segment"), cell: (one) => html`<a href=${pageOf(one.segment_id)}>${nameOf(one)}</a><span class="sub mono">${one.segment_id}</span>` },
    { key: "sentence", title: t("Who is in it"), cell: (one) => html`<span class="said">${one.sentence}</span><${Progress} segment=${one} />` },
    { key: "members", sort: true, number: true, title: t("Members"), cell: (one) => count(one.members) },
    { key: "trend", title: t("Last 30 days"), cell: (one) => html`<${Spark} values=${one.trend} label=${t("Members of {name}: {from} 30 days ago, {to} now", { name: nameOf(one), from: count(one.trend[0]), to: count(one.members) })} />` },
    { key: "changed_at", sort: true, title: t("Changed"), cell: (one) => (one.builtin && one.version === 1 ? html`<${Badge} kind="plain">${t("built in")}<//>` : html`${time(one.changed_at)}<span class="sub">${one.changed_by.replace(/^(user|key):/, "")}</span>`) },
  ];
  const empty = html`<${Empty} title=${asked.search ? t("Nothing found") : t("No segments here")}><//>`;
  return html`<${TitleBar} title=${t("Segments")}>${may("customers:write") && html`<a class="button primary" href=${at("customers", "/segment")}>${t("New segment")}</a>`}<//>
    <section class="panel" aria-label=${t("Segments")}>
      <div class="toolbar" role="search">
        <input type="search" placeholder=${t("Search")} aria-label=${t("Search")} value=${text} onInput=${(event) => setText(event.target.value)} />
        <select aria-label=${t("Show")} value=${String(archived)} onChange=${(event) => change({ archived: event.target.value === "true" ? "true" : undefined, offset: undefined })}>
          <option value="false" selected=${!archived}>${t("in use")}</option><option value="true" selected=${archived}>${t("archived")}</option></select>
      </div>
      ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} rows=${8} />`
        : html`<div aria-busy=${loading}><${List} label=${t("Segments")} columns=${columns} rows=${data.items} rowKey=${(one) => one.segment_id} sort=${sort} onSort=${(next) => change({ sort: next, offset: undefined })} empty=${empty} /></div>
          ${data.total > 0 && html`<${Pager} offset=${offset} limit=${PAGE} total=${data.total} onPage=${(next) => change({ offset: next || undefined })} />`}`}
    </section>`;
}

show("/segments", t("Segments"), Page);
