// One customer: everything that is known, as pictures and figures.

import { at, call, get, may } from "./api.js";
import { RULES, SEVERITIES, STATUSES } from "./alert_names.js";
import { Fifth, Heat, Parts, Ranked, Weeks } from "./customer_charts.js";
import { CLASSES, DEVICES, kept, moneyKept, pageOfSegment, spendingIn } from "./customer_names.js";
import { count, day, decimal, money, percent, quantity, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { OFFER_STATES, REASONS } from "./policy_names.js";
import { show, TitleBar } from "./shell.js";
import { Action, Badge, Dialog, Empty, Failure, Input, List, Loading, html, useAddress, useAsk, useId, useState } from "./ui.js";
import "./words_alerts.js";
import "./words_customers.js";
import "./words_offers.js";

const path = (id) => `/v1/profiles/${encodeURIComponent(id)}`;

const Tile = ({ title, value, sub }) => html`<div class="card customer-tile"><dt>${title}</dt><dd><b>${value}</b>${sub && html`<span class="sub muted">${sub}</span>`}</dd></div>`;

function Tiles({ profile, currency }) {
  const spending = spendingIn(profile, currency);
  const others = profile.spending.filter((one) => one.currency !== currency);
  const { forecast } = profile;
  return html`<dl class="customer-tiles">
    <${Tile} title=${t("Purchases")} value=${count(profile.purchases)} sub=${t("{n} in 90 days", { n: count(profile.purchases_90_days) })} />
    <${Tile} title=${t("Spent")} value=${moneyKept(spending)} sub=${others.length ? others.map(moneyKept).join(" · ") : spending?.refunded ? t("after {refunds} refunded", { refunds: money(spending.refunded, currency) }) : ""} />
    <${Tile} title=${t("Average receipt")} value=${spending?.purchases ? money(Math.round(kept(spending) / spending.purchases), currency) : "–"} />
    <${Tile} title=${t("Last purchase")} value=${profile.last_purchase_at ? day(profile.last_purchase_at.slice(0, 10)) : "–"} sub=${profile.first_purchase_at ? t("first {day}", { day: day(profile.first_purchase_at.slice(0, 10)) }) : ""} />
    <${Tile} title=${t("With a promotion")} value=${profile.purchases ? percent(profile.promo_share / 10_000) : "–"} sub=${tn(profile.promo_purchases, "{n} purchase", "{n} purchases")} />
    <${Tile} title=${t("Will buy")} value=${forecast ? percent(forecast.probability / 10_000, 0) : "–"} sub=${forecast ? t("within {n} days", { n: forecast.days }) : t("nothing is forecast yet")} />
  </dl>`;
}

function Standing({ profile, segments }) {
  const id = useId();
  const { rfm, forecast } = profile;
  return html`<section class="panel" aria-labelledby=${id}><header><h2 id=${id}>${t("Segments")}</h2></header><div class="body">
    ${segments.length ? html`<ul class="plain-list">${segments.map((one) => html`<li key=${one.segment_id} class="between"><a href=${pageOfSegment(one.segment_id)}>${one.name}</a><span class="muted small">${t("since {day}", { day: time(one.since) })}</span></li>`)}</ul>`
      : html`<p class="muted">${t("In no segment.")}</p>`}
    ${rfm && html`<div><h3>${t("Among all customers, in fifths")}</h3><${Fifth} name=${t("Recency")} value=${rfm.recency} /><${Fifth} name=${t("Frequency")} value=${rfm.frequency} /><${Fifth} name=${t("Monetary value")} value=${rfm.monetary} /></div>`}
    ${forecast && html`<div><h3>${t("Forecast")}</h3><dl class="facts">
      <dt>${t("Buys within {n} days", { n: forecast.days })}</dt><dd>${percent(forecast.probability / 10_000)}</dd>
      <dt>${t("Purchases expected")}</dt><dd>${decimal(forecast.expected_purchases / 1000, 1)}</dd>
      <dt>${t("Next purchase about")}</dt><dd>${forecast.expected_on ? day(forecast.expected_on) : t("not soon")}</dd>
      <dt>${t("Model")}</dt><dd>${forecast.model} <span class="muted small">${time(forecast.made_at)}</span></dd></dl></div>`}
  </div></section>`;
}

function Offers({ offers }) {
  const id = useId();
  const state = (one) => OFFER_STATES()[one.status] ?? ["", one.status];
  const columns = [
    { key: "reason", title: t("Offer"), cell: (one) => html`<a href=${at("customers", `/policy?policy_id=${encodeURIComponent(one.policy_id)}`)}>${one.reason}</a><span class="sub">${t("step {n}", { n: one.step })} · ${percent(one.discount / 10_000)}</span>` },
    { key: "status", title: t("Status"), cell: (one) => html`<${Badge} kind=${state(one)[0]}>${state(one)[1]}<//>${one.why && html`<span class="sub">${REASONS()[one.why] ?? one.why}</span>`}` },
    { key: "sent", title: t("To be sent"), cell: (one) => html`${time(one.send_at)}<span class="sub">${t("until {end}", { end: time(one.valid_until) })}</span>` },
    { key: "given", title: t("Given"), number: true, cell: (one) => (one.given ? money(one.given, one.currency) : "–") },
  ];
  return html`<section class="panel" aria-labelledby=${id}><header><h2 id=${id}>${t("Offers")}</h2></header>
    <${List} label=${t("Offers")} columns=${columns} rows=${offers} rowKey=${(one) => one.offer_id} empty=${html`<div class="body"><p class="muted">${t("No offers yet.")}</p></div>`} /></section>`;
}

function Alerts({ alerts }) {
  const id = useId();
  const columns = [
    { key: "rule", title: t("Suspicion"), cell: (one) => html`<a href=${at("customers", `/alerts?alert_id=${encodeURIComponent(one.alert_id)}`)}>${RULES()[one.rule]?.[0] ?? one.rule}</a><span class="sub">${SEVERITIES()[one.severity][1]}</span>` },
    { key: "status", title: t("Status"), cell: (one) => html`<${Badge} kind=${STATUSES()[one.status][0]}>${STATUSES()[one.status][1]}<//>${one.blocked && html`<span class="sub">${t("blocked")}</span>`}` },
    { key: "times", title: t("How often"), number: true, cell: (one) => count(one.times) },
    { key: "last", title: t("Last seen"), cell: (one) => time(one.last_seen_at) },
  ];
  return html`<section class="panel" aria-labelledby=${id}><header><h2 id=${id}>${t("Alerts")}</h2></header>
    <${List} label=${t("Alerts")} columns=${columns} rows=${alerts} rowKey=${(one) => one.alert_id} empty=${html`<div class="body"><p class="muted">${t("No suspicion of abuse.")}</p></div>`} /></section>`;
}

function Pictures({ data }) {
  const { profile, currency } = data;
  const [shown, setShown] = useState("purchases");
  const groups = profile.favourites.map((one) => ({ name: one.currency === currency ? one.group : `${one.group} (${one.currency})`, value: one.purchases, quantity: one.quantity, paid: money(one.paid, one.currency) }));
  const { codes, bonuses } = profile;
  const none = t("Nothing yet.");
  return html`<${Weeks} weeks=${data.weeks} currency=${currency} shown=${shown} onShow=${setShown} />
    <${Heat} heat=${data.heat} />
    <div class="columns">
      <${Ranked} title=${t("Favourite groups")} hint=${t("on how many receipts")} rows=${groups} head=${t("Group")} more=${[[t("Quantity"), (row) => quantity(row.quantity), true], [t("Paid"), (row) => row.paid, true]]} empty=${none} />
      <${Ranked} title=${t("Stores")} rows=${profile.stores.map((one) => ({ name: one.store_id, value: one.purchases }))} head=${t("Store")} empty=${none} />
      <${Ranked} title=${t("Devices")} rows=${profile.devices.map((one) => ({ name: DEVICES()[one.device] ?? one.device, value: one.purchases }))} head=${t("Device")} empty=${none} />
      <${Parts} title=${t("Promotions")} hint=${t("of all purchases")} parts=${[[t("with a promotion"), profile.promo_purchases, "promo"], [t("without one"), profile.purchases - profile.promo_purchases, "rest"]]} empty=${none} />
      <${Parts} title=${t("Personal codes")} parts=${[[t("used"), codes.used, "promo"], [t("not used"), codes.unused, "rest"]]} empty=${t("None were given.")}>
        <p class="muted small">${t("{n} receipts with any code", { n: count(codes.receipts_with_code) })}</p><//>
      <${Parts} title=${t("Bonus points")} hint=${t("balance {n}", { n: count(bonuses.balance) })} parts=${[[t("spent"), bonuses.spent, "promo"], [t("expired"), bonuses.expired, "warn"], [t("taken back"), bonuses.taken_back, "bad"], [t("left"), Math.max(0, bonuses.balance), "rest"]]} empty=${t("None were earned.")} />
    </div>`;
}

function EraseDialog({ id, onClose }) {
  const [typed, setTyped] = useState("");
  const erase = async () => {
    const { erasure_id: made } = await call("customers", "POST", `/v1/customers/${encodeURIComponent(id)}/erasure`);
    location.assign(at("customers", `/erasures?erasure_id=${made}`));
  };
  return html`<${Dialog} title=${t("Erase {id}?", { id })} onClose=${onClose}>
    <p>${t("Everything that is known of this customer is deleted, in every service. It cannot be undone. Receipts and sums stay, without the id.")}</p>
    <${Input} label=${t("Type the id to confirm")} value=${typed} onInput=${setTyped} class="mono" autocomplete="off" />
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="danger" disabled=${typed !== id} onAct=${erase}>${t("Erase")}<//></div>
  <//>`;
}

function Unknown({ id }) {
  const { data } = useAsk((signal) => get("customers", `/v1/erasures?customer_id=${encodeURIComponent(id)}`, { signal }), [id]);
  const erased = data?.items[0];
  return html`<section class="panel"><${Empty} title=${t("Nothing is known of this customer")}
    action=${erased && html`<a class="button" href=${at("customers", `/erasures?erasure_id=${erased.erasure_id}`)}>${t("The report")}</a>`}>
    ${erased ? t("Erased on {day}.", { day: time(erased.requested_at) }) : t("No purchase with this id has been seen.")}<//></section>`;
}

function Page() {
  const [{ customer_id: id = "" }] = useAddress();
  const { data, problem, reload } = useAsk((signal) => get("customers", path(id), { signal }), [id]);
  const [erasing, setErasing] = useState(false);
  const profile = data?.profile;
  const badge = profile?.rfm && html`<${Badge} kind="plain">${CLASSES()[profile.rfm.rfm_class] ?? profile.rfm.rfm_class}<//>`;
  return html`<${TitleBar} title=${html`<span class="mono">${id || "–"}</span>`} above=${[at("customers", "/customers"), t("Customers")]} badge=${badge}>
      ${id && may("customers:erase") && html`<button type="button" class="danger" onClick=${() => setErasing(true)}>${t("Erase")}</button>`}<//>
    ${problem ? (problem.status === 404 || problem.status === 422 ? html`<${Unknown} id=${id} />` : html`<${Failure} problem=${problem} retry=${reload} />`)
      : !data ? html`<section class="panel"><${Loading} rows=${8} /></section>` : html`
      <${Tiles} profile=${profile} currency=${data.currency} />
      <div class="two-columns"><div class="stack"><${Pictures} data=${data} /></div>
        <div class="stack"><${Standing} profile=${profile} segments=${data.segments} /></div></div>
      <${Offers} offers=${data.offers} />
      <${Alerts} alerts=${data.alerts} />
      <p class="muted small">${t("As of {time}. Pictures are of the last 400 days, figures of all time.", { time: time(profile.as_of) })}</p>`}
    ${erasing && html`<${EraseDialog} id=${id} onClose=${() => setErasing(false)} />`}`;
}

show("/customers", t("Customer"), Page);
