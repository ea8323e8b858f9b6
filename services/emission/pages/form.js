// A form over a document of the API: each field is bound by its path ("conditions.0.compare.value"), the one by
// which the API names it in errors. What cannot be read as a number stays in the document as it was typed.

import { createContext, useContext } from "./preact.js";
import { Problem, call, get, may } from "./api.js";
import { read, written } from "./documents.js";
import { clockTime, parsed, time, typed } from "./format.js";
import { t } from "./i18n.js";
import { Check, Failure, Field, Notice, html, say, useCallback, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";
import { explained } from "./messages.js";
import { UNITS } from "./units.js";

const KEEP_AFTER_MS = 700;
const Context = createContext(null);

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const within = (field, path) => field === path || field.startsWith(`${path}.`);

// kind, id: of the draft. load(): the document as it is saved, null if there is none yet. empty: a new one.
// kept(document): what of it a draft keeps.
export function useForm({ kind, id, load, empty, kept = (document) => document }) {
  const [saved, setSaved] = useState(null);
  const [value, setValue] = useState(null);
  const [view, setView] = useState(null);
  const [problem, setProblem] = useState(null);
  const [errors, setErrors] = useState([]);
  const [restoredAt, setRestoredAt] = useState(null);
  const element = useRef();
  const readOnly = !may("campaigns:write");
  const current = useRef();
  current.current = value;

  const dirty = value !== null && !same(value, saved);
  const keeping = useDraft({ kind, id, value, dirty, kept, readOnly });
  const open = useCallback(async () => {
    setProblem(null);
    try {
      const [found, draft] = await Promise.all([load(), readOnly ? null : draftOf(kind, id)]);
      const document = found ? found.document : empty;
      setView(found?.view ?? null);
      setSaved(document);
      setValue(draft ? { ...document, ...draft.body } : document);
      keeping.opened(Boolean(draft));
      setRestoredAt(draft && !same({ ...document, ...draft.body }, document) ? draft.changed_at : null);
    } catch (error) {
      setProblem(error);
    }
  }, [kind, id]);
  useEffect(() => { open(); }, [open]);
  const set = useCallback((path, next) => {
    setValue((before) => written(before, path, typeof next === "function" ? next(read(before, path)) : next));
    setErrors((before) => before.filter(({ field }) => !within(field, path)));
  }, []);
  const focusFirst = () => setTimeout(() => element.current?.querySelector('[aria-invalid="true"]')?.focus(), 0);

  // act(document): saves it and gives { document, view }. The first error is shown where it belongs.
  const submit = async (act) => {
    const sent = current.current;
    setProblem(null);
    try {
      const { document, view: after } = await act(sent);
      setErrors([]);
      setSaved(document);
      setView(after);
      setRestoredAt(null);
      if (current.current === sent) setValue(document);
      await keeping.forget();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setErrors(error.errors);
      setProblem(error.errors.length ? null : error);
      if (error.errors.length) {
        say(t("Not saved: see the marked fields"), "bad");
        focusFirst();
      }
      return false;
    }
  };
  const discard = async () => {
    setValue(saved);
    setErrors([]);
    setRestoredAt(null);
    await keeping.forget();
  };
  return { value, view, setView, saved, set, setValue, errors, setErrors, problem, dirty, readOnly, element, submit, discard, restoredAt, keptAt: keeping.keptAt, reopen: open, focusFirst };
}

async function draftOf(kind, id) {
  const { items } = await get("emission", "/v1/drafts").catch(() => ({ items: [] }));
  const there = items.some((one) => one.kind === kind && one.id === id);
  return there ? get("emission", address(kind, id)).catch(() => null) : null;
}

const address = (kind, id) => `/v1/drafts/${kind}/${encodeURIComponent(id)}`;

// Keeps what is typed with the server, a moment after the last key; warns who leaves before.
function useDraft({ kind, id, value, dirty, kept, readOnly }) {
  const [keptAt, setKeptAt] = useState(null);
  const last = useRef(null); // what the server has
  const pending = useRef(null);
  const sending = useRef(null);
  const there = useRef(false);
  const keep = async (options) => {
    const document = pending.current;
    if (document === null) return;
    try {
      sending.current = call("emission", "PUT", address(kind, id), { body: kept(document) }, options);
      there.current = true;
      await sending.current;
      last.current = document;
      if (pending.current === document) pending.current = null;
      setKeptAt(new Date());
    } catch { /* the next change tries again; who leaves meanwhile is warned */ }
  };
  useEffect(() => {
    if (readOnly || !dirty) {
      pending.current = null;
      if (!dirty && last.current) forget();
      return undefined;
    }
    if (last.current === value) return undefined;
    pending.current = value;
    const timer = setTimeout(keep, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [value, dirty]);
  const forget = async () => {
    pending.current = null;
    last.current = null;
    setKeptAt(null);
    await sending.current?.catch(() => null); // one that is under way must not come after
    if (!there.current) return;
    there.current = false;
    await call("emission", "DELETE", address(kind, id)).catch(() => null);
  };
  useEffect(() => {
    const warn = (event) => {
      if (pending.current !== null) event.preventDefault();
    };
    const hide = () => keep({ keepalive: true });
    addEventListener("beforeunload", warn);
    addEventListener("pagehide", hide);
    return () => { removeEventListener("beforeunload", warn); removeEventListener("pagehide", hide); };
  }, []);
  return { keptAt, forget, opened: (found) => { there.current = found; } };
}

// What the fields are bound to; errors that belong to none of them are listed on top.
export function Bound({ form, children }) {
  const [others, setOthers] = useState([]);
  useLayoutEffect(() => {
    const here = form.element.current;
    const claimed = (field) => {
      const parts = field.split(".");
      return parts.some((_, n) => here.querySelector(`[data-field="${CSS.escape(parts.slice(0, n + 1).join("."))}"]`))
        || here.querySelector(`[data-part="${CSS.escape(field)}"]`);
    };
    const left = form.errors.filter(({ field }) => !claimed(field));
    setOthers((before) => (same(before, left) ? before : left));
  });
  return html`<${Context.Provider} value=${form}>
    <div class="stack" ref=${form.element}>
      ${form.problem && html`<${Failure} problem=${form.problem} />`}
      ${others.length > 0 && html`<${Notice} kind="bad"><ul class="plain-list">${others.map(({ field, message }) => html`
        <li key=${field + message}>${field && html`<code>${field}</code> `}${explained(message)}</li>`)}</ul><//>`}
      ${form.restoredAt && html`<${Notice} kind="warn"><div class="row between">
        <span>${t("Your unsaved changes of {time} are back.", { time: time(form.restoredAt) })}</span>
        <button type="button" class="small" onClick=${form.discard}>${t("Discard")}</button></div><//>`}
      ${children}
    </div>
  <//>`;
}

// Whether there is something to save, and whether it is kept meanwhile.
export function Keeping({ form }) {
  const text = form.readOnly ? t("Read only") : !form.dirty ? "" : form.keptAt ? t("Draft kept at {time}", { time: clockTime(form.keptAt) }) : t("Unsaved changes");
  return html`<span class="keeping muted small" data-kept=${form.dirty && form.keptAt ? "true" : undefined}>${text}</span>`;
}

export const useForms = () => useContext(Context);

// A field by its path: { value, set, error, readOnly }. `exact`: errors below it belong to fields of their own.
export function useField(at, { unit, exact = false } = {}) {
  const form = useContext(Context);
  const found = form.errors.find(({ field }) => (exact ? field === at : within(field, at)));
  return {
    value: read(form.value, at), readOnly: form.readOnly,
    error: found && explained(found.message, unit),
    set: useCallback((next) => form.set(at, next), [at, form.set]),
  };
}

export function TextField({ at, label, hint, required, type = "text", optional = true, ...more }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error}>${(control) => html`
    <input type=${type} value=${value ?? ""} data-field=${at} disabled=${readOnly} ...${control} ...${more}
      onInput=${(event) => set(event.target.value === "" && optional ? undefined : event.target.value)} />`}<//>`;
}

export function TextAreaField({ at, label, hint, ...more }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(control) => html`
    <textarea value=${value ?? ""} data-field=${at} disabled=${readOnly} ...${control} ...${more} onInput=${(event) => set(event.target.value || undefined)}></textarea>`}<//>`;
}

// options: [[value, text], …]; the first one is what the API takes when there is none.
export function SelectField({ at, label, hint, options, fallback = options[0][0] }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<${Field} label=${label} hint=${hint} error=${error}>${(control) => html`
    <select data-field=${at} disabled=${readOnly} ...${control} value=${value ?? fallback} onChange=${(event) => set(event.target.value)}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === (value ?? fallback)}>${text}</option>`)}</select>`}<//>`;
}

