// One's own account: who one is, and another password.

import { call, me } from "./api.js";
import { addWords, t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Action, Failure, Input, errorsOf, html, say, useState } from "./ui.js";

addWords({
  "Your account": "Ваш обліковий запис", "Login": "Логін", "Allows": "Дозволяє", "Change the password": "Змінити пароль", "Old password": "Старий пароль", "New password": "Новий пароль",
  "at least 10 characters": "щонайменше 10 символів", "The password was changed. You are signed out everywhere else.": "Пароль змінено. На інших пристроях ви вийшли.",
});

function Account() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [problem, setProblem] = useState(null);
  const errors = errorsOf(problem, ["old", "new"]);
  const change = async () => {
    try {
      await call("emission", "PUT", "/v1/session/password", { old, new: fresh }, { again: false });
      setProblem(null);
      setOld("");
      setFresh("");
      say(t("The password was changed. You are signed out everywhere else."));
    } catch (error) {
      setProblem(error);
    }
  };
  return html`<${TitleBar} title=${t("Your account")} />
    <section class="panel"><div class="body">
      <dl class="facts"><dt>${t("Login")}</dt><dd>${me.login}</dd><dt>${t("Allows")}</dt><dd>${[...me.scopes].join(", ")}</dd></dl>
    </div></section>
    <section class="panel" aria-labelledby="password-title"><header><h2 id="password-title">${t("Change the password")}</h2></header><div class="body">
      ${errors.others.map((text) => html`<${Failure} key=${text} problem=${{ message: text }} />`)}
      <div class="columns">
        <${Input} label=${t("Old password")} value=${old} onInput=${setOld} type="password" autocomplete="current-password" error=${errors.old} />
        <${Input} label=${t("New password")} value=${fresh} onInput=${setFresh} type="password" autocomplete="new-password" hint=${t("at least 10 characters")} error=${errors.new} />
      </div>
      <div class="actions"><${Action} kind="primary" onAct=${change}>${t("Change the password")}<//></div>
    </div></section>`;
}

show("", t("Your account"), Account);
