// What is shown to who is signed in but may not see the page.

import { at } from "./api.js";
import { t } from "./i18n.js";
import { show, TitleBar } from "./shell.js";
import { Empty, html } from "./ui.js";

function Forbidden() {
  return html`<${TitleBar} title=${t("Not for your role")} /><section class="panel"><${Empty}
    title=${t("Your role does not include this page.")}
    action=${html`<a class="button" href=${at("emission", "/")}>${t("To the dashboard")}</a>`}>
    ${t("An administrator can change your role on the page Users.")}<//></section>`;
}

show("", t("Not for your role"), Forbidden);
