// What the pages of authoring share: panels, copies, what was done before a page was left.

import { at, call } from "./api.js";
import { t } from "./i18n.js";
import { proposedId } from "./form.js";
import { Action, Dialog, Failure, Input, errorsOf, html, say, useRef, useState } from "./ui.js";

const DONE = "tillstream_done";

export const idInPath = () => decodeURIComponent(location.pathname.split("/")[2] ?? "");
export const pageOf = (place, id) => at("emission", `/${place}/${encodeURIComponent(id)}`);

// A new thing was saved: on to its own page, which says so.
export function created(place, id, text = t("Saved")) {
  sessionStorage.setItem(DONE, text);
  location.replace(pageOf(place, id));
}

export function sayWhatWasDone() {
  const text = sessionStorage.getItem(DONE);
  sessionStorage.removeItem(DONE);
  if (text) setTimeout(() => say(text), 0);
}

export const Panel = ({ id, title, children, hint, actions }) => html`<section class="panel" aria-labelledby=${id}>
  <header><h2 id=${id}>${title}</h2>${hint && html`<p class="muted small">${hint}</p>`}${actions && html`<div class="actions">${actions}</div>`}</header>
  <div class="body">${children}</div></section>`;

// A button that unfolds others; choices: [[key, text], …].
export function Menu({ label, text, choices, onChoose, className = "small" }) {
  const [open, setOpen] = useState(false);
  const box = useRef();
  const close = (event) => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    box.current.querySelector("button").focus();
  };
  const choose = (key) => {
    setOpen(false);
    box.current.querySelector("button").focus();
    onChoose(key);
  };
  return html`<div class="menu" ref=${box} onKeyDown=${close} onFocusout=${(event) => box.current.contains(event.relatedTarget) || setOpen(false)}>
    <button type="button" class=${className} aria-label=${label} title=${label} aria-expanded=${open} onClick=${() => setOpen(!open)}>${text}</button>
    ${open && html`<ul>${choices.map(([key, said]) => html`<li key=${key}><button type="button" class="quiet" onClick=${() => choose(key)}>${said}</button></li>`)}</ul>`}
  </div>`;
}

// noun: "campaign", "instrument" or "emission". more: fields that a copy needs beside id and name.
export function CopyDialog({ noun, id, name, onClose, word }) {
  const [form, setForm] = useState({ name: t("{name} (copy)", { name }), id: `${id}-2`.slice(0, 64), word: word ? `${word}2` : undefined });
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, [`${noun}_id`, "name", "word"]);
  const set = (field) => (value) => setForm({ ...form, [field]: value });
  const copy = async () => {
    const body = { [`${noun}_id`]: form.id || proposedId(form.name), name: form.name, ...(word && { word: form.word }) };
    try {
      await call("emission", "POST", `/v1/${noun}s/${encodeURIComponent(id)}/copy`, body);
      sessionStorage.setItem(DONE, t("Copied: this is the copy, a draft"));
      location.assign(pageOf(`${noun}s`, body[`${noun}_id`]));
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${t("Copy {name}", { name })} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Input} label=${t("Name")} value=${form.name} onInput=${set("name")} error=${errors.name} required />
    <${Input} label=${t("Id")} value=${form.id} onInput=${set("id")} error=${errors[`${noun}_id`]} required class="mono" />
    ${word && html`<${Input} label=${t("Word")} value=${form.word} onInput=${set("word")} error=${errors.word} required />`}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${copy}>${t("Copy")}<//></div>
  <//>`;
}

// A state that outlives the page, in this tab: what was put together is there again.
export function useStored(key, initial) {
  const [value, setValue] = useState(() => {
    try {
      return { ...initial, ...JSON.parse(sessionStorage.getItem(`tillstream ${key}`)) };
    } catch {
      return initial;
    }
  });
  const keep = (next) => {
    sessionStorage.setItem(`tillstream ${key}`, JSON.stringify(next));
    setValue(next);
  };
  return [value, keep];
}
