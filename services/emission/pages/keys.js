// API keys of tills, shops and programs.

import { call, get } from "./api.js";
import { addWords, t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Action, Badge, Check, Confirm, Dialog, Empty, Failure, Input, List, Loading, errorsOf, html, say, useAsk, useState } from "./ui.js";

addWords({
  "New key": "Новий ключ", "Key": "Ключ", "Name": "Назва", "Allows": "Дозволяє", "State": "Стан", "active": "чинний", "revoked": "відкликаний", "Revoke": "Відкликати",
  "No keys yet": "Ключів ще немає", "Make one for each till system, shop or program.": "Створіть окремий ключ для кожної касової системи, магазину чи програми.",
  "Revoke {name}?": "Відкликати {name}?", "Whoever uses this key is refused, at the latest in an hour.": "Власник цього ключа отримає відмову щонайпізніше за годину.",
  "Key for {name}": "Ключ для {name}", "Copy it now: it is not shown again.": "Скопіюйте зараз: його більше не буде показано.", "Copy": "Копіювати", "Copied": "Скопійовано", "Done": "Готово", "Make the key": "Створити ключ",
  "who or what will use it": "хто або що ним користуватиметься", "read customers, segments, offers and alerts": "переглядати покупців, сегменти, пропозиції й тривоги", "change segments, offers and alerts": "змінювати сегменти, пропозиції й тривоги", "erase customers": "вилучати дані покупців", "everything of the administration": "усе адміністрування", "create and start promotions": "створювати та запускати промоакції", "read promotions": "переглядати промоакції", "export promo codes": "вивантажувати промокоди", "quotes of trusted shops": "попередні розрахунки довірених магазинів", "quotes of anonymous pages": "попередні розрахунки анонімних сторінок", "checkouts, sales and returns": "чеки, продажі та повернення", "leases of limits for offline tills": "резерви лімітів для кас без мережі", "read the ledger and certificates": "переглядати облік і сертифікати", "read statistics": "переглядати статистику",
});

const SCOPES = () => [
  ["checkouts:write", t("checkouts, sales and returns")], ["quotes:write", t("quotes of trusted shops")], ["quotes:public", t("quotes of anonymous pages")],
  ["leases:write", t("leases of limits for offline tills")], ["campaigns:read", t("read promotions")], ["campaigns:write", t("create and start promotions")],
  ["codes:export", t("export promo codes")], ["statistics:read", t("read statistics")], ["ledger:read", t("read the ledger and certificates")],
  ["customers:read", t("read customers, segments, offers and alerts")], ["customers:write", t("change segments, offers and alerts")], ["customers:erase", t("erase customers")], ["admin", t("everything of the administration")],
];

function Keys() {
  const { data, problem, reload } = useAsk((signal) => get("emission", "/v1/api-keys?limit=1000", { signal }), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  const [ending, setEnding] = useState(null);
  const columns = [
    { key: "name", title: t("Name"), cell: (key) => html`<span class="strong">${key.name}</span><span class="sub mono">ts_${key.key_id}_…</span>` },
    { key: "scopes", title: t("Allows"), cell: (key) => html`<div class="row">${key.scopes.map((scope) => html`<span class="badge plain" key=${scope}>${scope}</span>`)}</div>` },
    { key: "state", title: t("State"), cell: (key) => html`<${Badge} kind=${key.revoked ? "bad" : "good"}>${key.revoked ? t("revoked") : t("active")}<//>` },
    { key: "actions", title: "", cell: (key) => !key.revoked && html`<button type="button" class="small danger" aria-label="${t("Revoke")} ${key.name}" onClick=${() => setEnding(key)}>${t("Revoke")}</button>` },
  ];
  return html`<${TitleBar} title=${t("API keys")}><button type="button" class="primary" onClick=${() => setMaking(true)}>${t("New key")}</button><//>
    <section class="panel" aria-label=${t("API keys")}>
      ${problem ? html`<${Failure} problem=${problem} retry=${reload} />` : !data ? html`<${Loading} />` : html`
      <${List} label=${t("API keys")} columns=${columns} rows=${data.items} rowKey=${(key) => key.key_id}
        empty=${html`<${Empty} title=${t("No keys yet")}>${t("Make one for each till system, shop or program.")}<//>`} />`}
    </section>
    ${making && html`<${NewKey} onClose=${() => setMaking(false)} onMade=${(key) => { setMaking(false); setMade(key); reload(); }} />`}
    ${made && html`<${Shown} made=${made} onClose=${() => setMade(null)} />`}
    ${ending && html`<${Confirm} title=${t("Revoke {name}?", { name: ending.name })} text=${t("Whoever uses this key is refused, at the latest in an hour.")} action=${t("Revoke")}
      onAct=${async () => { await call("emission", "DELETE", `/v1/api-keys/${encodeURIComponent(ending.key_id)}`); reload(); }} onClose=${() => setEnding(null)} />`}`;
}

function NewKey({ onClose, onMade }) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(new Set(["checkouts:write"]));
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, ["name", "scopes"]);
  const toggle = (scope) => (on) => {
    const next = new Set(scopes);
    next[on ? "add" : "delete"](scope);
    setScopes(next);
  };
  const make = async () => {
    try {
      onMade(await call("emission", "POST", "/v1/api-keys", { name, scopes: [...scopes] }));
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${t("New key")} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Input} label=${t("Name")} value=${name} onInput=${setName} error=${errors.name} hint=${t("who or what will use it")} required />
    <fieldset class="field"><legend>${t("Allows")}</legend>
      ${SCOPES().map(([scope, text]) => html`<${Check} key=${scope} label=${text} value=${scopes.has(scope)} onInput=${toggle(scope)} />`)}
      ${errors.scopes && html`<p class="error">${errors.scopes}</p>`}
    </fieldset>
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${make}>${t("Make the key")}<//></div>
  <//>`;
}

function Shown({ made, onClose }) {
  return html`<${Dialog} title=${t("Key for {name}", { name: made.name })} onClose=${onClose}>
    <p>${t("Copy it now: it is not shown again.")}</p>
    <textarea readonly class="mono" aria-label=${t("Key")} value=${made.api_key}></textarea>
    <div class="actions"><${Action} onAct=${async () => { await navigator.clipboard.writeText(made.api_key); say(t("Copied")); }}>${t("Copy")}<//>
      <button type="button" class="primary" onClick=${onClose}>${t("Done")}</button></div>
  <//>`;
}

show("/keys", t("API keys"), Keys);
