// Conditions as rows, nested: added, removed, moved, wrapped.

import { t } from "./i18n.js";
import { useField } from "./form.js";
import { Fields, useKinds } from "./editors.js";
import { CONDITIONS, GROUPS } from "./kinds.js";
import { moved } from "./moving.js";
import { Menu } from "./parts.js";
import { Dialog, html, useEffect, useRef, useState } from "./ui.js";

const DEEPEST = 6;
const NESTING = ["all", "any", "not"];

// The conditions in a list; `within` says what combines them.
export function Conditions({ at, within = "all", depth = 1 }) {
  const { value = [], set, error, readOnly } = useField(at, { exact: true });
  const [adding, setAdding] = useState(false);
  const [focused, setFocused] = useState(null);
  const [order, setOrder] = useState(0); // another one for every change of places: a row that is new remembers nothing
  const list = useRef();
  // Where a row has gone the focus goes, too.
  useEffect(() => {
    if (!focused) return;
    const row = list.current.querySelector(`:scope > li:nth-of-type(${focused.n + 1})`);
    (row?.querySelector(focused.what) ?? row?.querySelector(".kind"))?.focus();
    setFocused(null);
  }, [focused]);
  const move = (from, by) => {
    const { next, n, pressed } = moved(value, from, by);
    set(next);
    setOrder(order + 1);
    setFocused({ n, what: `[data-move="${pressed}"]` });
  };
  const remove = (n) => {
    set(value.filter((_, each) => each !== n));
    setOrder(order + 1);
    setFocused({ n: Math.max(0, n - 1), what: ".kind" });
  };
  const replace = (n, ...conditions) => {
    set(value.flatMap((one, each) => (each === n ? conditions : [one])));
    setOrder(order + 1);
    setFocused({ n, what: ".kind" });
  };
  const add = (kind) => {
    set([...value, { kind, ...CONDITIONS()[kind].start }]);
    setAdding(false);
    setFocused({ n: value.length, what: ".part-fields :is(input, select)" });
  };
  return html`<div class="conditions" data-part=${at}>
    <ol ref=${list}>${value.map((one, n) => html`<${Row} key=${`${order} ${n}`} at="${at}.${n}" number=${n + 1} last=${n === value.length - 1} depth=${depth} join=${n > 0 && (within === "any" ? t("or") : t("and"))}
      onMove=${(by) => move(n, by)} onRemove=${() => remove(n)} onReplace=${(...conditions) => replace(n, ...conditions)} />`)}</ol>
    ${value.length === 0 && html`<p class="muted">${depth === 1 ? t("No conditions: every receipt gets the benefit.") : t("Nothing in it yet.")}</p>`}
    ${!readOnly && html`<div><button type="button" class="small add" onClick=${() => setAdding(true)}>+ ${t("Add a condition")}</button></div>`}
    ${error && html`<p class="error-text">${error}</p>`}
    ${adding && html`<${Palette} depth=${depth} onChoose=${add} onClose=${() => setAdding(false)} />`}
  </div>`;
}

function Row({ at, number, last, depth, join, onMove, onRemove, onReplace }) {
  const { value, set, error, readOnly } = useField(at, { exact: true });
  const kinds = CONDITIONS();
  const kind = kinds[value.kind];
  const choose = useKinds(kinds, value, set);
  const name = t("Condition {n}", { n: number });
  return html`<li class=${NESTING.includes(value.kind) ? "condition nesting" : "condition"} data-part=${at}>
    ${join && html`<span class="join">${join}</span>`}
    <div class="condition-head">
      <${KindSelect} value=${value.kind} depth=${depth} label=${name} disabled=${readOnly} onChange=${choose} />
      ${!readOnly && html`<div class="tools">
        <button type="button" class="small icon quiet" data-move="up" disabled=${number === 1} aria-label="${t("Move up")}: ${name}" title=${t("Move up")} onClick=${() => onMove(-1)}>↑</button>
        <button type="button" class="small icon quiet" data-move="down" disabled=${last} aria-label="${t("Move down")}: ${name}" title=${t("Move down")} onClick=${() => onMove(1)}>↓</button>
        <${Wrap} name=${name} value=${value} depth=${depth} onReplace=${onReplace} />
        <button type="button" class="small icon quiet" aria-label="${t("Remove")}: ${name}" title=${t("Remove")} onClick=${onRemove}>✕</button></div>`}
    </div>
    <p class="about small muted">${kind?.about}</p>
    ${kind && html`<${Fields} at=${at} fields=${kind.fields} />`}
    ${(value.kind === "all" || value.kind === "any") && html`<${Conditions} at="${at}.conditions" within=${value.kind} depth=${depth + 1} />`}
    ${value.kind === "not" && html`<${Negated} at="${at}.condition" depth=${depth + 1} />`}
    ${error && html`<p class="error-text">${error}</p>`}
  </li>`;
}

