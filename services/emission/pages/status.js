// Where campaigns and emissions stand, in words and colours.

import { t } from "./i18n.js";
import { Badge, html } from "./ui.js";

const STATES = () => ({
  draft: ["", t("draft")], running: ["good", t("running")], paused: ["warn", t("paused")], finished: ["plain", t("finished")],
  posting: ["warn", t("being posted")], posted: ["good", t("posted")],
});
export const statuses = (...names) => names.map((name) => [name, STATES()[name][1]]);

export const Status = ({ value }) => html`<${Badge} kind=${STATES()[value][0]}>${STATES()[value][1]}<//>`;
