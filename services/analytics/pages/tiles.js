// The tiles: a figure each, its change against the time before, and what it is made of.

import { count, money, percent, plain } from "./format.js";
import { t, tn } from "./i18n.js";
import { change } from "./names.js";
import { html, useEffect, useState } from "./ui.js";
import "./words_statistics.js";

const ANNOUNCE_EVERY_MS = 15_000;
const SIGNS = { up: "▲", down: "▼", same: "±" };

const LONG_BEFORE = () => ({
  "15m": t("the 15 minutes before"), hour: t("the hour before"), today: t("yesterday until now"), yesterday: t("the day before yesterday"),
  "7d": t("the 7 days before"), "30d": t("the 30 days before"), "90d": t("the 90 days before"),
});
const before = (period) => (period === "today" ? t("vs. yesterday") : period === "all" ? "" : t("vs. previous"));
const told = ({ sign, share }) => (sign === "up" ? t("up by {share}", { share }) : sign === "down" ? t("down by {share}", { share }) : t("unchanged"));

// Where there is nothing to tell (no receipt has no average) the line goes on to the next point.
function drawn(values) {
  const known = values.map((value, i) => [i, value]).filter(([, value]) => value !== null && value !== undefined);
  const numbers = known.map(([, value]) => value);
  if (known.length < 2 || !numbers.some(Boolean)) return { line: "", area: "" };
  const most = Math.max(...numbers, 1);
  const least = Math.min(...numbers, 0); // more came back than was sold
  const x = (i) => (100 * i / (values.length - 1)).toFixed(2);
  const line = known.map(([i, value], n) => `${n ? "L" : "M"}${x(i)} ${(26 - 22 * (value - least) / (most - least)).toFixed(2)}`).join("");
  return { line, area: `${line}L${x(known.at(-1)[0])} 28L${x(known[0][0])} 28Z` };
}

// `neutral`: more of it is neither good nor bad. `help`: what the figure is.
export function Tile({ id, title, help, value, changed, period, note = "", line = [], neutral = false, warn = false, colour = "" }) {
  const spark = drawn(line);
  const against = LONG_BEFORE()[period] ?? t("the time before");
  return html`<article class="card tile" id="card-${id}" data-colour=${colour}>
    <h2 title=${help}>${title}</h2>
    <p class="value ${value.length > 11 ? "long" : ""}" data-figure=${id} data-value>${value}</p>
    <p class="change" title=${changed ? t("compared with {time}", { time: against }) : undefined}>${changed && html`
      <span data-change class=${neutral ? "" : changed.sign}><span aria-hidden="true">${SIGNS[changed.sign]} ${changed.share}</span>
        <span class="visually-hidden">${told(changed)}</span></span> <span class="muted">${before(period)}</span>`}</p>
    <p class="note muted ${warn ? "warn" : ""}" data-note title=${note}>${note}</p>
    <svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true"><path class="area" d=${spark.area} /><path class="line" d=${spark.line} /></svg>
  </article>`;
}

// What a figure is made of where returns have taken back a part of it; otherwise nothing.
const less = (gross, returned, write) => (returned ? t("{gross} − {returned} returned", { gross: write(gross), returned: write(returned) }) : "");
export const lessActivations = (uses) => less(uses.gross_activations, uses.returned, count);
export const lessDiscount = (uses, currency) => less(uses.discount, uses.returned_discount, (minor) => plain(minor, currency));
export const lessBonuses = (uses) => less(uses.bonuses, uses.returned_bonuses, count);
export const conversion = (uses) => (uses.conversion === null || uses.conversion === undefined ? "–" : percent(uses.conversion / 10_000));

const NOTHING = { receipts: {}, instruments: {} };

