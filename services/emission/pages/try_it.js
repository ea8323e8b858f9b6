// Try it: a cart is put together and decided; nothing is held and nothing is counted.

import { Problem, call, get, may } from "./api.js";
import { clockTime, money, quantity } from "./format.js";
import { t } from "./i18n.js";
import { Decimal } from "./form.js";
import { Refused, drafted } from "./drafted.js";
import { Panel, useStored } from "./parts.js";
import { Picker } from "./picker.js";
import { conditionOf, gap, reason } from "./reasons.js";
import { Action, Badge, Check, Empty, Field, Input, Notice, html, useAsk, useState } from "./ui.js";

const fresh = () => ({ quantity: 1000 });
const amountOf = ({ price, quantity: many }) => (typeof price === "number" && typeof many === "number" ? Math.round((price * many) / 1000) : null);
const localNow = () => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

// When a campaign is tried that has not begun, it is tried as it begins.
const momentOf = ({ first_day: first }) => (first && `${first}T12:00` > localNow() ? `${first}T12:00` : "");

export function TryIt({ form, plan }) {
  const document = plan(form.value);
  const [cart, keep] = useStored(`try ${document.campaign_id ?? "new"}`, { store: document.stores?.[0], at: momentOf(document), customer: "", codes: "", emissions: [], lines: [fresh()] });
  const [state, setState] = useState({ decision: null, problem: null });
  const set = (field) => (value) => keep({ ...cart, [field]: value });
  const live = form.view?.status === "running" && !form.dirty && may("quotes:write");
  const { data: known, problem } = useAsk((signal) => drafted(document, signal), [JSON.stringify(document.instruments), form.view?.version]);
  const ask = async () => {
    try {
      const decision = await decided(cart, document, known, live);
      setState({ decision, problem: null });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setState({ decision: null, problem: error });
    }
  };
  if (!document.instruments?.length) return html`<section class="panel"><${Empty} title=${t("Nothing to try yet")}>${t("Give the campaign an instrument on the tab Plan.")}<//></section>`;
  return html`<div class="two-columns even">
    <${Panel} id="cart-title" title=${t("Cart")} hint=${live ? t("decided as a till would get it now; nothing is held") : t("decided as if the campaign ran as it is typed here; nothing is held")}>
      <${Picker} source="stores" label=${t("Store")} single required value=${cart.store ? [cart.store] : []} onPick=${(ids) => set("store")(ids[ids.length - 1])} />
      <div class="columns">
        <${Field} label=${t("Time")} hint=${t("empty: now")}>${(control) => html`<input type="datetime-local" ...${control} value=${cart.at} onInput=${(event) => set("at")(event.target.value)} />`}<//>
        <${Input} label=${t("Customer")} hint=${t("an id, or empty")} value=${cart.customer} onInput=${set("customer")} />
      </div>
      ${live ? html`<${Input} label=${t("Promo codes")} hint=${t("separated by spaces")} value=${cart.codes} onInput=${set("codes")} class="mono" />`
        : known?.emissions.length > 0 && html`<fieldset class="field"><legend>${t("With a code of")}</legend><div class="row choices">${known.emissions.map((one) => html`
          <${Check} key=${one.emission_id} label=${one.word ?? one.name} value=${cart.emissions.includes(one.emission_id)}
            onInput=${(on) => set("emissions")(on ? [...cart.emissions, one.emission_id] : cart.emissions.filter((id) => id !== one.emission_id))} />`)}</div></fieldset>`}
      <${Lines} lines=${cart.lines} onLines=${set("lines")} />
      ${problem && html`<${Refused} problem=${problem} />`}
      <div class="actions"><${Action} kind="primary" disabled=${!known} onAct=${ask}>${t("Decide")}<//></div>
    <//>
    <div class="stack" aria-live="polite">${state.problem ? html`<${Refused} problem=${state.problem} />`
      : state.decision ? html`<${Decision} decision=${state.decision} names=${known?.names ?? {}} campaign=${document} cart=${cart} />`
      : html`<section class="panel"><${Empty} title=${t("What would it get?")}>${t("Put a cart together and press Decide.")}<//></section>`}</div>
  </div>`;
}

function Lines({ lines, onLines }) {
  const change = (n, values) => onLines(lines.map((line, each) => (each === n ? { ...line, ...values } : line)));
  return html`<div class="field rows cart" role="group" aria-label=${t("Goods")}><span class="label">${t("Goods")}</span>
    ${lines.map((line, n) => html`<div class="line" key=${n}>
      <${Picker} source="skus" label=${t("Product")} single value=${line.sku ? [line.sku] : []} onPick=${([sku], chosen) => change(n, { sku, group: chosen?.whole?.group, brand: chosen?.whole?.brand, attributes: chosen?.whole?.attributes })} />
      <${Field} label=${t("Quantity")} className="narrow">${(control) => html`<${Decimal} unit="quantity" value=${line.quantity} onValue=${(value) => change(n, { quantity: value })} control=${control} />`}<//>
      <${Field} label=${t("Price")} className="narrow">${(control) => html`<${Decimal} unit="money" value=${line.price} onValue=${(value) => change(n, { price: value })} control=${control} />`}<//>
      ${lines.length > 1 && html`<button type="button" class="small quiet" aria-label="${t("Remove")} ${t("Line {n}", { n: n + 1 })}" onClick=${() => onLines(lines.filter((_, each) => each !== n))}>${t("Remove")}</button>`}</div>`)}
    <div><button type="button" class="small" onClick=${() => onLines([...lines, fresh()])}>${t("Add goods")}</button></div></div>`;
}

async function decided(cart, campaign, known, live) {
  const { items } = cart.store ? await get("emission", `/v1/stores?store=${encodeURIComponent(cart.store)}`) : { items: [] };
  const store = items.find((one) => one.store_id === cart.store);
  const body = {
    receipt_id: `try-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`, terminal_id: "console", intent: "quote",
    store_id: cart.store ?? "", currency: store?.currency ?? "UAH", occurred_at: (cart.at ? new Date(cart.at) : new Date()).toISOString(),
    ...(cart.customer.trim() && { customer_id: cart.customer.trim() }),
    codes: live ? cart.codes.split(/[\s,;]+/).filter(Boolean) : cart.emissions.filter((id) => known.emissions.some((one) => one.emission_id === id)),
    lines: cart.lines.map((line, n) => ({
      line: n + 1, sku: line.sku ?? "-", quantity: line.quantity, list_price: line.price, price: line.price, amount: amountOf(line),
      ...(line.group && { group: line.group }), ...(line.brand && { brand: line.brand }), ...(line.attributes && { attributes: line.attributes }),
    })),
  };
  return live ? call("evaluator", "POST", "/v1/quotes", body) : call("evaluator", "POST", "/v1/trials", { campaign: known && { ...campaign, instruments: known.draft.instruments, emissions: known.draft.emissions }, cart: body });
}

// ---- the answer ----

function Decision({ decision, names, campaign, cart }) {
  const { currency } = decision;
  const mine = (one) => one.campaign_id === campaign.campaign_id;
  const title = (one) => (mine(one) ? names[one.instrument_id] ?? one.instrument_id : `${one.instrument_id} (${t("campaign")} ${one.campaign_id})`);
  const refused = [...decision.not_applied].sort((one, other) => mine(other) - mine(one));
  const near = decision.near_misses ?? [];
  return html`
    <${Panel} id="decision-title" title=${t("Decision")} hint=${clockTime(decision.decided_at)}>
      <dl class="tiles"><div><dt>${t("Total")}</dt><dd>${money(decision.total, currency)}</dd></div>
        <div class=${decision.discount ? "good" : ""}><dt>${t("Discount")}</dt><dd>${decision.discount ? "−" : ""}${money(decision.discount, currency)}</dd></div>
        <div><dt>${t("To pay")}</dt><dd>${money(decision.total - decision.discount, currency)}</dd></div>
        ${decision.bonuses > 0 && html`<div class="good"><dt>${t("Bonus points")}</dt><dd>+${decision.bonuses}</dd></div>`}</dl>
      <div class="table-box"><table class="list"><thead><tr><th scope="col">${t("Goods")}</th><th scope="col" class="number">${t("Sum")}</th><th scope="col" class="number">${t("Discount")}</th><th scope="col" class="number">${t("To pay")}</th></tr></thead>
        <tbody>${decision.lines.map((line) => html`<tr key=${line.line}><td>${cart.lines[line.line - 1]?.sku ?? line.line} <span class="muted">× ${quantity(cart.lines[line.line - 1]?.quantity ?? 1000)}</span></td><td class="number">${money(line.amount, currency)}</td>
          <td class="number">${line.discount ? `−${money(line.discount, currency)}` : "–"}</td><td class="number strong">${money(line.amount - line.discount, currency)}</td></tr>`)}</tbody></table></div>
    <//>
    <${Panel} id="applied-title" title=${t("What applied")}>
      ${decision.applied.length ? html`<ul class="plain-list">${decision.applied.map((one) => html`<li key=${one.campaign_id + one.instrument_id}><${Badge} kind="good">${title(one)}<//> ${given(one, currency)}</li>`)}</ul>` : html`<p class="muted">${t("Nothing.")}</p>`}
      ${near.map((one) => html`<${Notice} kind="warn" key=${one.campaign_id + one.instrument_id + one.condition}>${t("{gap} more, and {name} is given.", { gap: gap(one.missing, one.unit, currency), name: one.name })} <span class="small">${conditionOf(one.condition)}</span><//>`)}
    <//>
    <${Panel} id="refused-title" title=${t("What did not apply, and why")}>
      ${refused.length ? html`<ul class="plain-list">${refused.map((one) => html`<li key=${one.campaign_id + one.instrument_id}><span class="strong">${title(one)}</span>: ${why(one, currency, title)}</li>`)}</ul>`
        : html`<p class="muted">${decision.applied.length ? t("Nothing was refused.") : t("No instrument was considered: it is another store or time, or a code leads to it that was not given.")}</p>`}
      ${(decision.unused_codes ?? []).length > 0 && html`<h3>${t("Codes that were not used")}</h3><ul class="plain-list">${decision.unused_codes.map(({ code, reason: name }) => html`<li key=${code}>${t("Code {n}", { n: code + 1 })}: ${reason(name)}</li>`)}</ul>`}
    <//>`;
}

const given = ({ discount, bonuses, gifts = [] }, currency) => [discount > 0 && `−${money(discount, currency)}`, bonuses > 0 && `+${bonuses} ${t("points")}`, ...gifts.map((gift) => `${t("gift")}: ${gift.sku} × ${quantity(gift.quantity)}`)].filter(Boolean).join(", ");

function why(one, currency, title) {
  const parts = [reason(one.reason)];
  if (one.condition) parts.push(conditionOf(one.condition));
  if (one.missing) parts.push(t("{gap} missing", { gap: gap(one.missing, one.unit, currency) }));
  if (one.outranked_by) parts.push(title(one.outranked_by));
  return parts.join(" – ");
}
