// Texts in the reader's language. English is what the code says; other languages are looked up by it.

const COOKIE = "tillstream_language";
export const LANGUAGES = { en: "English", uk: "Українська" };
const words = { uk: {} };

export const language = document.documentElement.lang in LANGUAGES ? document.documentElement.lang : "en";
export const locale = { en: navigator.languages?.find((one) => one.startsWith("en")) ?? "en-GB", uk: "uk-UA" }[language];
const plurals = new Intl.PluralRules(language);
const ORDER = { en: ["one", "other"], uk: ["one", "few", "many"] }[language];

// more: { "English text": "translation", "{n} stores": ["{n} магазин", "{n} магазини", "{n} магазинів"] }
export function addWords(more) {
  Object.assign(words.uk, more);
}

function fill(text, values) {
  return values ? text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all)) : text;
}

// t("Pause {name}", { name })
export function t(text, values) {
  return fill(words[language]?.[text] ?? text, values);
}

// tn(3, "{n} store", "{n} stores"): the form that goes with the number.
export function tn(n, one, many, values = {}) {
  const forms = language === "en" ? [one, many] : words[language]?.[many] ?? [one, many, many];
  const form = Math.min(Math.max(ORDER.indexOf(plurals.select(n)), 0), forms.length - 1);
  return fill(forms[form], { n: new Intl.NumberFormat(locale).format(n), ...values });
}

export function setLanguage(chosen) {
  remember(COOKIE, chosen);
  location.reload();
}

export function setTheme(chosen) {
  remember("tillstream_theme", chosen);
  document.documentElement.dataset.theme = chosen;
  dispatchEvent(new Event("themechange"));
}

// Of the host, not of one service's address: the console is one.
function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
}
