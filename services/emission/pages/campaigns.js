// All campaigns.

import { t, tn } from "./i18n.js";
import { day, time } from "./format.js";
import { showList } from "./listing.js";
import { pageOf } from "./parts.js";
import { Status, statuses } from "./status.js";
import { who } from "./history.js";
import { html } from "./ui.js";
import "./words_authoring.js";

showList("/campaigns", t("Campaigns"), {
  path: "/v1/campaigns", fresh: t("New campaign"), rowKey: (one) => one.campaign_id,
  none: [t("No campaigns yet"), t("A campaign says when, where and for whom its instruments apply.")],
  filters: [["status", t("Status"), statuses("draft", "running", "paused", "finished")]],
  columns: [
    { key: "name", sort: true, title: t("Campaign"), cell: (one) => html`<a href=${pageOf("campaigns", one.campaign_id)}>${one.name}</a><span class="sub mono">${one.campaign_id}</span>` },
    { key: "status", sort: true, title: t("Status"), cell: (one) => html`<${Status} value=${one.status} />` },
    { key: "first_day", sort: true, title: t("Days"), cell: (one) => html`${day(one.first_day)} – ${day(one.last_day)}<span class="sub">${one.time_zone}</span>` },
    { key: "stores", title: t("Stores"), cell: (one) => (one.stores.length ? tn(one.stores.length, "{n} store", "{n} stores") : t("all stores")) },
    { key: "instruments", title: t("Instruments"), number: true, cell: (one) => one.instruments.length },
    { key: "changed_at", sort: true, title: t("Changed"), cell: (one) => (one.changed_at ? html`${time(one.changed_at)}<span class="sub">${who(one.changed_by)}</span>` : "–") },
  ],
});
