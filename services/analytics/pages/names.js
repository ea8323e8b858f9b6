// What codes of the statistics are called, and moments and changes in words.

import { language, locale, t } from "./i18n.js";
import { percent } from "./format.js";
import "./words_statistics.js";

const REASONS = () => ({
  condition_not_met: t("Condition not met"),
  wrong_store: t("Other store"),
  wrong_customer_group: t("Other customer group"),
  wrong_segment: t("Other segment"),
  customer_unknown: t("Customer unknown"),
  control_group: t("Control group"),
  campaign_not_active: t("Campaign not active"),
  code_missing: t("No code shown"),
  code_not_valid: t("Code not valid"),
  code_not_yours: t("Somebody else’s code"),
  limit_reached: t("Limit reached"),
  outranked: t("Another promotion went first"),
  nothing_to_discount: t("Nothing to discount"),
});
export const reason = (code) => REASONS()[code] ?? code.replaceAll("_", " ");

const DEVICES = () => ({ till: t("Till"), desktop: t("Desktop"), mobile: t("Mobile"), tablet: t("Tablet"), app: t("App"), other: t("Other") });
export const device = (code) => DEVICES()[code] ?? code;

const SOURCES = () => ({
  "promo.decisions.v1": t("decisions at checkouts"),
  "promo.sales.v1": t("sales"),
  "promo.returns.v1": t("returns"),
  "promo.campaigns.v1": t("campaigns"),
  "reference.stores.v1": t("stores"),
  "reference.products.v1": t("products"),
});
export const source = (topic) => SOURCES()[topic] ?? topic;

// A code by the emission that made it; "" is a use without a code.
export const code = (row) => (row.emission_id === "" ? t("Without a code") : row.name || row.emission_id);

// The change against the time before, or null when there is nothing to compare with.
export function change(now, then) {
  if (!then || now === null || now === undefined) return null;
  const share = (now - then) / Math.abs(then);
  const sign = share >= 0.0005 ? "up" : share <= -0.0005 ? "down" : "same";
  return { sign, share: Math.abs(share) >= 10 ? "> 999%" : percent(Math.abs(share)) };
}

const STEPS = {
  minute: { hour: "2-digit", minute: "2-digit" },
  hour: { weekday: "short", hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
};
const LONG_STEPS = {
  minute: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  hour: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  day: { weekday: "long", day: "numeric", month: "long", year: "numeric" },
};
const formats = new Map();
function format(kind, options) {
  const key = `${language} ${kind}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key);
}
export const moment = (at, step) => format(step, STEPS[step]).format(new Date(at));
export const longMoment = (at, step) => format(`long ${step}`, LONG_STEPS[step]).format(new Date(at));
