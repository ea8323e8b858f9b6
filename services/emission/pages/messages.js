// What the API says of a field, in the reader's language and in the unit of the field.

import { typed } from "./format.js";
import { t } from "./i18n.js";
import { UNITS } from "./units.js";

const SAID = [
  [/^Field required/, () => t("fill this in")],
  [/^Input should be a valid (integer|number)/, () => t("enter a number")],
  [/^Input should be a valid string/, () => t("fill this in")],
  [/^Input should be a valid date/, () => t("enter a date")],
  [/greater than or equal to (-?\d+)/, (n) => t("at least {n}", { n })],
  [/greater than (-?\d+)/, (n) => t("more than {n}", { n })],
  [/less than or equal to (-?\d+)/, (n) => t("at most {n}", { n })],
  [/^String should have at least 1 character/, () => t("fill this in")],
  [/^String should match pattern/, () => t("letters, digits and . _ : -, the first a letter or digit")],
  [/should have at least 1 item/, () => t("choose at least one")],
  [/should have at least 2 items/, () => t("at least two are needed")],
  [/^must not be before first_day/, () => t("must not be before the first day")],
  [/^no such (\w+)/, (noun) => t("there is no such {noun} any more", { noun: t(noun) })],
  [/^the emission is not posted/, () => t("these promo codes are not posted yet")],
  [/^there is another limit of the same kind/, () => t("there is another limit of the same kind")],
  [/^upper: must not be below value|^must not be below value/, () => t("must not be below the first")],
  [/^a mass emission needs a word|^word: a mass/, () => t("fill this in")],
  [/^personal codes need a count/, () => t("say how many, or give customers")],
];

export function explained(message, unit) {
  for (const [pattern, said] of SAID) {
    const found = pattern.exec(message);
    if (found) return said(shown(found[1], unit), unit);
  }
  return t(message);
}

function shown(number, unit) {
  if (!/^-?\d+$/.test(number ?? "")) return number;
  const { fraction, affix } = UNITS()[unit] ?? { fraction: 0, affix: "" };
  return `${typed(Number(number), fraction)}${affix ? ` ${affix}` : ""}`;
}