export function Tiles({ snapshot, customers, campaign }) {
  const { currency, points, period, totals } = snapshot ?? { points: [], totals: NOTHING };
  const { receipts, instruments: uses } = totals;
  const then = snapshot?.previous;
  const was = then && then.receipts.receipts + then.instruments.carts > 0 ? then : NOTHING;
  const all = campaign ? t("all campaigns") : "";
  const share = receipts.total ? t("{share} of gross sales", { share: percent(uses.discount / receipts.total) }) : "";
  const unauthorised = uses.unauthorised_discount - uses.returned_unauthorised_discount;
  const wrong = unauthorised > 0 ? t("+ {amount} unauthorised", { amount: plain(unauthorised, currency) }) : "";
  const refunded = receipts.refunded ? t("{amount} refunded", { amount: plain(receipts.refunded, currency) }) : "";
  const of = (name) => (point) => point.receipts[name];
  const used = (name) => (point) => point.instruments[name];
  const tile = (id, title, value, now, past, more) => html`<${Tile} key=${id} id=${id} title=${title} value=${snapshot ? value : "–"}
    changed=${change(now, past)} period=${period} ...${more} line=${more.line ? points.map(more.line) : []} />`;
  return html`<section id="totals" class="tiles" aria-label=${t("Totals")}>
    ${tile("activations", t("Activations"), count(uses.activations), uses.activations, was.instruments.activations, {
      line: used("activations"), colour: "activations", help: t("Paid receipts that used an instrument, less those that were returned"),
      note: lessActivations(uses) || (uses.decided ? t("of {n} cart revisions", { n: count(uses.decided) }) : ""),
    })}
    ${tile("conversion", t("Conversion"), conversion(uses), uses.conversion, was.instruments.conversion, {
      colour: "activations", line: used("conversion"), note: uses.carts ? t("of {n} carts considered", { n: count(uses.carts) }) : "", help: t("How many of the carts that an instrument was considered for became activations"),
    })}
    ${tile("average_with", t("Average with promotion"), money(receipts.average_with, currency), receipts.average_with, was.receipts.average_with, {
      colour: "receipts", line: of("average_with"), help: t("What a receipt with a benefit paid"), note: [receipts.promo_receipts ? tn(receipts.promo_receipts, "{n} receipt", "{n} receipts") : "", all].filter(Boolean).join(" · "),
    })}
    ${tile("average_without", t("Average without"), money(receipts.average_without, currency), receipts.average_without, was.receipts.average_without, {
      neutral: true, colour: "receipts", line: of("average_without"), help: t("What a receipt without a benefit paid"),
      note: receipts.promo_receipts === undefined ? "" : tn(receipts.receipts - receipts.promo_receipts, "{n} receipt", "{n} receipts"),
    })}
    ${tile("discount", t("Discount cost"), money(uses.net_discount, currency), uses.net_discount, was.instruments.net_discount, {
      neutral: true, colour: "discount", line: used("net_discount"), warn: Boolean(wrong), note: wrong || lessDiscount(uses, currency) || share, help: t("Discounts given, less what returns took back"),
    })}
    ${tile("receipts", t("Receipts"), count(receipts.receipts), receipts.receipts, was.receipts.receipts, { colour: "receipts", line: of("receipts"), note: all })}
    ${tile("paid", t("Sales"), money(receipts.paid, currency), receipts.paid, was.receipts.paid, {
      colour: "receipts", line: of("paid"), note: [refunded, all].filter(Boolean).join(" · "),
    })}
    ${tile("average", t("Average receipt"), money(receipts.average, currency), receipts.average, was.receipts.average, { colour: "receipts", line: of("average"), note: all })}
    <${Customers} ...${customers} />
    ${tile("bonuses", t("Bonuses"), count(uses.net_bonuses), uses.net_bonuses, was.instruments.net_bonuses, {
      neutral: true, line: used("net_bonuses"), note: lessBonuses(uses) || t("points"), help: t("Points earned, less what returns took back"),
    })}
    ${snapshot && html`<${Announcement} receipts=${receipts} uses=${uses} currency=${currency} />`}
  </section>`;
}

function Customers({ now, then, period, days = [] }) {
  const bounds = now ? t("{lower}–{upper} (95%)", { lower: count(now.lower), upper: count(now.upper) }) : "";
  return html`<${Tile} id="customers" title=${t("Unique customers")} value=${now ? count(now.estimate) : "–"} changed=${change(now?.estimate, then?.estimate)} period=${period}
    note=${bounds} help=${t("Customers who bought, on whole days; an estimate")} line=${days.map((one) => one.customers.estimate)} colour="customers" />`;
}

// Readers of screens are told now and then, not twice a second.
function Announcement({ receipts, uses, currency }) {
  const text = t("{receipts} receipts, sales {paid}, {activations} activations, discount {discount}.", {
    receipts: count(receipts.receipts), paid: money(receipts.paid, currency), activations: count(uses.activations), discount: money(uses.net_discount, currency),
  });
  const [said, say] = useState({ text, at: performance.now() });
  useEffect(() => {
    const timer = setTimeout(() => say({ text, at: performance.now() }), Math.max(0, said.at + ANNOUNCE_EVERY_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [text]);
  return html`<p class="visually-hidden" id="announcement" aria-live="polite">${said.text}</p>`;
}