// Wraps a condition in another one, or takes it out of it.
function Wrap({ name, value, depth, onReplace }) {
  const inner = value.conditions ?? (value.condition ? [value.condition] : null);
  const wrapped = { all: { kind: "all", conditions: [value] }, any: { kind: "any", conditions: [value] }, not: { kind: "not", condition: value } };
  const act = (chosen) => onReplace(...(chosen === "unwrap" ? inner : chosen === "double" ? [value, copied(value)] : [wrapped[chosen]]));
  const choices = [
    ...(depth < DEEPEST ? [["all", t("Wrap in: all of these")], ["any", t("Wrap in: any of these")], ["not", t("Wrap in: not")]] : []),
    ...(inner ? [["unwrap", t("Unwrap")]] : []), ["double", t("Duplicate")],
  ];
  return html`<${Menu} label="${t("Wrap, unwrap, duplicate")}: ${name}" text="⋯" className="small icon quiet" choices=${choices} onChoose=${act} />`;
}

// A copy may not count with the same counter.
const copied = (condition) => (condition.kind === "promo_code" ? { ...condition, condition_id: `${condition.condition_id ?? "code"}-2` } : condition);

function Negated({ at, depth }) {
  const { value, set, error, readOnly } = useField(at, { exact: true });
  const [adding, setAdding] = useState(false);
  const choose = (kind) => { set({ kind, ...CONDITIONS()[kind].start }); setAdding(false); };
  return html`<div class="conditions">${value
    ? html`<ol><${Row} at=${at} number=${1} last=${true} depth=${depth} onMove=${() => null} onRemove=${() => set(undefined)} onReplace=${(...many) => set(many.length > 1 ? { kind: "all", conditions: many } : many[0])} /></ol>`
    : html`${!readOnly && html`<div data-field=${at}><button type="button" class="small add" aria-invalid=${error ? "true" : undefined} onClick=${() => setAdding(true)}>+ ${t("Add a condition")}</button></div>`}
      ${error && html`<p class="error-text">${error}</p>`}`}
    ${adding && html`<${Palette} depth=${depth} onChoose=${choose} onClose=${() => setAdding(false)} />`}</div>`;
}

const offered = (depth) => Object.entries(CONDITIONS()).filter(([kind]) => depth < DEEPEST || !NESTING.includes(kind));

function KindSelect({ value, label, depth, disabled, onChange }) {
  return html`<select class="kind" aria-label=${label} disabled=${disabled} value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${GROUPS().map(([group, title]) => html`<optgroup key=${group} label=${title}>${offered(value && NESTING.includes(value) ? 1 : depth).filter(([, one]) => one.group === group).map(([kind, one]) => html`
      <option key=${kind} value=${kind} selected=${kind === value}>${one.title}</option>`)}</optgroup>`)}</select>`;
}

// All kinds of conditions, to choose one.
function Palette({ depth, onChoose, onClose }) {
  return html`<${Dialog} title=${t("Add a condition")} onClose=${onClose} wide>
    <div class="palette">${GROUPS().map(([group, title]) => html`<section key=${group}><h3>${title}</h3>
      ${offered(depth).filter(([, one]) => one.group === group).map(([kind, one]) => html`
        <button type="button" key=${kind} onClick=${() => onChoose(kind)}><span class="strong">${one.title}</span><span class="muted small">${one.about}</span></button>`)}</section>`)}</div>
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button></div>
  <//>`;
}
