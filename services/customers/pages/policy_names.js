// Weekdays, months, states and reasons, in words.

import { locale, t } from "./i18n.js";

const KEYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const inUtc = (options) => new Intl.DateTimeFormat(locale, { timeZone: "UTC", ...options });

export const WEEKDAYS = (weekday = "short") => KEYS.map((key, n) => [key, inUtc({ weekday }).format(new Date(Date.UTC(2024, 0, 1 + n)))]);
export const MONTHS = (month = "short") => Array.from({ length: 12 }, (_, n) => [n + 1, inUtc({ month }).format(new Date(Date.UTC(2024, n, 15)))]);
export const dayOfYear = (text) => (/^\d\d-\d\d$/.test(text ?? "") ? inUtc({ day: "numeric", month: "long" }).format(new Date(`2024-${text}T00:00:00Z`)) : text ?? "…");

export const STATES = () => ({ draft: ["", t("draft")], running: ["good", t("running")], paused: ["warn", t("paused")] });

export const OFFER_STATES = () => ({
  planned: ["", t("planned")], requested: ["", t("code asked for")], issued: ["", t("about to be sent")], offered: ["good", t("sent")], used: ["good", t("used")],
  expired: ["plain", t("not used")], withdrawn: ["plain", t("not sent")], refused: ["bad", t("no code")], held_back: ["warn", t("control group")],
});

export const REASONS = () => ({
  open_offer: t("They have an offer for this reason already"), pausing: t("The pause since their last one is not over"), not_in_segments: t("They are not in the segments"),
  in_excluded_segment: t("They are in an excluded segment"), no_forecast: t("Nothing is forecast of them yet"), probability: t("The probability of a purchase is another"),
  expected_date: t("The expected purchase is at another time"), no_purchases: t("They have no purchase"), days_since_purchase: t("Their last purchase was at another time"),
  purchases: t("They have more or fewer purchases"), promo_share: t("They buy with promotions more, or less"), bought_anyway: t("They bought without the code"),
  sales_volume: t("Sales are not as the rule says"), sales_unknown: t("Sales are not known that far back"), emission_in_use: t("They have a code of this emission already"),
  no_campaign: t("No running campaign takes the codes"), campaign_elsewhere: t("The campaign does not run in their store, or not for them"), campaign_ends: t("The campaign ends too soon"),
  out_of_season: t("It is not the season"), too_early: t("It is too early: more than a week ahead"), capped: t("They have had enough offers of this policy"),
  capped_over_all: t("They have had enough offers of all policies"), budget_codes: t("The codes of the budget are used up"), budget_cost: t("The money of the budget is used up"),
  not_running: t("The policy was paused"), no_such_step: t("The step is not there any more"), blocked: t("Promotions are withheld from them"),
  unanswered: t("No code came"), too_late: t("The code came too late"), no_such_emission: t("There is no such emission"), not_personal: t("The codes are not personal"),
  not_posted: t("The codes are not posted"), ended: t("The codes are over"), erased: t("The customer was erased"),
});

export const FINDINGS = () => ({
  no_campaign: t("No running campaign gives anything for these codes."), not_personal: t("These promo codes are not personal: they belong to nobody."),
  other_discount: t("The running campaign gives another discount for these codes."), not_begun: t("The campaign has not begun yet."), ends_soon: t("The campaign ends before such a code does."),
  for_some_stores: t("The campaign runs in some stores only: customers of others are left out."), for_some_customers: t("The campaign is for some customers only."),
  has_control_group: t("The campaign has a control group of its own: codes of who is in it give nothing."),
  for_whoever_has_it: t("Whoever has such a code can use it: the condition does not ask for the customer it was given to."),
});
