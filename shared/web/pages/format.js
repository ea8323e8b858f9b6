// How figures, amounts and times are written, in the reader's language. Amounts are integer minor units.

import { language, locale, t } from "./i18n.js";

const cached = new Map();
function once(key, make) {
  if (!cached.has(key)) cached.set(key, make());
  return cached.get(key);
}

export const digits = (currency) =>
  once(`digits ${currency}`, () =>
    new Intl.NumberFormat(locale, { style: "currency", currency }).resolvedOptions().maximumFractionDigits);

export function money(minor, currency) {
  if (!currency || minor === null || minor === undefined) return "–";
  const amount = minor / 10 ** digits(currency);
  // From 100,000 on nobody reads the cents of a total.
  const whole = Math.abs(amount) >= 100_000;
  return once(`money ${currency} ${whole}`, () =>
    new Intl.NumberFormat(locale, {
      style: "currency", currency, currencyDisplay: "narrowSymbol", ...(whole && { maximumFractionDigits: 0 }),
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
      style: "currency", currency, currencyDisplay: "narrowSymbol", notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0,
    })).format(minor / 10 ** digits(currency));
}

export const count = (number) =>
  number === null || number === undefined ? "–" : once("count", () => new Intl.NumberFormat(locale)).format(number);

export const decimal = (number, most = 2) =>
  once(`decimal ${most}`, () => new Intl.NumberFormat(locale, { maximumFractionDigits: most })).format(number);

export const shortCount = (number) =>
  once("short", () => new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 })).format(number);

export const percent = (share, most = 1) =>
  once(`percent ${most}`, () => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: most })).format(share);

// "a, b and c", in the language of the page.
export const list = (words, type = "conjunction") => new Intl.ListFormat(locale, { type }).format(words);

// Thousandths of a piece, kilogram or litre.
export const quantity = (thousandths) => decimal(thousandths / 1000, 3);

export const day = (date) =>
  once("day", () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: "UTC" })).format(new Date(`${date}T00:00:00Z`));

export const time = (at) =>
  once("time", () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" })).format(new Date(at));

export const clockTime = (at) =>
  once("clock", () => new Intl.DateTimeFormat(locale, { timeStyle: "medium" })).format(new Date(at));

export function ago(seconds) {
  const format = once("ago", () => new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" }));
  if (seconds < 60) return t("{s} s ago", { s: decimal(seconds, seconds < 10 ? 1 : 0) });
  if (seconds < 3600) return format.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86400) return format.format(-Math.round(seconds / 3600), "hour");
  return format.format(-Math.round(seconds / 86400), "day");
}

// What was typed ("1 234,50") as integer minor units or thousandths; null if it is no such number.
export function parsed(text, fraction) {
  const plainText = String(text).replace(/[\s\u00a0\u202f']/g, "").replace(",", ".");
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(plainText);
  if (!match || (match[3] ?? "").length > fraction) return null;
  return Number(`${match[1]}${match[2]}${(match[3] ?? "").padEnd(fraction, "0")}`);
}

// The same the other way, as one types it.
export function typed(number, fraction) {
  if (number === null || number === undefined) return "";
  const sign = number < 0 ? "-" : "";
  const text = String(Math.abs(number)).padStart(fraction + 1, "0");
  const whole = text.slice(0, text.length - fraction);
  const part = fraction ? text.slice(-fraction) : "";
  return sign + whole + (/[1-9]/.test(part) ? `.${part}` : "");
}
