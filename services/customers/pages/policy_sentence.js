// A policy in plain words.

import { decimal, list, money } from "./format.js";
import { t, tn } from "./i18n.js";
import { MONTHS, WEEKDAYS, dayOfYear } from "./policy_names.js";
import "./words_offers.js";

const share = (points) => (typeof points === "number" ? `${decimal(points / 100)}%` : "…");
const days = (n) => (typeof n === "number" ? tn(n, "{n} day", "{n} days") : "…");

function between({ at_least: least, at_most: most }, write) {
  if (least !== undefined && least === most) return t("exactly {value}", { value: write(least) });
  if (least !== undefined && most !== undefined) return t("{least} to {most}", { least: write(least), most: write(most) });
  return least !== undefined ? t("at least {value}", { value: write(least) }) : t("at most {value}", { value: write(most) });
}

function audience({ who = {}, when = {} }, names) {
  const named = (ids) => ids.map((id) => `“${names[id] ?? id}”`);
  const parts = [];
  if (who.all_of?.length) parts.push(t("who are in {segments}", { segments: list(named(who.all_of)) }));
  if (who.any_of?.length) parts.push(t("who are in {segments}", { segments: list(named(who.any_of), "disjunction") }));
  if (who.none_of?.length) parts.push(t("who are not in {segments}", { segments: list(named(who.none_of), "disjunction") }));
  if (when.days_since_purchase) parts.push(t("whose last purchase was {days} ago", { days: between(when.days_since_purchase, days) }));
  if (when.purchases) parts.push(t("who have bought {times}", { times: between(when.purchases, (n) => tn(n, "{n} time", "{n} times")) }));
  if (when.probability) parts.push(t("whose next purchase has a probability of {share}", { share: between(when.probability, share) }));
  if (when.days_to_expected) parts.push(t("whose expected purchase is {days} away", { days: between(when.days_to_expected, (n) => (n < 0 ? `−${days(-n)}` : days(n))) }));
  if (when.promo_share) parts.push(t("who buy with promotions in {share} of cases", { share: between(when.promo_share, share) }));
  return parts.length ? t("Customers {conditions}", { conditions: list(parts) }) : t("All customers");
}

const discount = (policy) => (value) => (typeof value !== "number" ? "…" : policy.discounts_in === "amount" ? money(value, policy.currency) : share(value));

function gets(policy) {
  const write = discount(policy);
  const [first, ...more] = policy.steps ?? [];
  if (!first) return "";
  const texts = [t("get a code of their own for {discount} off, valid for {days}", { discount: write(first.discount), days: days(first.valid_days) })];
  for (const step of more) texts.push(t("if it is not used, one for {discount} ({days})", { discount: write(step.discount), days: days(step.valid_days) }));
  return `${texts.join("; ")}; ${t("never more than {discount}", { discount: write(policy.max_discount) })}`;
}

export function seasonInWords({ weekdays = [], months = [], spans = [] } = {}) {
  const parts = [];
  const [dayNames, monthNames] = [Object.fromEntries(WEEKDAYS("long")), Object.fromEntries(MONTHS("long"))];
  if (weekdays.length) parts.push(t("on {days}", { days: list(weekdays.map((key) => dayNames[key]), "disjunction") }));
  if (months.length) parts.push(t("in {months}", { months: list(months.map((n) => monthNames[n]), "disjunction") }));
  if (spans.length) parts.push(list(spans.map((one) => t("from {first} to {last}", { first: dayOfYear(one.starts), last: dayOfYear(one.until) })), "disjunction"));
  return parts.join(", ");
}

export function saleInWords(rule) {
  const id = rule.id ?? "…";
  const of = { chain: t("all stores"), region: rule.id ? t("region {id}", { id }) : t("their region"), store: rule.id ? t("store {id}", { id }) : t("their store"), group: t("product group {id}", { id }) }[rule.of ?? "chain"];
  const against = rule.against === "year_ago" ? t("those of the same days a year ago") : t("those of the days before");
  const bounds = [];
  if (rule.at_least !== undefined) bounds.push(t("at least {value}", { value: share(rule.at_least) }));
  if (rule.below !== undefined) bounds.push(t("below {value}", { value: share(rule.below) }));
  const values = { of, days: days(rule.days ?? 7), against, bounds: list(bounds) };
  return rule.measure === "paid" ? t("while the turnover of {of} in the last {days} is {bounds} of {against}", values) : t("while the number of purchases of {of} in the last {days} is {bounds} of {against}", values);
}

function sent({ sending = {}, quiet_hours: quiet, season, sales = [] }) {
  const { at = "usual_hour", clock = "10:00", days_before_expected: before } = sending;
  const parts = [{ usual_hour: t("It is sent an hour before they usually buy"), clock: t("It is sent at {clock}", { clock }), at_once: t("It is sent at once") }[at]];
  if (typeof before === "number") parts.push(before ? t("{days} before the expected purchase", { days: days(before) }) : t("on the day of the expected purchase"));
  const when = seasonInWords(season);
  if (when) parts.push(when);
  if (quiet) parts.push(t("not between {starts} and {ends}", quiet));
  return [...parts, ...sales.map(saleInWords)].join(", ");
}

function beginning({ step, season, sales = [] }) {
  const when = [seasonInWords(season), ...sales.map(saleInWords)].filter(Boolean).join(", ");
  return when ? t("Offers begin with step {n} {when}", { n: step, when }) : t("Offers begin with step {n}", { n: step });
}

function bounds({ cap, budget = {}, control_share: control = 1_000, currency, pause_days: pause = 30 }) {
  const parts = [];
  if (cap?.offers !== undefined && cap?.days !== undefined) parts.push(t("{offers} to a customer within {days}", { offers: tn(cap.offers, "at most {n} offer", "at most {n} offers"), days: days(cap.days) }));
  if (typeof budget.codes === "number") parts.push(tn(budget.codes, "at most {n} code", "at most {n} codes"));
  if (typeof budget.cost === "number") parts.push(t("at most {amount} in all", { amount: money(budget.cost, currency) }));
  if (typeof pause === "number") parts.push(t("a pause of {days} before the next time", { days: days(pause) }));
  const said = parts.length ? [t("Bounds: {bounds}", { bounds: list(parts) })] : [];
  return [...said, control ? t("{share} of the customers are sent nothing, to measure what it brings", { share: share(control) }) : t("Without a control group it will not be known what it brings")];
}

// names: of segments by id. Sentences, in their order.
export function sentences(policy, names = {}) {
  return [`${audience(policy, names)} ${gets(policy)}`.trim(), sent(policy), ...(policy.beginnings ?? []).map(beginning), ...bounds(policy)].map((one) => (one.endsWith("…") ? one : `${one}.`));
}

export const offersInWords = ({ offers, days: within }) => t("{offers} within {days}", { offers: tn(offers, "{n} offer", "{n} offers"), days: days(within) });
