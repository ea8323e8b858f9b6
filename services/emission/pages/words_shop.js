import { addWords } from "./i18n.js";
addWords({});
