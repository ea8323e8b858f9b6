import { html } from "./ui.js";
export const Backtest = () => html`<p>…</p>`;
