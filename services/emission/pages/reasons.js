// Why something was not given, and how much was missing, in words.

import { count, money, quantity } from "./format.js";
import { t, tn } from "./i18n.js";
import { CONDITIONS } from "./kinds.js";

const REASONS = () => ({
  condition_not_met: t("a condition is not met"), wrong_store: t("not in this store"), wrong_customer_group: t("not in the customer group"), wrong_segment: t("not in the segment"),
  customer_unknown: t("the customer is not known"), control_group: t("the customer is in the control group"), campaign_not_active: t("the campaign does not run at this time"),
  code_missing: t("no code was given"), code_not_valid: t("the code is not valid"), code_not_yours: t("the code belongs to somebody else"), limit_reached: t("the limit is used up"),
  outranked: t("another one is better or goes first"), nothing_to_discount: t("nothing to discount"),
  unknown_code: t("there is no such code"), no_campaign: t("no campaign is for this code"), locked_out: t("too many wrong codes: wait a while"), not_applied: t("it was not applied"),
});
export const reason = (name) => REASONS()[name] ?? name;

// "Receipt total", "not: Device", or the name of a limit or a code.
export function conditionOf(name) {
  if (!name) return "";
  const inverted = name.startsWith("not.");
  const title = CONDITIONS()[inverted ? name.slice(4) : name]?.title;
  return title ? (inverted ? `${t("not")}: ${title}` : title) : name;
}

export function gap(missing, unit, currency) {
  if (missing === null || missing === undefined) return "";
  if (unit === "money") return money(missing, currency);
  if (unit === "quantity") return `${quantity(missing)} ${t("pcs, kg")}`;
  const words = { lines: ["{n} line", "{n} lines"], purchases: ["{n} purchase", "{n} purchases"], days: ["{n} day", "{n} days"], seconds: ["{n} second", "{n} seconds"] }[unit];
  return words ? tn(missing, ...words) : count(missing);
}
