// What rules, measures, subjects and states are called.

import { count, percent } from "./format.js";
import { t } from "./i18n.js";

export const RULES = () => ({
  code_guessing: [t("Code guessing"), t("Codes that nobody has, tried one after another, or a lock-out.")],
  buy_use_return: [t("Buy, use, return"), t("Most of what was bought with benefits comes back.")],
  shared_device: [t("One device, many customers"), t("New customers use codes on one device, one after another.")],
  foreign_code: [t("Codes of others"), t("Personal codes that are bound to somebody else.")],
  unauthorised: [t("Benefits without right"), t("Far more benefits given without right than by others.")],
  velocity: [t("Too fast"), t("Codes used faster than anybody shops, or far more than by others.")],
  quick_returns: [t("Quick returns"), t("Returns within an hour of the sale, far more than by others.")],
  borrowed_card: [t("One card at a till"), t("The same card on many receipts of a cashier in a day.")],
});

export const KINDS = () => ({
  customer: t("customer"), device: t("device"), address: t("address"), store: t("store"), cashier: t("cashier"),
});

export const MEASURES = () => ({
  receipts: t("receipts"), promo_receipts: t("receipts with a benefit"), code_receipts: t("receipts with a code"), codes: t("codes used"), discount: t("discount by codes"),
  unauthorised: t("receipts with a benefit without right"), unauthorised_discount: t("discount without right"), returns: t("returns"), quick_returns: t("returns within an hour"),
  promo_returns: t("returns of receipts with a benefit"), code_returns: t("returns of receipts with a code"), unknown_codes: t("unknown codes"),
  surplus_codes: t("unknown codes beyond two of a receipt"), foreign_codes: t("receipts with somebody else's code"), lockouts: t("tries while locked out"),
  parties: t("different customers or stores"), newcomers: t("new customers"), meetings: t("times the same card"),
});

export const SEVERITIES = () => ({ low: ["", t("low")], medium: ["warn", t("medium")], high: ["bad", t("high")] });
export const STATUSES = () => ({ open: ["warn", t("open")], confirmed: ["bad", t("confirmed")], dismissed: ["", t("dismissed")] });
export const ACTIONS = () => ({ raised: t("raised"), confirmed: t("confirmed"), dismissed: t("dismissed"), blocked: t("blocked"), unblocked: t("unblocked") });

export const scored = (alert) => (alert.score === null || alert.score === undefined ? "–" : percent(alert.score / 10000, 0));

const HOUR_S = 3600;
export function windowInWords(seconds) {
  if (seconds % (24 * HOUR_S) === 0) return t("{n} d", { n: count(seconds / (24 * HOUR_S)) });
  if (seconds % HOUR_S === 0) return t("{n} h", { n: count(seconds / HOUR_S) });
  return t("{n} min", { n: count(Math.round(seconds / 60)) });
}

// One line of a test: what is counted of whom, in which window, and with what else.
export function testInWords(test) {
  const more = [
    ...test.shares.map((share) => share.least > 0
      ? t("at least {share} of {of}", { share: percent(share.least / 10000, 0), of: MEASURES()[share.of] })
      : t("at most {share} of {of}", { share: percent(share.most / 10000, 0), of: MEASURES()[share.of] })),
    ...(test.times_usual ? [t("{n} times what others have", { n: count(test.times_usual) })] : []),
    ...(test.on_days ? [t("on {n} days or more", { n: count(test.on_days) })] : []),
  ];
  return [t("{kind}: {measure} within {window}", { kind: KINDS()[test.kind], measure: MEASURES()[test.measure], window: windowInWords(test.window_s) }), ...more].join("; ");
}
