// How figures are written: in the viewer's language, amounts from integer minor units.

const locale = navigator.languages?.[0];
const cached = new Map();

function once(key, make) {
  if (!cached.has(key)) cached.set(key, make());
  return cached.get(key);
}

const digits = (currency) =>
  once(`digits ${currency}`, () =>
    new Intl.NumberFormat(locale, { style: "currency", currency }).resolvedOptions()
      .maximumFractionDigits);

export function money(minor, currency) {
  if (!currency || minor === null) return "–";
  const amount = minor / 10 ** digits(currency);
  // From 100,000 on nobody reads the cents of a total.
  const whole = Math.abs(amount) >= 100_000;
  return once(`money ${currency} ${whole}`, () =>
    new Intl.NumberFormat(locale, {
      style: "currency", currency, ...(whole && { maximumFractionDigits: 0 }),
    })).format(amount);
}

// An amount beside one that shows its currency.
export const plain = (minor, currency) =>
  once(`plain ${currency}`, () =>
    new Intl.NumberFormat(locale, {
      minimumFractionDigits: digits(currency), maximumFractionDigits: digits(currency),
    })).format(minor / 10 ** digits(currency));

export function shortMoney(minor, currency) {
  if (!currency) return "";
  return once(`short ${currency}`, () =>
    new Intl.NumberFormat(locale, {
      style: "currency", currency, notation: "compact", maximumFractionDigits: 1,
      minimumFractionDigits: 0,
    })).format(minor / 10 ** digits(currency));
}

export const count = (number) =>
  once("count", () => new Intl.NumberFormat(locale)).format(number);

export const shortCount = (number) =>
  once("short", () =>
    new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 })).format(number);

export const percent = (share) =>
  once("percent", () =>
    new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 })).format(share);

// The change against the time before, or null when there is nothing to compare with.
export function change(now, then) {
  if (!then || now === null) return null;
  const share = (now - then) / Math.abs(then);
  const many = Math.abs(share) >= 10;
  const sign = share >= 0.0005 ? "up" : share <= -0.0005 ? "down" : "same";
  return { sign, text: `${sign === "up" ? "▲" : sign === "down" ? "▼" : "±"} ${many ? "> 999%" : percent(Math.abs(share))}` };
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

export const moment = (at, step) =>
  once(`moment ${step}`, () => new Intl.DateTimeFormat(locale, STEPS[step])).format(new Date(at));

export const longMoment = (at, step) =>
  once(`long ${step}`, () => new Intl.DateTimeFormat(locale, LONG_STEPS[step])).format(new Date(at));

export const clockTime = (at) =>
  once("clock", () => new Intl.DateTimeFormat(locale, { timeStyle: "medium" })).format(new Date(at));

const REASONS = {
  condition_not_met: "Condition not met",
  wrong_store: "Other store",
  wrong_customer_group: "Other customer group",
  wrong_segment: "Other segment",
  customer_unknown: "Customer unknown",
  control_group: "Control group",
  campaign_not_active: "Campaign not active",
  code_missing: "No code shown",
  code_not_valid: "Code not valid",
  code_not_yours: "Somebody else’s code",
  limit_reached: "Limit reached",
  outranked: "Another promotion went first",
  nothing_to_discount: "Nothing to discount",
};
export const reason = (code) => REASONS[code] ?? code.replaceAll("_", " ");

const DEVICES = { till: "Till", desktop: "Desktop", mobile: "Mobile", tablet: "Tablet", app: "App", other: "Other" };
export const device = (code) => DEVICES[code] ?? code;
