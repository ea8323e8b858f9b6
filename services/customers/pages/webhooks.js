// Webhooks: who is told, how it goes, and telling them again.

import { call, get } from "./api.js";
import { count, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Action, Badge, Check, Confirm, Dialog, Empty, Failure, Input, List, Loading, errorsOf, html, say, useAsk, useEffect, useId, useState } from "./ui.js";
import "./words_webhooks.js";

const AGAIN_MS = 3000;
const KINDS = () => ({ profiles: t("profiles"), segments: t("segments"), offers: t("offers"), alerts: t("alerts") });
const STATES = () => ({ active: ["good", t("active")], failing: ["bad", t("failing")], paused: ["warn", t("paused")] });
// Why something was not taken, as the service says it, in the reader's language.
const WHYS = () => ({
  "the host is not known": t("the host is not known"), "no connection": t("no connection"), "no TLS connection": t("no TLS connection"), "its certificate is not valid": t("its certificate is not valid"),
  "no answer within 10 s": t("no answer within {n} s", { n: 10 }),
});
const why = (error) => WHYS()[error] ?? (/^answered (\d+)$/.test(error) ? t("answered {status}", { status: error.slice(9) }) : error);
const pathOf = (hook, action = "") => `/v1/webhooks/${encodeURIComponent(hook.webhook_id)}${action && `/${action}`}`;
const ask = (hook, action, body) => call("customers", "POST", pathOf(hook, action), body);

