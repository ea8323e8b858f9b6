// The frame round every page: where one is, where one can go, who one is.

import { html, render } from "./preact.js";
import { at, keepSignedIn, may, me, signOut } from "./api.js";
import { LANGUAGES, language, setLanguage, setTheme, t } from "./i18n.js";
import { Toasts, useState } from "./ui.js";
import "./words.js";

const { dataset } = document.body;

// [heading, [[service, path, text, scope], …]]
const PLACES = () => [
  [t("Live"), [
    ["analytics", "/dashboard", t("Dashboard"), "statistics:read"],
    ["analytics", "/feed", t("Activations"), "statistics:read"],
    ["analytics", "/effectiveness", t("Effectiveness"), "statistics:read"],
    ["evaluator", "/certificate", t("Limits"), "ledger:read"],
  ]],
  [t("Promotions"), [
    ["emission", "/campaigns", t("Campaigns"), "campaigns:read"],
    ["emission", "/instruments", t("Instruments"), "campaigns:read"],
    ["emission", "/emissions", t("Promo codes"), "campaigns:read"],
  ]],
  [t("Customers"), [
    ["customers", "/customers", t("Customers"), "customers:read"],
    ["customers", "/segments", t("Segments"), "customers:read"],
    ["customers", "/offers", t("Offers"), "customers:read"],
    ["customers", "/insights", t("Insights"), "customers:read"],
    ["customers", "/alerts", t("Alerts"), "customers:read"],
    ["customers", "/webhooks", t("Webhooks"), "customers:write"],
  ]],
  [t("Shop"), [
    ["emission", "/products", t("Products"), "campaigns:read"],
    ["emission", "/stores", t("Stores and groups"), "campaigns:read"],
  ]],
  [t("Administration"), [
    ["emission", "/users", t("Users"), "admin"],
    ["emission", "/keys", t("API keys"), "admin"],
    ["emission", "/changes", t("Audit log"), "admin"],
  ]],
];

function Places({ here }) {
  return PLACES().map(([heading, places]) => {
    const allowed = places.filter(([, , , scope]) => may(scope));
    return allowed.length > 0 && html`<div key=${heading}><h2>${heading}</h2><ul>${allowed.map(([service, path, text]) => html`
      <li key=${path}><a href=${at(service, path)} aria-current=${path === here ? "page" : undefined}>${text}</a></li>`)}</ul></div>`;
  });
}

function Me() {
  const dark = document.documentElement.dataset.theme;
  const next = { "": "dark", dark: "light", light: "" };
  const [theme, choose] = useState(dark in next ? dark : "");
  const names = { "": t("Colours: as the device"), dark: t("Colours: dark"), light: t("Colours: light") };
  return html`<div class="me">
    <p title=${me.login}><a href=${at("emission", "/account")}>${me.login}</a></p>
    <div>
      ${Object.entries(LANGUAGES).map(([code, name]) => html`
        <button type="button" key=${code} class="small quiet" lang=${code} aria-pressed=${code === language} onClick=${() => setLanguage(code)}>${name}</button>`)}
      <button type="button" class="small quiet" onClick=${() => { setTheme(next[theme]); choose(next[theme]); }}>${names[theme]}</button>
      <button type="button" class="small quiet" onClick=${signOut}>${t("Sign out")}</button>
    </div>
  </div>`;
}

function Frame({ here, children }) {
  const [open, setOpen] = useState(false);
  return html`<a class="skip" href="#main">${t("Skip to the content")}</a>
    <div class="frame">
      <header class="side">
        <div class="side-head">
          <a class="brand" href=${at("emission", "/")}><img src="${dataset.assets}/icon.svg" alt="" width="26" height="26" /> Tillstream</a>
          <button type="button" class="menu-button small" aria-expanded=${open} aria-controls="places" onClick=${() => setOpen(!open)}>${t("Menu")}</button>
        </div>
        <div class="side-body" id="places" data-open=${String(open)}>
          <nav aria-label=${t("Console")}><${Places} here=${here} /></nav>
          <${Me} />
        </div>
      </header>
      <main class="main" id="main" tabindex="-1">${children}</main>
    </div>
    <${Toasts} />`;
}

// Show a page: `here` is its place's path in the menu, `title` that of the window.
export function show(here, title, Page) {
  name(title);
  keepSignedIn();
  render(html`<${Frame} here=${here}><${Page} /><//>`, emptied());
}

// A page without menu, for who is not signed in.
export function showAlone(title, Page) {
  name(title);
  render(html`<div class="sign-in"><main id="main"><${Page} /></main></div><${Toasts} />`, emptied());
}

export function name(title) {
  document.title = `${title} · Tillstream`;
}

function emptied() {
  const page = document.getElementById("page");
  page.replaceChildren();
  return page;
}

// A page's heading with what can be done there. `above`: [address, text] of where it belongs.
export const TitleBar = ({ title, above, badge, children }) => html`<div class="title-bar">
  <div>${above && html`<a class="crumb" href=${above[0]}>← ${above[1]}</a>`}
    <div class="row"><h1>${title}</h1>${badge}</div></div>
  <div class="actions">${children}</div>
</div>`;
