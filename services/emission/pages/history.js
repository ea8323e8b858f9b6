// Who changed what, and when.

import { get } from "./api.js";
import { time, typed } from "./format.js";
import { t } from "./i18n.js";
import { UNITS } from "./units.js";
import { Badge, Empty, Failure, Loading, Pager, html, useAsk, useState } from "./ui.js";

const PAGE = 20;
const ACTIONS = () => ({
  created: t("created"), edited: t("edited"), saved: t("saved"), copied: t("copied"), deleted: t("deleted"), uploaded: t("uploaded"), posted: t("posted"), exported: t("exported"), issued: t("made on request"), erased: t("erased"),
  started: t("started"), paused: t("paused"), finished: t("finished"), invited: t("invited"), disabled: t("disabled"), revoked: t("revoked"), "signed in": t("signed in"), "locked out": t("locked out"),
});
export const acted = (action) => ACTIONS()[action] ?? action;
export const who = (by) => (by ? by.replace(/^user:/, "").replace(/^key:/, `${t("key")} `) : t("unknown"));

export function History({ noun, id }) {
  const [offset, setOffset] = useState(0);
  const { data, problem, reload } = useAsk((signal) => get("emission", `/v1/${noun}/${encodeURIComponent(id)}/history?offset=${offset}&limit=${PAGE}`, { signal }), [offset]);
  return html`<section class="panel" aria-label=${t("History")}>
    ${problem ? html`<div class="body"><${Failure} problem=${problem} retry=${reload} /></div>` : !data ? html`<${Loading} />`
      : !data.items.length ? html`<${Empty} title=${t("Nothing has been kept")}>${t("Changes are kept from now on.")}<//>`
      : html`<ol class="history">${data.items.map((one) => html`<li key=${one.version}>
          <div class="row"><${Badge} kind="plain">${acted(one.action)}<//><span class="strong">${who(one.by)}</span><time class="muted" datetime=${one.at}>${time(one.at)}</time><span class="muted small">${t("version {n}", { n: one.version })}</span></div>
          <${Changes} changes=${one.changes} /></li>`)}</ol>
        ${data.total > PAGE && html`<${Pager} offset=${offset} limit=${PAGE} total=${data.total} onPage=${setOffset} />`}`}
  </section>`;
}

const MOST = 12;
export function Changes({ changes: kept }) {
  const [all, setAll] = useState(false);
  const changes = (kept ?? []).filter(({ before, after }) => !isEmpty(before) || !isEmpty(after));
  if (!changes.length) return null;
  return html`<ul class="changes">${(all ? changes : changes.slice(0, MOST)).map(({ field, before, after }) => html`<li key=${field}><${Named} field=${field} />
      ${before !== null && before !== undefined && html`<del><span class="visually-hidden">${t("before")}: </span>${said(before, field.split(".").at(-1))}</del>`}
      ${after !== null && after !== undefined && html`<ins><span class="visually-hidden">${t("now")}: </span>${said(after, field.split(".").at(-1))}</ins>`}</li>`)}
    ${changes.length > MOST && !all && html`<li><button type="button" class="small quiet" onClick=${() => setAll(true)}>${t("and {n} more", { n: changes.length - MOST })}</button></li>`}</ul>`;
}

// The field in words as far as there are some, the rest as the API calls it.
const NAMES = () => ({
  name: t("Name"), comment: t("Comment"), status: t("Status"), stores: t("Stores"), first_day: t("First day"), last_day: t("Last day"), time_zone: t("Time zone"), limits: t("Limits"), instruments: t("Instruments"), priority: t("Priority"),
  control_group: t("Control group"), customer_groups: t("Customer groups"), segments: t("Segments"), conditions: t("Conditions"), benefit: t("Benefit"), word: t("Word"), pattern: t("Pattern"), count: t("How many"), requested_codes: t("Made on request"), valid_from: t("Valid from"), valid_until: t("Valid until (not included)"),
});
function Named({ field }) {
  const [first, ...rest] = field.split(".");
  const name = NAMES()[first];
  return html`<span class="muted">${name ?? html`<code>${first}</code>`}${rest.length > 0 && html` <code>${rest.join(".")}</code>`}</span>`;
}

// A value as one would say it: amounts and percentages by their units, parts one after another, nothing of what is empty.
const IN_UNITS = { money: "money", amount: "money", price: "money", max_discount: "money", percent: "percent", control_group: "percent", quantity: "quantity" };
const isEmpty = (value) => value === null || value === undefined || value === "" || (typeof value === "object" && !Object.values(value).some((one) => !isEmpty(one)));
function said(value, field) {
  const unit = UNITS()[IN_UNITS[field]];
  if (unit && typeof value === "number") return `${typed(value, unit.fraction)} ${unit.affix}`.trim();
  if (Array.isArray(value)) return value.filter((one) => !isEmpty(one)).map((one) => said(one, field)).join("; ") || "–";
  if (value && typeof value === "object") return Object.entries(value).filter(([, one]) => !isEmpty(one)).map(([key, one]) => (key === "kind" ? one.replaceAll("_", " ") : `${key.replaceAll("_", " ")} ${said(one, key)}`)).join(", ");
  return String(value);
}
