// The dashboard: a stream of snapshots of what was asked, and the latest of them.

import { Activity, Comparison } from "./activity.js";
import { Caps } from "./caps.js";
import { CopyLink, Filters, useChoices, useQuestion, withChanges } from "./filters.js";
import { t } from "./i18n.js";
import { Notices, Status, useSnapshots } from "./live.js";
import { Campaigns, Codes, Devices, Instruments, Refusals, Regions, Stores } from "./parts.js";
import { show, TitleBar } from "./shell.js";
import { Tiles } from "./tiles.js";
import { html, useEffect, useRef } from "./ui.js";
import { useCustomers } from "./customers.js";
import "./words_statistics.js";

function nothing({ filtered, asked }) {
  if (filtered) return t("Nothing was counted for this choice. Clear the filters, or choose a longer period.");
  if (asked.period !== "all") return t("Nothing was counted in this period yet. Choose a longer one.");
  return t("Nothing has been counted yet. Start a campaign and send carts and sales: they show here within a second.");
}

// New campaigns and stores become choices when they are first seen.
function useNews(snapshot, choices, load) {
  const loaded = useRef(0);
  useEffect(() => {
    if (!snapshot || performance.now() - loaded.current < 5_000) return;
    const known = (list, id) => list.some((one) => one.id === id);
    const isNew = snapshot.instruments.some((row) => !known(choices.campaigns, row.campaign_id)) || snapshot.stores.some((row) => !known(choices.stores, row.id));
    if (!isNew) return;
    loaded.current = performance.now();
    load();
  }, [snapshot]);
}

function Dashboard() {
  const question = useQuestion();
  const { asked, query, set, forget } = question;
  const [choices, load] = useChoices();
  const live = useSnapshots(`/v1/statistics/stream?${query}`);
  const { snapshot, current } = live;
  const second = asked.campaign_id && asked.compare && asked.compare !== asked.campaign_id ? asked.compare : null;
  const other = useSnapshots(second && `/v1/statistics/stream?${withChanges(query, { campaign_id: second, instrument_id: null })}`);
  const customers = useCustomers(query, snapshot);
  useNews(snapshot, choices, load);
  useEffect(() => {
    if (live.state === "refused") forget(live.problem.errors.map((error) => error.field));
  }, [live.state, live.problem]);
  const pick = (name) => (row) => set({ [name]: asked[name] === row.id ? "" : row.id });
  const given = { snapshot, query, asked, pick, set, nothing: nothing(question) };
  return html`<${TitleBar} title=${t("Dashboard")}>
      <${Status} state=${live.state} freshness=${live.freshness} /><${CopyLink} />
    <//>
    <${Filters} question=${question} choices=${choices} currencies=${snapshot?.currencies} currency=${snapshot?.currency}>
      <${Compare} asked=${asked} set=${set} campaigns=${choices.campaigns} />
    <//>
    <div id="figures" class="figures" aria-busy=${!(snapshot && current)}>
      <${Tiles} snapshot=${snapshot} customers=${customers} campaign=${asked.campaign_id} />
      ${second && html`<${Comparison} first=${snapshot} second=${other.current ? other.snapshot : null} query=${query} names=${[asked.campaign_id, second].map((id) => choices.campaigns.find((one) => one.id === id)?.name ?? id)} />`}
      <${Activity} ...${given} />
      <div class="panels">
        <${Caps} campaign=${asked.campaign_id} changed=${snapshot} />
        <${Regions} ...${given} />
        <${Stores} ...${given} />
        <${Devices} ...${given} />
        <${Campaigns} ...${given} />
        <${Codes} ...${given} />
        <${Refusals} ...${given} />
      </div>
      <${Instruments} ...${given} />
      <${Notes} />
    </div>
    <${Notices} ...${live} />`;
}

function Compare({ asked, set, campaigns }) {
  const value = asked.compare ?? "";
  return html`<select aria-label=${t("Compare with")} class=${value ? "set" : ""} disabled=${!asked.campaign_id} value=${value}
      title=${asked.campaign_id ? undefined : t("Choose a campaign first")} onChange=${(event) => set({ compare: event.target.value })}>
    <option value="" selected=${!value}>${t("Compare with …")}</option>
    ${campaigns.filter((one) => one.id !== asked.campaign_id).map((one) => html`<option key=${one.id} value=${one.id} selected=${one.id === value}>${one.name}</option>`)}
  </select>`;
}

const Notes = () => html`<details class="notes muted small"><summary>${t("How this is counted")}</summary>
  <p>${t("Cart revisions: a cart that changes is decided again, and each time counts; activations count paid receipts once. Returns count when they come in: activations, discount cost and bonuses are less what they took back; sales, receipts and revenue are as they were sold.")}</p>
  <p>${t("Device: from the user agent. Region: from the store; “(assigned)” marks demo data whose devices and regions follow a fixed rule. Receipts, sales and the average receipt are of all campaigns. Amounts of different currencies are never added.")}</p>
</details>`;

show("/dashboard", t("Dashboard"), Dashboard);
