// The promotion language as the console shows it: every kind of condition and benefit with its title and its fields.
// `as` names the editor of a field (editors.js), `start` is what a new one begins with.

import { t } from "./i18n.js";

const compare = (unit) => ({ name: "compare", as: "comparison", unit });
const products = (label) => ({ name: "products", as: "products", label: label ?? t("Products") });
const MEASURES = { quantity: "quantity", sum: "money", receipts: "count" };
const start = { compare: { op: ">=" } };

export const GROUPS = () => [
  ["code", t("Promo code")], ["receipt", t("Receipt")], ["products", t("Products")], ["customer", t("Customer")],
  ["history", t("Earlier purchases")], ["place", t("Time and place")], ["logic", t("Combinations")],
];

export const CONDITIONS = () => ({
  promo_code: { group: "code", title: t("Promo code"), about: t("a code is presented"), start: {}, fields: [
    { name: "emission_id", as: "pick", source: "emissions", single: true, label: t("Promo codes"), required: true },
    { name: "cap", as: "number", label: t("Only the first"), hint: t("uses of all codes together; empty: no limit") },
    { name: "own", as: "flag", label: t("Only for the customer the code was given to") },
    { name: "condition_id", as: "text", label: t("Name of its counter"), hint: t("needed where an instrument asks for two codes"), advanced: true }] },
  receipt_total: { group: "receipt", title: t("Receipt total"), about: t("what the goods come to, before our discounts"), start, fields: [compare("money")] },
  receipt_quantity: { group: "receipt", title: t("Receipt quantity"), about: t("how many goods are on the receipt"), start, fields: [compare("quantity")] },
  line_count: { group: "receipt", title: t("Number of lines"), about: t("how many different lines the receipt has"), start, fields: [compare("count")] },
  payment_method: { group: "receipt", title: t("Payment method"), about: t("paid by these and no others"), start: { methods: ["card"] }, fields: [
    { name: "methods", as: "choices", label: t("Methods"), options: [["cash", t("cash")], ["card", t("card")], ["voucher", t("voucher")], ["account", t("account")], ["bonuses", t("bonus points")], ["other", t("other")]] }] },
  currency: { group: "receipt", title: t("Currency"), about: t("the receipt's currency"), start: {}, fields: [{ name: "currencies", as: "pick", source: "currencies", label: t("Currencies"), hint: t("three letters, as UAH") }] },
  product_quantity: { group: "products", title: t("Quantity of products"), about: t("how many of the chosen products"), start: { products: {}, ...start }, fields: [products(), compare("quantity")] },
  product_sum: { group: "products", title: t("Sum of products"), about: t("what the chosen products come to"), start: { products: {}, ...start }, fields: [products(), compare("money")] },
  product_presence: { group: "products", title: t("Product is there"), about: t("at least one of the chosen products"), start: { products: {} }, fields: [products()] },
  product_mix: { group: "products", title: t("Set of products"), about: t("several at once, as 2 of A and 1 of B"), start: { parts: [{ products: {}, quantity: 1000 }, { products: {}, quantity: 1000 }] }, fields: [{ name: "parts", as: "mix" }] },
  customer_known: { group: "customer", title: t("Customer is known"), about: t("the receipt has a customer, or has none"), start: {}, fields: [
    { name: "known", as: "yesno", label: t("Customer"), options: [[true, t("known")], [false, t("not known")]] }] },
  customer_group: { group: "customer", title: t("Customer group"), about: t("belongs to one of the groups"), start: {}, fields: [{ name: "groups", as: "pick", source: "groups", label: t("Groups") }] },
  customer_segment: { group: "customer", title: t("Customer segment"), about: t("is in one of the segments"), start: {}, fields: [{ name: "segments", as: "pick", source: "segments", label: t("Segments") }] },
  birthday: { group: "customer", title: t("Birthday"), about: t("today is near the customer's birthday"), start: { days_before: 0, days_after: 0 }, fields: [
    { name: "days_before", as: "number", unit: "days", label: t("Days before") }, { name: "days_after", as: "number", unit: "days", label: t("Days after") }] },
  first_purchase: { group: "history", title: t("First purchase"), about: t("the customer has bought nothing before"), start: {}, fields: [] },
  purchase_count: { group: "history", title: t("Number of purchases"), about: t("earlier receipts within the period"), start, fields: [compare("count")] },
  purchase_sum: { group: "history", title: t("Sum of purchases"), about: t("what earlier receipts came to"), start, fields: [compare("money")] },
  product_purchases: { group: "history", title: t("Products bought before"), about: t("earlier purchases of the chosen products"), start: { products: {}, measure: "quantity", ...start }, fields: [
    products(), { name: "measure", as: "choice", label: t("Measured by"), options: [["quantity", t("quantity")], ["sum", t("sum")], ["receipts", t("receipts")]] },
    compare((part) => MEASURES[part.measure ?? "quantity"])] },
  days_since_purchase: { group: "history", title: t("Days since the last purchase"), about: t("whole days, within the period"), start, fields: [compare("days")] },
  time_of_day: { group: "place", title: t("Time of day"), about: t("by the store's clock; may go past midnight"), start: { starts: "09:00", ends: "12:00" }, fields: [
    { name: "starts", as: "time", label: t("From") }, { name: "ends", as: "time", label: t("Until (not included)") }] },
  weekday: { group: "place", title: t("Day of the week"), about: t("in the store's time zone"), start: { days: ["mon", "tue", "wed", "thu", "fri"] }, fields: [
    { name: "days", as: "choices", label: t("Days"), options: [["mon", t("Mon")], ["tue", t("Tue")], ["wed", t("Wed")], ["thu", t("Thu")], ["fri", t("Fri")], ["sat", t("Sat")], ["sun", t("Sun")]] }] },
  store: { group: "place", title: t("Store"), about: t("the receipt is of one of the stores"), start: {}, fields: [{ name: "stores", as: "pick", source: "stores", label: t("Stores") }] },
  region: { group: "place", title: t("Region"), about: t("the store is in one of the regions"), start: {}, fields: [{ name: "regions", as: "pick", source: "regions", label: t("Regions") }] },
  near: { group: "place", title: t("Near a place"), about: t("within some metres of a point"), start: { radius_m: 500 }, fields: [
    { name: "latitude_e6", as: "number", unit: "degrees", label: t("Latitude"), required: true }, { name: "longitude_e6", as: "number", unit: "degrees", label: t("Longitude"), required: true },
    { name: "radius_m", as: "number", unit: "metres", label: t("Radius"), required: true }] },
  channel: { group: "place", title: t("Channel"), about: t("how the cart comes"), start: { channels: ["web", "app"] }, fields: [
    { name: "channels", as: "choices", label: t("Channels"), options: [["till", t("till")], ["web", t("web shop")], ["app", t("app")]] }] },
  device: { group: "place", title: t("Device"), about: t("what the cart comes from"), start: { devices: ["mobile"] }, fields: [
    { name: "devices", as: "choices", label: t("Devices"), options: [["till", t("till")], ["desktop", t("computer")], ["mobile", t("phone")], ["tablet", t("tablet")], ["app", t("app")], ["other", t("other")]] }] },
  all: { group: "logic", title: t("All of these"), about: t("every one must be met"), start: { conditions: [] }, fields: [] },
  any: { group: "logic", title: t("Any of these"), about: t("one is enough; the first that is met counts"), start: { conditions: [] }, fields: [] },
  not: { group: "logic", title: t("Not"), about: t("the one below must not be met"), start: {}, fields: [] },
});

