// What is learned of customers together: their next purchases, related groups, regions with little traffic.

import { CrossSell } from "./cross_sell.js";
import { Forecast } from "./forecast.js";
import { t } from "./i18n.js";
import { Regions } from "./regions.js";
import { show, TitleBar } from "./shell.js";
import { html } from "./ui.js";
import "./words_insights.js";

const Page = () => html`<${TitleBar} title=${t("Insights")} /><${Forecast} /><${CrossSell} /><${Regions} />`;

show("/insights", t("Insights"), Page);
