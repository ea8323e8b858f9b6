// The units of the API's integers, as one types them.

import { digits } from "./format.js";
import { t } from "./i18n.js";

let currency = "";
export const setCurrency = (code) => { currency = code; };

// fraction: digits after the point; fixed: all of them are shown.
export const UNITS = () => ({
  money: { fraction: currency ? digits(currency) : 2, fixed: true, affix: currency },
  quantity: { fraction: 3, affix: t("pcs, kg") },
  percent: { fraction: 2, affix: "%" },
  count: { fraction: 0, affix: "" },
  points: { fraction: 0, affix: t("points") },
  days: { fraction: 0, affix: t("days") },
  metres: { fraction: 0, affix: t("m") },
  degrees: { fraction: 6, affix: "°" },
});
