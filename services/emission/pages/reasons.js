// Why something was not given, and how much was missing, in words.

import { count, money, quantity } from "./format.js";
import { t, tn } from "./i18n.js";
import { BENEFITS, CONDITIONS } from "./kinds.js";

const REASONS = () => ({
  condition_not_met: t("a condition is not met"), wrong_store: t("not in this store"), wrong_customer_group: t("not in the customer group"), wrong_segment: t("not in the segment"),
  customer_unknown: t("the customer is not known"), control_group: t("the customer is in the control group"), campaign_not_active: t("the campaign does not run at this time"),
  code_missing: t("no code was given"), code_not_valid: t("the code is not valid"), code_not_yours: t("the code belongs to somebody else"), limit_reached: t("the limit is used up"),
  outranked: t("another one is better or goes first"), nothing_to_discount: t("nothing to discount"),
  unknown_code: t("there is no such code"), no_campaign: t("no campaign is for this code"), locked_out: t("too many wrong codes: wait a while"), not_applied: t("it was not applied"),
});
export const reason = (name) => REASONS()[name] ?? name;

// A limit by what it counts: "limit per customer, day", "budget of discounts", "limit in all".
export function limitOf(words) {
  const names = { customer: t("customer"), code: t("code"), store: t("store"), day: t("day") };
  const per = words.filter((word) => word in names).map((word) => names[word]).join(", ");
  if (words.includes("money")) return per ? t("discounts per {per}", { per }) : t("budget of discounts");
  return per ? t("limit per {per}", { per }) : t("limit in all");
}

// "Receipt total", "not: Device", or a limit.
export function conditionOf(name) {
  if (!name) return "";
  const [first, ...words] = name.split(".");
  if (first === "limit" || first === "campaign_limit") return limitOf(words);
  const kind = first === "not" ? words.join(".") : name;
  const title = CONDITIONS()[kind]?.title ?? BENEFITS()[kind]?.title;
  return title ? (first === "not" ? `${t("not")}: ${title}` : title) : name;
}

export function gap(missing, unit, currency) {
  if (missing === null || missing === undefined) return "";
  if (unit === "money") return money(missing, currency);
  if (unit === "quantity") return `${quantity(missing)} ${t("pcs, kg")}`;
  const words = { lines: ["{n} line", "{n} lines"], purchases: ["{n} purchase", "{n} purchases"], days: ["{n} day", "{n} days"], seconds: ["{n} second", "{n} seconds"] }[unit];
  return words ? tn(missing, ...words) : count(missing);
}
