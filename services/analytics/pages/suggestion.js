// Where to move budget, with the reasons; or why nothing is said.

import { decimal } from "./format.js";
import { t } from "./i18n.js";
import { share } from "./uplift.js";
import { Badge, html } from "./ui.js";
import "./words_statistics.js";

const NOT = () => ({
  too_few_campaigns: t("There are fewer than two running campaigns to compare."),
  too_little_data: t("There is too little data to compare campaigns: a suggestion now would be a guess."),
  no_difference: t("No campaign is notably better than another: there is no reason to move budget."),
});

function because({ code, figures }, name, basis) {
  const brought = { name, value: decimal(figures.per_discount), lower: decimal(figures.lower), upper: decimal(figures.upper) };
  const proof = { name, value: share(figures.uplift), lower: share(figures.lower), upper: share(figures.upper) };
  if (code === "brings_less" || code === "brings_more") {
    return basis === "revenue" ? t("{name}: its receipts brought {value} for each 1.00 of discount.", brought)
      : t("{name}: because of the campaign, each 1.00 of discount brought {value} (95%: {lower} to {upper}).", brought);
  }
  if (code === "uplift_proven") return t("{name}: the uplift of {value} against its control group is proven (95%: {lower} to {upper}).", proof);
  if (code === "uplift_not_proven") return t("{name}: the uplift of {value} may be chance (95%: {lower} to {upper}).", proof);
  return t("{name} has no control group: what would have been bought anyway is not known.", { name });
}

export function Suggestion({ data }) {
  const { suggestion, no_suggestion: none } = data ?? {};
  const names = suggestion && { [suggestion.from.campaign_id]: suggestion.from.campaign, [suggestion.to.campaign_id]: suggestion.to.campaign };
  const title = !suggestion ? "" : suggestion.certain ? t("Move budget from {from} to {to}", { from: suggestion.from.campaign, to: suggestion.to.campaign })
    : t("Consider moving budget from {from} to {to}", { from: suggestion.from.campaign, to: suggestion.to.campaign });
  return html`<section class="panel suggestion" id="suggestion" aria-label=${t("Where to move budget")}>
    <header><h2>${t("Where to move budget")}</h2>${suggestion && html`<${Badge} kind=${suggestion.certain ? "good" : "warn"}>${suggestion.certain ? t("proven") : t("may be chance")}<//>`}</header>
    <div class="body">${suggestion ? html`<p class="said">${title}</p>
      <ul>${suggestion.reasons.map((one, i) => html`<li key=${i} data-reason=${one.code}>${because(one, names[one.campaign_id] ?? one.campaign_id, suggestion.basis)}</li>`)}</ul>
      ${suggestion.basis === "revenue" && html`<p class="muted small">${t("Compared by revenue on promoted receipts: that proves no cause. Give campaigns a control group to know more.")}</p>`}`
    : html`<p class="muted">${data ? NOT()[none] ?? "" : "…"}</p>`}</div>
  </section>`;
}
