// Users of the console: invited, changed, disabled.

import { call, get, me } from "./api.js";
import { addWords, t } from "./i18n.js";
import { time } from "./format.js";
import { show, TitleBar } from "./shell.js";
import { Action, Badge, Check, Dialog, Empty, Failure, Input, List, Loading, Select, errorsOf, html, say, useAsk, useState } from "./ui.js";

addWords({
  "Invite somebody": "Запросити", "Name": "Ім’я", "Login": "Логін", "Role": "Роль", "State": "Стан", "Last signed in": "Останній вхід",
  "marketer": "маркетолог", "analyst": "аналітик", "administrator": "адміністратор", "never": "ніколи", "active": "активний", "invited": "запрошений", "disabled": "вимкнений",
  "Edit": "Змінити", "Invite": "Запросити", "New invitation": "Нове запрошення", "Disabled: may not sign in": "Вимкнений: не може увійти", "No users": "Немає користувачів",
  "letters, digits and . _ @ + -": "літери, цифри та . _ @ + -", "A marketer creates and starts promotions, an analyst reads, an administrator keeps users and keys, too.": "Маркетолог створює та запускає промоакції, аналітик переглядає, адміністратор також керує користувачами й ключами.",
  "Invitation for {login}": "Запрошення для {login}", "Send this address to the user. It works once, for two days, and is not shown again.": "Надішліть цю адресу користувачеві. Вона діє один раз, два дні, і більше не показується.",
  "Copy": "Копіювати", "Copied": "Скопійовано", "Done": "Готово", "{login} was changed": "{login} змінено",
});

const ROLES = () => ["marketer", "analyst", "administrator"].map((role) => [role, t(role)]);
const state = (user) => (user.disabled ? ["bad", t("disabled")] : user.invited ? ["warn", t("invited")] : ["good", t("active")]);

function Users() {
  const { data, problem, reload } = useAsk((signal) => get("emission", "/v1/users?limit=1000", { signal }), []);
  const [open, setOpen] = useState(null);
  const [invitation, setInvitation] = useState(null);
  const invite = async (login) => setInvitation(await call("emission", "POST", `/v1/users/${encodeURIComponent(login)}/invitation`));
  const columns = [
    { key: "login", title: t("Login"), cell: (user) => html`<span class="strong">${user.login}</span><span class="sub">${user.name}</span>` },
    { key: "role", title: t("Role"), cell: (user) => t(user.role) },
    { key: "state", title: t("State"), cell: (user) => html`<${Badge} kind=${state(user)[0]}>${state(user)[1]}<//>` },
    { key: "signed_in_at", title: t("Last signed in"), cell: (user) => (user.signed_in_at ? time(user.signed_in_at) : t("never")) },
    { key: "actions", title: "", cell: (user) => html`<div class="row">
      <button type="button" class="small" onClick=${() => setOpen(user)} aria-label="${t("Edit")} ${user.login}">${t("Edit")}</button>
      ${user.login !== me.login && !user.disabled && html`<${Action} kind="small" aria-label="${t("New invitation")} ${user.login}" onAct=${() => invite(user.login)}>${t("New invitation")}<//>`}</div>` },
  ];
  return html`<${TitleBar} title=${t("Users")}><button type="button" class="primary" onClick=${() => setOpen({})}>${t("Invite somebody")}</button><//>
    <section class="panel" aria-label=${t("Users")}>
      ${problem ? html`<${Failure} problem=${problem} retry=${reload} />` : !data ? html`<${Loading} />` : html`
      <${List} label=${t("Users")} columns=${columns} rows=${data.items} rowKey=${(user) => user.login} empty=${html`<${Empty} title=${t("No users")} />`} />`}
    </section>
    ${open && html`<${Edit} user=${open} onClose=${() => setOpen(null)} onDone=${(made) => { setOpen(null); setInvitation(made); reload(); }} />`}
    ${invitation && html`<${Invitation} made=${invitation} onClose=${() => setInvitation(null)} />`}`;
}

function Edit({ user, onClose, onDone }) {
  const isNew = !user.login;
  const [form, setForm] = useState({ login: user.login ?? "", name: user.name ?? "", role: user.role ?? "marketer", disabled: user.disabled ?? false });
  const [problem, setProblem] = useState(null);
  const set = (field) => (value) => setForm({ ...form, [field]: value });
  const errors = errorsOf(problem, ["login", "name", "role"]);
  const save = async () => {
    try {
      const { login, name, role, disabled } = form;
      if (isNew) return onDone(await call("emission", "POST", "/v1/users", { login, name, role }));
      await call("emission", "PUT", `/v1/users/${encodeURIComponent(login)}`, { name, role, disabled });
      say(t("{login} was changed", { login }));
      return onDone(null);
    } catch (error) {
      return setProblem(error);
    }
  };
  return html`<${Dialog} title=${isNew ? t("Invite somebody") : user.login} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    ${isNew && html`<${Input} label=${t("Login")} value=${form.login} onInput=${set("login")} error=${errors.login} hint=${t("letters, digits and . _ @ + -")} required />`}
    <${Input} label=${t("Name")} value=${form.name} onInput=${set("name")} error=${errors.name} required />
    <${Select} label=${t("Role")} value=${form.role} onInput=${set("role")} options=${ROLES()} error=${errors.role}
      hint=${t("A marketer creates and starts promotions, an analyst reads, an administrator keeps users and keys, too.")} />
    ${!isNew && html`<${Check} label=${t("Disabled: may not sign in")} value=${form.disabled} onInput=${set("disabled")} />`}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button>
      <${Action} kind="primary" onAct=${save}>${isNew ? t("Invite") : t("Save")}<//></div>
  <//>`;
}

function Invitation({ made, onClose }) {
  const address = `${location.origin}/invitation#${made.secret}`;
  return html`<${Dialog} title=${t("Invitation for {login}", { login: made.user.login })} onClose=${onClose}>
    <p>${t("Send this address to the user. It works once, for two days, and is not shown again.")}</p>
    <textarea readonly aria-label=${t("Invitation for {login}", { login: made.user.login })} value=${address}></textarea>
    <div class="actions">
      <${Action} onAct=${async () => { await navigator.clipboard.writeText(address); say(t("Copied")); }}>${t("Copy")}<//>
      <button type="button" class="primary" onClick=${onClose}>${t("Done")}</button>
    </div>
  <//>`;
}

show("/users", t("Users"), Users);
