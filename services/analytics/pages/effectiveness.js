// What campaigns are worth: figures of each, uplift against the control group, and where to move budget.

import { useAsked } from "./asked.js";
import { Categories } from "./categories.js";
import { CopyLink, Filters, useChoices, useQuestion, withChanges } from "./filters.js";
import { count, day, decimal, money, percent, quantity } from "./format.js";
import { t, tn } from "./i18n.js";
import { fresh, Status } from "./live.js";
import { Reach } from "./reach.js";
import { show, TitleBar } from "./shell.js";
import { Suggestion } from "./suggestion.js";
import { Table, csv } from "./tables.js";
import { share, Uplift } from "./uplift.js";
import { Empty, Failure, html, useEffect, useMemo } from "./ui.js";
import "./words_statistics.js";

const STATUSES = () => ({ posted: t("posted"), running: t("running"), paused: t("paused"), finished: t("finished") });
const per = (value) => (value === null ? "–" : decimal(value));

function upliftInWords({ uplift }) {
  if (!uplift) return t("no control group");
  if (uplift.uplift === null) return t("not known yet");
  return `${share(uplift.uplift)} (${share(uplift.lower)} … ${share(uplift.upper)})`;
}

function Card({ row, currency, onPick }) {
  const facts = [
    [t("Conversion"), row.conversion === null ? "–" : percent(row.conversion / 10_000)],
    [t("Average receipt"), money(row.average_receipt, currency)],
    [t("Units per receipt"), row.units_per_receipt === null ? "–" : decimal(row.units_per_receipt / 1000, 1)],
    [t("Discount cost"), money(row.net_discount, currency)],
    [t("Revenue"), money(row.net_revenue, currency)],
    [t("Uplift"), upliftInWords(row)],
  ];
  return html`<article class="card worth" data-campaign=${row.campaign_id}>
    <h3><button type="button" class="link" onClick=${onPick}>${row.campaign}</button></h3>
    <p class="muted small">${STATUSES()[row.status] ?? row.status} · ${tn(row.receipts, "{n} receipt", "{n} receipts")}</p>
    <p class="worth-figure"><b data-per-discount>${per(row.revenue_per_discount)}</b> <span class="muted">${t("revenue for 1.00 of discount")}</span></p>
    <dl>${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
  </article>`;
}

function columnsIn(currency) {
  const inMoney = (minor) => money(minor, currency);
  const number = (key, title, write, help) => ({ key, title, help, number: true, value: (row) => row[key], cell: (row) => write(row[key]) });
  return [
    { key: "campaign", title: t("Campaign"), value: (row) => row.campaign, cell: (row) => row.campaign },
    number("receipts", t("Receipts"), count, t("Paid receipts with a benefit of it, before returns")),
    number("conversion", t("Conversion"), (value) => (value === null ? "–" : percent(value / 10_000)), t("Activations of the cart revisions that considered it")),
    number("average_receipt", t("Average receipt"), inMoney),
    number("units", t("Units"), quantity),
    number("units_per_receipt", t("Units per receipt"), (value) => (value === null ? "–" : decimal(value / 1000, 1))),
    number("net_discount", t("Discount cost"), inMoney, t("Discounts given, less what returns took back")),
    number("net_revenue", t("Revenue"), inMoney, t("Paid amount of its receipts, less refunds")),
    number("revenue_per_discount", t("Revenue per 1.00 of discount"), per),
    { key: "uplift", title: t("Uplift"), number: true, help: t("Revenue because of the campaign, with its 95% interval"), value: (row) => row.uplift?.uplift ?? null, cell: upliftInWords },
  ];
}

function Effectiveness() {
  const question = useQuestion();
  const { asked, set, forget } = question;
  const query = useMemo(() => withChanges(question.query, { emission_id: null, instrument_id: null }), [question.query]);
  const [choices] = useChoices();
  const { data, problem, reload } = useAsked("effectiveness", query);
  const freshness = useMemo(() => data && fresh(data), [data]);
  useEffect(() => {
    if (problem?.status === 422) forget(problem.errors.map((error) => error.field));
  }, [problem]);
  const rows = data?.rows ?? [];
  const currency = data?.currency;
  const pick = (row) => set({ campaign_id: asked.campaign_id === row.campaign_id ? "" : row.campaign_id });
  const days = !data?.first_day ? t("Whole days are counted")
    : data.last_day ? t("Whole days are counted: {first} – {last}", { first: day(data.first_day), last: day(data.last_day) })
      : t("Whole days are counted: from {first} until now", { first: day(data.first_day) });
  return html`<${TitleBar} title=${t("Effectiveness")}>
      <${Status} state=${problem ? "reconnecting" : data ? "read" : "connecting"} freshness=${freshness} /><${CopyLink} />
    <//>
    <${Filters} question=${question} choices=${choices} currencies=${data?.currencies} currency=${currency} without=${["emission_id", "instrument_id"]} />
    <p class="muted small days">${days}</p>
    ${problem && html`<${Failure} problem=${problem} retry=${reload} />`}
    <div class="figures" aria-busy=${!data}>
      <${Suggestion} data=${data} />
      <section class="worths" aria-label=${t("Campaigns")}><h2 class="visually-hidden">${t("Campaigns")}</h2>
        ${data ? rows.slice(0, 12).map((row) => html`<${Card} key=${row.campaign_id} row=${row} currency=${currency} onPick=${() => pick(row)} />`)
          : [0, 1, 2].map((i) => html`<article class="card worth skeleton" key=${i}>…</article>`)}
        ${data && !rows.length && html`<div class="card"><${Empty} title=${t("No campaign has brought anything here")}>${t("Choose a longer period, or clear the filters.")}<//></div>`}
      </section>
      <${Uplift} rows=${rows} loaded=${Boolean(data)} currency=${currency} />
      <section class="panel" aria-label=${t("All figures by campaign")}>
        <header><h2>${t("All figures by campaign")}</h2>
          <div class="actions"><a class="button small quiet" href=${csv("effectiveness", query)} download aria-label=${t("Download {title} as CSV", { title: t("All figures by campaign") })}>CSV</a></div></header>
        <div class="box table-tall worth-table"><div class="scroll" tabindex="0" role="region" aria-label=${t("All figures by campaign")}>
          <${Table} id="worth" label=${t("All figures by campaign")} columns=${columnsIn(currency)} rows=${rows} rowKey=${(row) => row.campaign_id} onPick=${pick}
            picked=${(row) => row.campaign_id === asked.campaign_id} first=${{ key: "net_revenue", descending: true }} attributes=${(row) => ({ "data-campaign": row.campaign_id })} />
        </div></div>
      </section>
      <${Reach} query=${query} asked=${asked} set=${set} />
      <${Categories} query=${withChanges(query, { store_id: null, device: null, region: null })} narrowed=${Boolean(asked.store_id || asked.device || asked.region)} />
    </div>`;
}

show("/effectiveness", t("Effectiveness"), Effectiveness);