const max_units = { name: "max_units", as: "number", unit: "quantity" };
const pick = () => ({ name: "pick", as: "choice", label: t("Which units first"), options: [["cheapest", t("the cheapest")], ["dearest", t("the dearest")]], when: (part) => part.max_units !== undefined });
const percent = (more) => ({ name: "percent", as: "number", unit: "percent", label: t("Percent off"), ...more });
const max_times = () => ({ name: "max_times", as: "number", label: t("Times, at most"), hint: t("on one receipt; empty: as often as it fits") });
const max_discount = () => ({ name: "max_discount", as: "number", unit: "money", label: t("At most"), hint: t("of discount on one receipt") });

export const BENEFITS = () => ({
  percent_off: { title: t("Percent off"), about: t("a percentage off the chosen products or the whole receipt"), start: {}, fields: [
    percent({ required: true }), max_discount(), { name: "of", as: "choice", label: t("Percent of"), options: [["remaining", t("what other discounts have left")], ["original", t("the price before discounts")]] },
    { ...products(t("Of which products")), optional: true }, { ...max_units, label: t("Units, at most") }, pick()] },
  amount_off: { title: t("Amount off"), about: t("an amount off, once or for each unit"), start: {}, fields: [
    { name: "amount", as: "number", unit: "money", label: t("Amount off"), required: true }, max_discount(), { name: "per_unit", as: "flag", label: t("Off every unit") },
    { ...products(t("Of which products")), optional: true }, { ...max_units, label: t("Units, at most"), when: (part) => part.per_unit || part.max_units !== undefined }, pick()] },
  fixed_price: { title: t("Fixed price"), about: t("each unit, or every full set, at a price"), start: {}, fields: [
    { name: "price", as: "number", unit: "money", label: t("Price"), required: true }, { name: "units", as: "number", unit: "quantity", label: t("For a set of"), hint: t("empty: the price of each unit") },
    { ...products(t("Of which products")), optional: true }, { ...max_units, label: t("Units, at most") }] },
  buy_get: { title: t("Buy some, get some"), about: t("for every few bought, some free or cheaper"), start: { buy: 2000, get: 1000 }, fields: [
    { name: "buy", as: "number", unit: "quantity", label: t("Buy"), required: true }, { name: "get", as: "number", unit: "quantity", label: t("Get"), required: true },
    percent({ hint: t("empty: free") }), max_times(), { ...products(t("Bought products")), optional: true }, { name: "rewards", as: "products", label: t("Products that one gets"), optional: true, empty: t("of the same products") }] },
  cheapest_free: { title: t("Cheapest free"), about: t("of every few units the cheapest is free or cheaper"), start: { of: 3000 }, fields: [
    { name: "of", as: "number", unit: "quantity", label: t("Of every"), required: true }, percent({ hint: t("empty: free") }), max_times(), { ...products(t("Of which products")), optional: true }] },
  tiers: { title: t("Tiers"), about: t("the more, the better: one benefit of several"), start: { by: "sum", tiers: [{ benefit: { kind: "percent_off" } }] }, fields: [
    { name: "by", as: "choice", label: t("By"), options: [["sum", t("sum")], ["quantity", t("quantity")]] }, { ...products(t("Of which products")), optional: true }, { name: "tiers", as: "tiers" }] },
  bonuses: { title: t("Bonus points"), about: t("a number of points, or a percentage of what is paid"), start: {}, fields: [
    { name: "fixed", as: "number", unit: "points", label: t("Points") }, percent({ label: t("Percent of the sum as points") }), { name: "max_points", as: "number", unit: "points", label: t("At most") },
    { name: "active_after_days", as: "number", unit: "days", label: t("Can be spent after") }, { name: "expires_after_days", as: "number", unit: "days", label: t("and for"), hint: t("empty: for ever") },
    { ...products(t("Of which products")), optional: true }] },
  gift_goods: { title: t("Gifts"), about: t("goods given away"), start: { gifts: [{ quantity: 1000 }] }, fields: [
    { name: "gifts", as: "gifts" }, { name: "choose", as: "number", label: t("How many the customer chooses"), hint: t("empty: all are given") }] },
});
export const TIER_BENEFITS = ["percent_off", "amount_off", "fixed_price", "bonuses", "gift_goods"];

// Another kind of part, with what the two have in common.
export function changed(kinds, part, kind) {
  const { start: fresh, fields } = kinds[kind];
  const shared = fields.map(({ name }) => name).filter((name) => part[name] !== undefined && kinds[part.kind]?.fields.some((one) => one.name === name && one.as === fields.find((each) => each.name === name).as));
  return { kind, ...fresh, ...Object.fromEntries(shared.map((name) => [name, part[name]])), ...(fresh.conditions && part.conditions && { conditions: part.conditions }) };
}