function Form({ hook, onClose, onSaved }) {
  const [form, setForm] = useState({ name: hook?.name ?? "", url: hook?.url ?? "https://", topics: hook?.topics ?? Object.keys(KINDS()), since: "" });
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, ["name", "url", "topics", "since"]);
  const set = (field) => (value) => setForm({ ...form, [field]: value });
  const toggle = (kind) => (on) => set("topics")(Object.keys(KINDS()).filter((one) => (one === kind ? on : form.topics.includes(one))));
  const save = async () => {
    const { since, ...body } = form;
    try {
      if (hook) onSaved(await call("customers", "PUT", pathOf(hook), body));
      else onSaved(await call("customers", "POST", "/v1/webhooks", { ...body, ...(since && { since: new Date(since).toISOString() }) }));
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${Dialog} title=${hook ? t("Edit {name}", { name: hook.name }) : t("New webhook")} onClose=${onClose}>
    ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
    <${Input} label=${t("Name")} value=${form.name} onInput=${set("name")} error=${errors.name} required maxlength="200" />
    <${Input} label=${t("Address")} type="url" value=${form.url} onInput=${set("url")} error=${errors.url} hint=${t("https; no redirects are followed")} required class="mono" />
    <fieldset class="field"><legend>${t("Is told of")}</legend><div class="row">${Object.entries(KINDS()).map(([kind, text]) => html`
      <${Check} key=${kind} label=${text} value=${form.topics.includes(kind)} onInput=${toggle(kind)} />`)}</div>${errors.topics && html`<p class="error">${errors.topics}</p>`}</fieldset>
    ${!hook && html`<${Input} label=${t("From when on")} type="datetime-local" value=${form.since} onInput=${set("since")} error=${errors.since} hint=${t("empty: from now on")} />`}
    <div class="actions"><button type="button" onClick=${onClose}>${t("Cancel")}</button><${Action} kind="primary" onAct=${save}>${hook ? t("Save") : t("Make the webhook")}<//></div>
  <//>`;
}

function Secret({ made, onClose }) {
  return html`<${Dialog} title=${t("Secret of {name}", { name: made.name })} onClose=${onClose}>
    <p>${t("Copy it now: it is not shown again.")}</p>
    ${made.until && html`<p class="muted">${t("The former one is valid until {time}, too.", { time: time(made.until) })}</p>`}
    <textarea readonly class="mono" aria-label=${t("Secret")} value=${made.secret}></textarea>
    <div class="actions"><${Action} onAct=${async () => { await navigator.clipboard.writeText(made.secret); say(t("Copied")); }}>${t("Copy")}<//>
      <button type="button" class="primary" onClick=${onClose}>${t("Done")}</button></div>
  <//>`;
}

function Replay({ hook, onClose, onDone }) {
  const [since, setSince] = useState("");
  const replay = (at, text) => async () => {
    await ask(hook, "replay", { since: at.toISOString() });
    say(text);
    onDone();
    onClose();
  };
  const chosen = since ? new Date(since) : null;
  return html`<${Dialog} title=${t("Replay {name}", { name: hook.name })} onClose=${onClose}>
    <p>${t("Everything since then is delivered again. Of profiles and segments that is the latest of each.")}</p>
    <${Input} label=${t("Since")} type="datetime-local" value=${since} onInput=${setSince} />
    <div class="actions"><${Action} kind="danger" onAct=${replay(new Date(), t("What waited is skipped"))}>${t("Skip what waits")}<//>
      <${Action} kind="primary" disabled=${!chosen} onAct=${chosen && replay(chosen, t("Delivered again from {time} on", { time: time(chosen) }))}>${t("Deliver again")}<//></div>
  <//>`;
}

function Attempts({ hook }) {
  const { data, problem, reload } = useAsk((signal) => get("customers", pathOf(hook, "deliveries"), { signal }), [hook.webhook_id, hook.deliveries, hook.failed_attempts]);
  const columns = [
    { key: "at", title: t("When"), cell: (one) => time(one.attempted_at) },
    { key: "events", title: t("Events"), number: true, cell: (one) => count(one.events) },
    { key: "answer", title: t("Answer"), cell: (one) => html`<${Badge} kind=${one.taken ? "good" : "bad"}>${one.taken ? `${t("taken")} (${one.status})` : why(one.error)}<//>` },
    { key: "took", title: t("Took"), number: true, cell: (one) => t("{ms} ms", { ms: count(one.milliseconds) }) },
  ];
  if (problem) return html`<${Failure} problem=${problem} retry=${reload} />`;
  if (!data) return html`<${Loading} rows=${3} />`;
  return html`<${List} label="${t("Latest attempts")}: ${hook.name}" columns=${columns} rows=${data.items.slice(0, 20)} rowKey=${(one) => `${one.attempted_at}${one.delivery_id}`} empty=${html`<p class="muted">${t("No attempts yet.")}</p>`} />`;
}

function Trouble({ hook }) {
  if (hook.state === "failing") {
    const due = hook.due_at && new Date(hook.due_at) > new Date() ? time(hook.due_at) : t("now");
    return html`<p class="notice bad small">${t("Failing since {time}: {error}. Attempt {n} is due {due}.", { time: time(hook.failing_since), error: why(hook.last_error), n: hook.failures + 1, due })}</p>`;
  }
  return hook.paused_because === "gone" && html`<p class="notice warn small">${t("The receiver has answered 410: it wants nothing more.")}</p>`;
}

function Hook({ hook, onChange, onSecret }) {
  const id = useId();
  const [doing, setDoing] = useState("");
  const [open, setOpen] = useState(false);
  const [kind, text] = STATES()[hook.state];
  const act = (action) => async () => { await ask(hook, action); onChange(); };
  const test = async () => {
    const tried = await ask(hook, "test");
    if (tried.taken) say(t("Taken: answered {status} in {ms} ms", { status: tried.status, ms: tried.milliseconds }));
    else say(t("Not taken: {error}", { error: why(tried.error) }), "bad");
  };
  const renew = async () => {
    const made = await ask(hook, "secret");
    onSecret({ name: hook.name, secret: made.secret, until: made.former_valid_until });
  };
  const close = () => setDoing("");
  const button = (doing, said) => html`<button type="button" class="small" aria-label="${said} ${hook.name}" onClick=${() => setDoing(doing)}>${said}</button>`;
  return html`<section class="panel webhook" aria-labelledby=${id} data-webhook=${hook.webhook_id}>
    <header><h2 id=${id}>${hook.name}</h2><${Badge} kind=${kind}>${text}<//>
      <div class="actions"><${Action} kind="small" onAct=${test} aria-label="${t("Test")} ${hook.name}">${t("Test")}<//>
        ${hook.state === "paused" ? html`<${Action} kind="small" onAct=${act("resume")} aria-label="${t("Resume")} ${hook.name}">${t("Resume")}<//>`
          : html`${hook.state === "failing" && html`<${Action} kind="small" onAct=${act("resume")} aria-label="${t("Try now")} ${hook.name}">${t("Try now")}<//>`}
            <${Action} kind="small" onAct=${act("pause")} aria-label="${t("Pause")} ${hook.name}">${t("Pause")}<//>`}
        ${button("replay", t("Replay"))}${button("edit", t("Edit"))}${button("secret", t("New secret"))}
        <button type="button" class="small danger" aria-label="${t("Delete")} ${hook.name}" onClick=${() => setDoing("delete")}>${t("Delete")}</button></div></header>
    <div class="body"><p class="mono url">${hook.url}</p>
      <div class="row">${hook.topics.map((one) => html`<span class="badge plain" key=${one}>${KINDS()[one]}</span>`)}</div>
      <${Trouble} hook=${hook} />
      <dl class="webhook-facts">
        <div><dt>${t("Events delivered")}</dt><dd>${count(hook.events)} <span class="muted small">${hook.deliveries > 0 && tn(hook.deliveries, "in {n} batch", "in {n} batches")}</span></dd></div>
        <div><dt>${t("Last delivered")}</dt><dd>${hook.delivered_at ? time(hook.delivered_at) : t("never")}</dd></div>
        <div><dt>${t("Wait")}</dt><dd>${count(hook.behind)}</dd></div>
        <div><dt>${t("Failed attempts")}</dt><dd>${count(hook.failed_attempts)}</dd></div>
        ${hook.lost > 0 && html`<div><dt>${t("Lost")}</dt><dd>${count(hook.lost)} <span class="muted small">${t("its topics did not keep them so long")}</span></dd></div>`}
      </dl>
      <details open=${open} onToggle=${(event) => setOpen(event.target.open)}><summary>${t("Latest attempts")}</summary>${open && html`<${Attempts} hook=${hook} />`}</details></div>
    ${doing === "replay" && html`<${Replay} hook=${hook} onClose=${close} onDone=${onChange} />`}
    ${doing === "edit" && html`<${Form} hook=${hook} onClose=${close} onSaved=${() => { say(t("Saved")); close(); onChange(); }} />`}
    ${doing === "secret" && html`<${Confirm} title=${t("New secret for {name}?", { name: hook.name })} text=${t("For a day both sign what is sent: give the receiver the new one meanwhile.")} action=${t("New secret")} onAct=${renew} onClose=${close} />`}
    ${doing === "delete" && html`<${Confirm} title=${t("Delete {name}?", { name: hook.name })} text=${t("It is told nothing more. A new one begins anew.")} action=${t("Delete")} kind="danger"
      onAct=${async () => { await call("customers", "DELETE", pathOf(hook)); onChange(); }} onClose=${close} />`}
  </section>`;
}

function Page() {
  const { data, problem, reload } = useAsk((signal) => get("customers", "/v1/webhooks", { signal }), []);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState(null);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const create = html`<button type="button" class="primary" onClick=${() => setMaking(true)}>${t("New webhook")}</button>`;
  const begun = ({ webhook, secret }) => { setMaking(false); setMade({ name: webhook.name, secret }); reload(); };
  return html`<${TitleBar} title=${t("Webhooks")}>${create}<//>
    ${problem && html`<${Failure} problem=${problem} retry=${reload} />`}
    ${!data ? !problem && html`<section class="panel"><${Loading} rows=${4} /></section>` : data.items.map((hook) => html`<${Hook} key=${hook.webhook_id} hook=${hook} onChange=${reload} onSecret=${setMade} />`)}
    ${data && !data.items.length && html`<section class="panel"><${Empty} title=${t("No webhooks yet")}>${t("A webhook tells a CRM without Kafka what happens: profiles, segments, offers, alerts.")}<//></section>`}
    ${making && html`<${Form} onClose=${() => setMaking(false)} onSaved=${begun} />`}
    ${made && html`<${Secret} made=${made} onClose=${() => setMade(null)} />`}`;
}

show("/webhooks", t("Webhooks"), Page);
