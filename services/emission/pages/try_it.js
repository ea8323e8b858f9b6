import { html } from "./ui.js";
export const TryIt = () => html`<p>…</p>`;
