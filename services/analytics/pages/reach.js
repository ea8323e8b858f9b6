// How many different customers campaigns reach.

import { Bars } from "./bars.js";
import { count, day } from "./format.js";
import { t } from "./i18n.js";
import { useAsked } from "./asked.js";
import { Panel, csv } from "./tables.js";
import { Failure, html } from "./ui.js";
import "./words_statistics.js";

const within = ({ lower, upper }) => t("{lower}–{upper} (95%)", { lower: count(lower), upper: count(upper) });
const estimates = (title, name) => [
  { key: "name", title, value: name, cell: name },
  { key: "estimate", title: t("Customers"), number: true, value: (row) => row.customers.estimate, cell: (row) => count(row.customers.estimate) },
  { key: "lower", title: t("At least"), number: true, value: (row) => row.customers.lower, cell: (row) => count(row.customers.lower) },
  { key: "upper", title: t("At most"), number: true, value: (row) => row.customers.upper, cell: (row) => count(row.customers.upper) },
];

export function Reach({ query, asked, set }) {
  const { data, problem, reload } = useAsked("customers", query);
  const { campaigns = [], days = [], customers } = data ?? {};
  const pick = (row) => set({ campaign_id: asked.campaign_id === row.id ? "" : row.id });
  const rows = campaigns.map((row) => ({ ...row, id: row.campaign_id }));
  const most = Math.max(...days.map((row) => row.customers.estimate), 1);
  const failure = problem && html`<${Failure} problem=${problem} retry=${reload} />`;
  return html`<div class="panels">
    <${Panel} id="reach" title=${t("Customers by campaign")} units=${customers ? "" : t("customers, an estimate")} note=${customers ? t("{n} in all, {within}", { n: count(customers.estimate), within: within(customers) }) : ""}
        download=${csv("customers", query)} empty=${failure || (data && !rows.length ? t("No customer was named on a receipt here.") : null)}
        table=${{ columns: estimates(t("Campaign"), (row) => row.campaign), rows, rowKey: (row) => row.id, onPick: pick, picked: (row) => row.id === asked.campaign_id }}>
      <${Bars} id="reach" colour="customers" onPick=${pick} picked=${asked.campaign_id}
        rows=${rows.map((row) => ({ id: row.id, name: row.campaign, value: row.customers.estimate, title: `${row.campaign}: ${within(row.customers)}` }))} />
    <//>
    <${Panel} id="reach-days" title=${t("Customers by day")} units=${t("customers, an estimate")} download=${csv("customers", query)} empty=${failure || (data && !days.length ? t("No customer was named on a receipt here.") : null)}
        table=${{ columns: estimates(t("Day"), (row) => day(row.day)), rows: days, rowKey: (row) => row.day }}>
      <svg class="columns-chart" viewBox="0 0 ${Math.max(days.length, 1) * 10} 100" preserveAspectRatio="none" role="img" aria-label=${t("Customers by day")}>
        ${days.map((row, i) => html`<rect key=${row.day} x=${i * 10 + 1.5} width="7" y=${100 - (96 * row.customers.estimate) / most} height=${(96 * row.customers.estimate) / most}><title>${day(row.day)}: ${count(row.customers.estimate)}</title></rect>`)}
      </svg>
      <p class="columns-axis muted small"><span>${days.length ? day(days[0].day) : ""}</span><span>${days.length ? t("at most {n} a day", { n: count(most) }) : ""}</span><span>${days.length ? day(days.at(-1).day) : ""}</span></p>
    <//>
  </div>`;
}
