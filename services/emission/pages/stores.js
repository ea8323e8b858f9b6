// Stores and customer groups.

import { may } from "./api.js";
import { t } from "./i18n.js";
import { count, percent } from "./format.js";
import { show, TitleBar } from "./shell.js";
import { EditGroup } from "./edit_group.js";
import { EditStore, UploadStores } from "./edit_store.js";
import { Listing } from "./listing.js";
import { Tabs, html, useAddress, useState } from "./ui.js";
import "./words_authoring.js";
import "./words_shop.js";

function Stores() {
  const [{ tab = "stores" }, change] = useAddress();
  const [asking, setAsking] = useState(null);
  const [turn, setTurn] = useState(0);
  const writes = may("campaigns:write");
  const close = () => setAsking(null);
  const done = () => { close(); setTurn((now) => now + 1); };
  return html`<${TitleBar} title=${t("Stores and groups")}>${writes && (tab === "groups"
        ? html`<button type="button" class="primary" onClick=${() => setAsking({ group: {} })}>${t("New group")}</button>`
        : html`<button type="button" onClick=${() => setAsking({ upload: true })}>${t("Upload stores")}</button><button type="button" class="primary" onClick=${() => setAsking({ store: {} })}>${t("New store")}</button>`)}<//>
    <${Tabs} tabs=${[["stores", t("Stores")], ["groups", t("Customer groups")]]} value=${tab} label=${t("Stores and groups")}
      onChange=${(next) => change({ tab: next === "stores" ? undefined : next, search: undefined, sort: undefined, offset: undefined })} />
    ${tab === "groups" ? html`<${Listing} key="groups" title=${t("Customer groups")} path="/v1/customer-groups" sort="name" turn=${turn} rowKey=${(one) => one.group_id}
        none=${[t("No groups yet"), t("A group is a list of customers that conditions and campaigns can name.")]}
        columns=${[
          { key: "name", sort: true, title: t("Group"), cell: (one) => html`<span class="strong">${one.name}</span><span class="sub mono">${one.group_id}</span>` },
          { key: "members", sort: true, number: true, title: t("Customers"), cell: (one) => count(one.members) },
          ...(writes ? [{ key: "actions", title: "", cell: (one) => html`<button type="button" class="small" aria-label="${t("Replace")} ${one.name}" onClick=${() => setAsking({ group: one })}>${t("Replace")}</button>` }] : []),
        ]} />`
      : html`<${Listing} key="stores" title=${t("Stores")} path="/v1/stores" sort="name" turn=${turn} rowKey=${(one) => one.store_id}
        none=${[t("No stores yet"), t("Statistics are counted by store and region; hours and weekdays go by the store's clock.")]}
        columns=${[
          { key: "name", sort: true, title: t("Store"), cell: (one) => html`<span class="strong">${one.name}</span><span class="sub mono">${one.store_id}</span>` },
          { key: "region", sort: true, title: t("Region"), cell: (one) => one.region },
          { key: "time_zone", title: t("Time zone"), cell: (one) => one.time_zone },
          { key: "currency", title: t("Currency"), cell: (one) => one.currency },
          { key: "bonus_share", number: true, title: t("Payable with points"), cell: (one) => percent(one.bonus_share / 10_000) },
          ...(writes ? [{ key: "actions", title: "", cell: (one) => html`<button type="button" class="small" aria-label="${t("Edit")} ${one.name}" onClick=${() => setAsking({ store: one })}>${t("Edit")}</button>` }] : []),
        ]} />`}
    ${asking?.store && html`<${EditStore} store=${asking.store} onClose=${close} onDone=${done} />`}
    ${asking?.upload && html`<${UploadStores} onClose=${close} onDone=${done} />`}
    ${asking?.group && html`<${EditGroup} group=${asking.group} onClose=${close} onDone=${done} />`}`;
}

show("/stores", t("Stores and groups"), Stores);
