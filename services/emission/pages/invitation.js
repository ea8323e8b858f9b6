// An invitation is accepted: a password is chosen. The secret is in the fragment, which no server sees.

import { at, call } from "./api.js";
import { addWords, t } from "./i18n.js";
import { showAlone } from "./shell.js";
import { Failure, Input, errorsOf, html, useState } from "./ui.js";

addWords({
  "Welcome": "Вітаємо", "Choose a password for Tillstream.": "Оберіть пароль для Tillstream.", "New password": "Новий пароль",
  "The same again": "Ще раз", "at least 10 characters": "щонайменше 10 символів", "The two are not the same.": "Паролі не збігаються.", "Set the password": "Встановити пароль",
});

function Invitation() {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const errors = errorsOf(problem, ["password"]);
  const submit = async (event) => {
    event.preventDefault();
    if (password !== again) return;
    setBusy(true);
    try {
      await call("emission", "POST", "/v1/session/invitation", { secret: location.hash.slice(1), password }, { again: false });
      location.replace(at("emission", "/"));
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return html`<div><h1>${t("Welcome")}</h1><p class="muted">${t("Choose a password for Tillstream.")}</p></div>
    <form onSubmit=${submit}>
      ${errors.others.length > 0 && html`<${Failure} problem=${{ message: errors.others.join("; ") }} />`}
      <${Input} label=${t("New password")} value=${password} onInput=${setPassword} type="password" required minlength="10" autocomplete="new-password" hint=${t("at least 10 characters")} error=${errors.password} />
      <${Input} label=${t("The same again")} value=${again} onInput=${setAgain} type="password" required autocomplete="new-password" error=${again && again !== password ? t("The two are not the same.") : undefined} />
      <button class="primary" type="submit" disabled=${busy} aria-busy=${busy}>${t("Set the password")}</button>
    </form>`;
}

showAlone(t("Welcome"), Invitation);
