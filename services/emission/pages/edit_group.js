// A customer group is made, or its members are replaced, by a file.

import { call } from "./api.js";
import { t, tn } from "./i18n.js";
import { BadLines, customersOf } from "./customers.js";
import { proposedId } from "./form.js";
import { explained } from "./messages.js";
import { Action, Dialog, Failure, Field, Input, Notice, errorsOf, html, say, useState } from "./ui.js";

export function EditGroup({ group, onClose, onDone }) {
  const isNew = !group.group_id;
  const [form, setForm] = useState({ group_id: group.group_id, name: group.name });
  const [read, setRead] = useState(null);
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem && { ...problem, message: problem.message, errors: problem.errors?.map(({ field, message }) => ({ field: field.replace(/^customers\..*/, "customers"), message: explained(message) })) }, ["group_id", "name", "customers"]);
  const setName = (name) => setForm({ name, group_id: isNew && (form.group_id ?? "") === (proposedId(form.name) ?? "") ? proposedId(name) : form.group_id });
  const choose = async (event) => {
    const [file] = event.target.files;
    setRead(file ? customersOf(await file.text()) : null);
  };
  const save = async () => {
    try {
      const saved = await call("emission", "PUT", `/v1/customer-groups/${encodeURIComponent(form.group_id ?? "")}`, { name: form.name ?? "", customers: read?.customers ?? [] });
      say(t("{name}: {customers}", { name: saved.name, customers: tn(saved.members, "{n} customer", "{n} customers") }));
      onDone();
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${isNew ? t("New group") : group.name} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Input} label=${t("Name")} value=${form.name} onInput=${setName} error=${errors.name} required />
    ${isNew && html`<${Input} label=${t("Id")} value=${form.group_id} onInput=${(group_id) => setForm({ ...form, group_id })} error=${errors.group_id} required class="mono" />`}
    <${Field} label=${t("Customers")} error=${errors.customers} required=${isNew} hint=${t("a CSV or text file: the column customer_id, or the first one; the group will have exactly these")}>${(control) => html`
      <input type="file" accept=".csv,.txt,text/csv,text/plain" ...${control} onChange=${choose} />`}<//>
    ${read && html`<${Notice} kind=${read.bad.length ? "warn" : "good"}><${BadLines} read=${read} /><//>`}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" disabled=${!read} onAct=${save}>${isNew ? t("Make the group") : t("Replace its customers")}<//></div>
  <//>`;
}