export function CheckField({ at, label, fallback = false }) {
  const { value, set, error, readOnly } = useField(at);
  return html`<div class="field"><${Check} label=${label} value=${value ?? fallback} onInput=${set} data-field=${at} disabled=${readOnly} />
    ${error && html`<p class="error">${error}</p>`}</div>`;
}

// A number typed as a decimal of its unit, kept as the API's integer.
export function NumberField({ at, label, hint, unit = "count", required, className }) {
  const { value, set, error, readOnly } = useField(at, { unit });
  return html`<${Field} label=${label} hint=${hint} required=${required} error=${error} className=${className}>${(control) => html`
    <${Decimal} value=${value} onValue=${set} unit=${unit} control=${{ ...control, "data-field": at, disabled: readOnly }} />`}<//>`;
}

export function Decimal({ value, onValue, unit = "count", control }) {
  const { fraction, affix, fixed } = UNITS()[unit];
  const shown = typeof value === "number" ? asTyped(value, fraction, fixed) : value ?? "";
  const [text, setText] = useState(shown);
  // Another value came from outside; what is being typed ("300.") already says the one that there is.
  useEffect(() => {
    if (numberOf(text, fraction) !== value) setText(shown);
  }, [value]);
  return html`<span class="affix"><input type="text" inputmode="decimal" autocomplete="off" class="number" value=${text} ...${control}
    onInput=${(event) => { setText(event.target.value); onValue(numberOf(event.target.value, fraction)); }}
    onBlur=${() => setText(shown)} />${affix && html`<span class="muted">${affix}</span>`}</span>`;
}

