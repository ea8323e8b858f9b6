// Signing in: one form for the pages of all services.

import { at, call } from "./api.js";
import { LANGUAGES, addWords, language, setLanguage, t } from "./i18n.js";
import { showAlone } from "./shell.js";
import { Failure, Input, html, useEffect, useState } from "./ui.js";

addWords({
  "Login": "Логін", "Password": "Пароль", "Promotions, decided and counted live.": "Промоакції: рішення на касі, підрахунок наживо.",
  "Your session has ended. Sign in again.": "Сеанс завершено. Увійдіть знову.",
  "Forgotten? An administrator can give you an invitation.": "Забули пароль? Адміністратор може надати запрошення.",
  "login or password is wrong": "логін або пароль неправильний",
});

const ORIGINS = new Set([location.origin, ...["emission", "evaluator", "analytics", "customers"].map((one) => document.body.dataset[one]).filter(Boolean)]);

// Only to a page of the console: a link must not lead elsewhere by way of this form.
function returnTo() {
  const wanted = new URLSearchParams(location.search).get("return_to");
  if (!wanted) return at("emission", "/");
  try {
    const url = new URL(wanted, location.origin);
    return ORIGINS.has(url.origin) && url.pathname !== "/sign-in" ? url.href : at("emission", "/");
  } catch {
    return at("emission", "/");
  }
}

function SignIn() {
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(true);
  // Who has a session only needs another token.
  useEffect(() => {
    call("emission", "POST", "/v1/session/renew", undefined, { again: false })
      .then(() => location.replace(returnTo()), () => setBusy(false));
  }, []);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await call("emission", "POST", "/v1/session", { login: login.trim(), password });
      location.replace(returnTo());
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return html`<img src="${document.body.dataset.assets}/icon.svg" alt="" width="40" height="40" />
    <div><h1>Tillstream</h1><p class="muted">${t("Promotions, decided and counted live.")}</p></div>
    <form onSubmit=${submit}>
      ${problem && html`<${Failure} problem=${{ message: t(problem.message) }} />`}
      <${Input} label=${t("Login")} value=${login} onInput=${setLogin} required autocomplete="username" autocapitalize="none" spellcheck=${false} />
      <${Input} label=${t("Password")} value=${password} onInput=${setPassword} required type="password" autocomplete="current-password" />
      <button class="primary" type="submit" disabled=${busy} aria-busy=${busy}>${t("Sign in")}</button>
      <p class="muted small">${t("Forgotten? An administrator can give you an invitation.")}</p>
    </form>
    <div class="row">${Object.entries(LANGUAGES).map(([code, name]) => html`
      <button type="button" key=${code} class="small quiet" lang=${code} aria-pressed=${code === language} onClick=${() => setLanguage(code)}>${name}</button>`)}</div>`;
}

showAlone(t("Sign in"), SignIn);
