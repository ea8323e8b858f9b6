// All emissions of promo codes.

import { t } from "./i18n.js";
import { count, time } from "./format.js";
import { showList } from "./listing.js";
import { pageOf } from "./parts.js";
import { Status, statuses } from "./status.js";
import { html } from "./ui.js";
import "./words_authoring.js";

const valid = ({ valid_from: from, valid_until: until }) =>
  from && until ? `${time(from)} – ${time(until)}` : from ? t("from {time}", { time: time(from) }) : until ? t("until {time}", { time: time(until) }) : t("always");

showList("/emissions", t("Promo codes"), {
  path: "/v1/emissions", fresh: t("New promo codes"), rowKey: (one) => one.emission_id,
  none: [t("No promo codes yet"), t("A word for everybody, or a batch of codes of which each works once.")],
  filters: [["status", t("Status"), statuses("draft", "posting", "posted")], ["kind", t("Kind"), [["mass", t("a word for everybody")], ["personal", t("personal codes")]]]],
  columns: [
    { key: "name", sort: true, title: t("Promo codes"), cell: (one) => html`<a href=${pageOf("emissions", one.emission_id)}>${one.name}</a><span class="sub mono">${one.emission_id}</span>` },
    { key: "kind", sort: true, title: t("Kind"), cell: (one) => html`${one.kind === "mass" ? t("a word for everybody") : one.count === 0 ? t("personal codes on request") : t("personal codes")}<span class="sub mono">${one.word ?? one.pattern}</span>` },
    { key: "status", sort: true, title: t("Status"), cell: (one) => html`<${Status} value=${one.status} />` },
    { key: "count", sort: true, number: true, title: t("Codes"), cell: (one) => html`${count(one.count)}${one.requested_codes > 0 && html`<span class="sub">${t("+ {n} on request", { n: count(one.requested_codes) })}</span>`}` },
    { key: "valid_from", sort: true, title: t("Valid"), cell: valid },
    { key: "changed_at", sort: true, title: t("Changed"), cell: (one) => (one.changed_at ? time(one.changed_at) : "–") },
  ],
});