function numberOf(text, fraction) {
  if (text.trim() === "") return undefined;
  return parsed(text, fraction) ?? text;
}

function asTyped(number, fraction, fixed) {
  const text = typed(number, fraction);
  if (!fixed) return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  const [whole, part = ""] = text.split(".");
  return `${whole}.${part.padEnd(fraction, "0")}`;
}

// An id proposed from a name, as long as nobody typed one.
const LETTERS = { а: "a", б: "b", в: "v", г: "h", ґ: "g", д: "d", е: "e", є: "ye", ж: "zh", з: "z", и: "y", і: "i", ї: "yi", й: "i", к: "k", л: "l", м: "m", н: "n", о: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ф: "f", х: "kh", ц: "ts", ч: "ch", ш: "sh", щ: "shch", ь: "", ю: "yu", я: "ya", ы: "y", э: "e", ё: "yo", ъ: "", "’": "", "'": "", ß: "ss", ø: "o", ł: "l" };
export function proposedId(name) {
  const plain = [...(name ?? "").toLowerCase()].map((letter) => LETTERS[letter] ?? letter).join("").normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return plain.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 64).replace(/-+$/, "") || undefined;
}

// Name and id of something new or there already.
export function NameAndId({ noun, isNew, nameHint }) {
  const form = useForms();
  const id = `${noun}_id`;
  const name = useField("name");
  const setName = (text) => {
    if (isNew && (form.value[id] ?? "") === (proposedId(form.value.name) ?? "")) form.set(id, proposedId(text));
    name.set(text || undefined);
  };
  return html`<div class="columns">
    <${Field} label=${t("Name")} required hint=${nameHint} error=${name.error}>${(control) => html`
      <input type="text" maxlength="200" value=${name.value ?? ""} data-field="name" disabled=${form.readOnly} ...${control} onInput=${(event) => setName(event.target.value)} />`}<//>
    ${isNew ? html`<${TextField} at=${id} label=${t("Id")} required hint=${t("letters, digits and . _ : -; it stays as it is")} maxlength="64" spellcheck=${false} class="mono" />`
      : html`<div class="field"><span class="label">${t("Id")}</span><span class="mono fixed">${form.value[id]}</span></div>`}
  </div>`;
}

