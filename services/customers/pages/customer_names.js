// Of customers, in words: classes, devices, weekdays, where their pages are.

import { at } from "./api.js";
import { money } from "./format.js";
import { locale, t } from "./i18n.js";
import "./words_customers.js";

export const pageOfCustomer = (id) => at("customers", `/customer?customer_id=${encodeURIComponent(id)}`);
export const pageOfSegment = (id) => at("customers", `/segment?segment_id=${encodeURIComponent(id)}`);

export const CLASSES = () => ({
  champions: t("champions"), loyal: t("loyal"), "potential-loyalists": t("potential loyalists"), new: t("new"), promising: t("promising"),
  "needs-attention": t("needs attention"), "about-to-sleep": t("about to sleep"), "at-risk": t("at risk"), "cannot-lose": t("cannot lose them"), hibernating: t("hibernating"),
});
export const DEVICES = () => ({ till: t("till"), desktop: t("computer"), mobile: t("telephone"), tablet: t("tablet"), app: t("app"), other: t("other") });

const weekday = (n, form) => new Intl.DateTimeFormat(locale, { weekday: form, timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, 1 + n)));
export const weekdays = (form = "short") => Array.from({ length: 7 }, (_, n) => weekday(n, form));

export const spendingIn = (profile, currency) => profile.spending.find((one) => one.currency === currency);
export const kept = (spending) => (spending ? spending.paid - spending.refunded : null);
export const moneyKept = (spending) => (spending ? money(kept(spending), spending.currency) : "–");
