// All instruments, each with its sentence.

import { language, t } from "./i18n.js";
import { time } from "./format.js";
import { BENEFITS } from "./kinds.js";
import { showList } from "./listing.js";
import { pageOf } from "./parts.js";
import { who } from "./history.js";
import { html } from "./ui.js";
import "./words_authoring.js";

const kinds = BENEFITS();
showList("/instruments", t("Instruments"), {
  path: "/v1/instruments", more: `&language=${language}`, fresh: t("New instrument"), rowKey: (one) => one.instrument_id,
  none: [t("No instruments yet"), t("An instrument is a set of conditions and the benefit that one gets for meeting them.")],
  filters: [
    ["benefit", t("Benefit"), Object.entries(kinds).map(([kind, { title }]) => [kind, title])],
    ["trigger", t("Given"), [["on_sale", t("on the receipt")], ["on_period_end", t("when the period ends")]]],
  ],
  columns: [
    { key: "name", sort: true, title: t("Instrument"), cell: (one) => html`<a href=${pageOf("instruments", one.instrument_id)}>${one.name}</a><span class="sub mono">${one.instrument_id}</span>` },
    { key: "sentence", title: t("In plain words"), cell: (one) => html`<span class="said">${one.sentence ?? ""}</span>` },
    { key: "benefit", title: t("Benefit"), cell: (one) => kinds[one.benefit.kind]?.title },
    { key: "priority", sort: true, number: true, title: t("Priority"), cell: (one) => one.priority },
    { key: "changed_at", sort: true, title: t("Changed"), cell: (one) => (one.changed_at ? html`${time(one.changed_at)}<span class="sub">${who(one.changed_by)}</span>` : "–") },
  ],
});
