// The parts that pages are made of. Each page composes them; how they look is in base.css.

import { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./preact.js";
import { Problem } from "./api.js";
import { count } from "./format.js";
import { t } from "./i18n.js";

export { html, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState };

let ids = 0;
export const useId = () => useMemo(() => `id-${(ids += 1)}`, []);

// What an asynchronous question gives: { data, problem, loading, reload }. Asked again when `asked` changes.
export function useAsk(question, asked) {
  const [state, setState] = useState({ data: null, problem: null, loading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    question(stop.signal).then(
      (data) => stop.signal.aborted || setState({ data, problem: null, loading: false }),
      (problem) => stop.signal.aborted || setState((before) => ({ ...before, problem, loading: false })),
    );
    return () => stop.abort();
  }, [...asked, turn]);
  const reload = useCallback(() => setTurn((now) => now + 1), []);
  return { ...state, reload };
}

// The parameters of the page's address, and a way to change them: undefined and "" take one out.
export function useAddress() {
  const read = () => Object.fromEntries(new URLSearchParams(location.search));
  const [parameters, setParameters] = useState(read);
  useEffect(() => {
    const back = () => setParameters(read());
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);
  const change = useCallback((changes, { replace = false } = {}) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined || value === null || value === "") next.delete(name);
      else next.set(name, value);
    }
    const query = String(next);
    history[replace ? "replaceState" : "pushState"](null, "", query ? `?${query}` : location.pathname);
    setParameters(read());
  }, []);
  return [parameters, change];
}

// A value that follows another one when that has been still for a moment: what is typed, say.
export function useSettled(value, ms = 250) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

// A value that changes at most once in a while, and in the end is the latest: what is asked anew by it.
export function usePaced(value, ms) {
  const [paced, setPaced] = useState(value);
  const changedAt = useRef(-Infinity);
  useEffect(() => {
    if (value === paced) return undefined;
    const change = () => {
      changedAt.current = performance.now();
      setPaced(value);
    };
    const timer = setTimeout(change, Math.max(0, changedAt.current + ms - performance.now()));
    return () => clearTimeout(timer);
  }, [value, ms]);
  return paced;
}

// ---- saying things ----

const listeners = new Set();
export function say(text, kind = "good") {
  for (const listener of listeners) listener({ text, kind });
}

export function Toasts() {
  const [shown, setShown] = useState([]);
  useEffect(() => {
    const listen = (toast) => {
      const entry = { ...toast, key: (ids += 1) };
      setShown((before) => [...before.slice(-3), entry]);
      if (toast.kind === "good") setTimeout(() => setShown((before) => before.filter((one) => one !== entry)), 6000);
    };
    listeners.add(listen);
    return () => listeners.delete(listen);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">${shown.map((one) => html`
    <div class="notice ${one.kind}" key=${one.key}><span>${one.text}</span>
      <button type="button" class="small quiet" onClick=${() => setShown((before) => before.filter((each) => each !== one))}>${t("Close")}</button>
    </div>`)}</div>`;
}

export const Notice = ({ kind = "", children, role = kind === "bad" ? "alert" : "status" }) =>
  html`<div class="notice ${kind}" role=${role}>${children}</div>`;

// A problem of the API in words, with a way to try again.
export const Failure = ({ problem, retry }) => html`<div class="notice bad row" role="alert">
  <span>${problem instanceof Problem || problem?.message ? problem.message : String(problem)}</span>
  ${retry && html`<button type="button" class="small" onClick=${retry}>${t("Try again")}</button>`}
</div>`;

export const Empty = ({ title, children, action }) => html`<div class="empty"><h2>${title}</h2>${children && html`<p>${children}</p>`}${action}</div>`;

export const Loading = ({ rows = 5 }) => html`<div class="body stack" role="status" aria-label=${t("Loading")}>
  ${Array.from({ length: rows }, (_, i) => html`<div class="skeleton" key=${i}>…</div>`)}</div>`;

export const Badge = ({ kind = "", children }) => html`<span class="badge ${kind}">${children}</span>`;

// ---- doing things ----

// A button whose work takes a moment: it can't be pressed twice, and a failure is said.
export function Action({ onAct, children, kind = "", ...more }) {
  const [busy, setBusy] = useState(false);
  const act = async () => {
    setBusy(true);
    try {
      await onAct();
    } catch (problem) {
      say(problem.message, "bad");
    } finally {
      setBusy(false);
    }
  };
  return html`<button type="button" class=${kind} ...${more} disabled=${busy || more.disabled} aria-busy=${busy} onClick=${act}>${children}</button>`;
}

// A modal dialog; `onClose` when it is closed by whatever means.
export function Dialog({ title, onClose, children, wide = false }) {
  const element = useRef();
  const id = useId();
  useLayoutEffect(() => {
    element.current.showModal();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${id} onClose=${onClose}>
    <div class="body"><h2 id=${id}>${title}</h2>${children}</div>
  </dialog>`;
}

// Asks before something that can't be undone.
export function Confirm({ title, text, action, kind = "primary", onAct, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <p>${text}</p>
    <div class="actions">
      <button type="button" onClick=${onClose}>${t("Cancel")}</button>
      <${Action} kind=${kind} onAct=${async () => { await onAct(); onClose(); }}>${action}<//>
    </div>
  <//>`;
}

// Tabs: [[key, text], …]; arrow keys go from one to the next. What they show follows them in the page.
export function Tabs({ tabs, value, onChange, label }) {
  const row = useRef();
  const go = (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = (tabs.findIndex(([key]) => key === value) + by + tabs.length) % tabs.length;
    onChange(tabs[next][0]);
    row.current.children[next].focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} ref=${row} onKeyDown=${go}>${tabs.map(([key, text]) => html`
    <button type="button" role="tab" key=${key} aria-selected=${key === value} tabindex=${key === value ? 0 : -1} onClick=${() => onChange(key)}>${text}</button>`)}</div>`;
}

// ---- forms ----

// A labelled field with its error beside it. `children` gets the attributes of the control.
export function Field({ label, error, hint, required = false, children, className = "" }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return html`<div class="field ${className}">
    <label for=${id}>${label}${required && html`<span aria-hidden="true"> *</span>`}</label>
    ${children({ id, required, "aria-invalid": error ? "true" : undefined, "aria-describedby": described || undefined })}
    ${hint && html`<p class="hint" id="${id}-hint">${hint}</p>`}
    ${error && html`<p class="error" id="${id}-error">${error}</p>`}
  </div>`;
}

export const Input = ({ label, value, onInput, error, hint, required, type = "text", className, ...more }) => html`
  <${Field} label=${label} error=${error} hint=${hint} required=${required} className=${className}>${(control) => html`
    <input type=${type} value=${value ?? ""} onInput=${(event) => onInput(event.target.value)} ...${control} ...${more} />`}<//>`;

// options: [[value, text], …]
export const Select = ({ label, value, onInput, options, error, hint, required, className, ...more }) => html`
  <${Field} label=${label} error=${error} hint=${hint} required=${required} className=${className}>${(control) => html`
    <select value=${value ?? ""} onChange=${(event) => onInput(event.target.value)} ...${control} ...${more}>
      ${options.map(([key, text]) => html`<option value=${key} key=${key} selected=${key === value}>${text}</option>`)}
    </select>`}<//>`;

export const Check = ({ label, value, onInput, ...more }) => html`<label class="check">
  <input type="checkbox" checked=${value} onChange=${(event) => onInput(event.target.checked)} ...${more} /> <span>${label}</span></label>`;

// The errors of a problem by field, for `error=${errors.name}`; what belongs to no shown field stays in ``others``.
export function errorsOf(problem, shown = []) {
  const byField = {};
  for (const { field, message } of problem?.errors ?? []) byField[field] ??= message;
  const others = Object.entries(byField).filter(([field]) => !shown.includes(field)).map(([field, message]) => `${field}: ${message}`);
  if (problem && !problem.errors?.length) others.push(problem.message);
  return { ...byField, others };
}

// ---- lists ----

// columns: [{ key, title, number, sort, cell: (row) => … }]; sort: "name" or "-name".
export function List({ columns, rows, sort, onSort, rowKey, label, empty }) {
  if (!rows.length) return empty;
  return html`<div class="table-box" tabindex="0" role="region" aria-label=${label}><table class="list">
    <thead><tr>${columns.map((column) => html`<${Heading} key=${column.key} column=${column} sort=${sort} onSort=${onSort} />`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${rowKey(row)}>${columns.map((column) => html`
      <td key=${column.key} class=${column.number ? "number" : ""}>${column.cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

function Heading({ column, sort, onSort }) {
  const mine = sort?.replace("-", "") === column.key;
  const descending = mine && sort.startsWith("-");
  const order = mine ? (descending ? "descending" : "ascending") : undefined;
  return html`<th scope="col" class=${column.number ? "number" : ""} aria-sort=${order}>
    ${column.sort && onSort
      ? html`<button type="button" onClick=${() => onSort(mine && !descending ? `-${column.key}` : column.key)}>${column.title}</button>`
      : column.title || html`<span class="visually-hidden">${t("Actions")}</span>`}
  </th>`;
}

export function Pager({ offset, limit, total, onPage }) {
  const last = Math.min(offset + limit, total);
  return html`<nav class="pager" aria-label=${t("Pages")}>
    <span class="muted">${t("{from}–{to} of {total}", { from: count(total ? offset + 1 : 0), to: count(last), total: count(total) })}</span>
    <span class="row">
      <button type="button" class="small" disabled=${offset === 0} onClick=${() => onPage(Math.max(0, offset - limit))}>${t("Previous")}</button>
      <button type="button" class="small" disabled=${last >= total} onClick=${() => onPage(offset + limit)}>${t("Next")}</button>
    </span>
  </nav>`;
}
