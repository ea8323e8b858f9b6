// Ukrainian for the page of certificates.

import { addWords } from "./i18n.js";

addWords({
  "Certificates of limits": "Сертифікати лімітів", "Legend": "Легенда", "Used": "Використано", "Held": "Утримано", "Leased": "Орендовано", "Free": "Вільно",
  "used": "викор.", "held": "утримано", "lease": "оренда", "free": "вільно", "{n} used": "використано {n}", "{n} held": "утримано {n}", "{n} leased": "орендовано {n}",
  "an unknown cap": "невідомої межі", "{n} minor units": "{n} мінімальних одиниць", "nothing taken": "нічого не взято",
  "{taken}, {free} free of {cap}": "{taken}, вільно {free} з {cap}", "{taken}, {free} free of {cap} in {days} days": "{taken}, вільно {free} з {cap} за {days} дн.",
  "Checking …": "Перевіряємо …", "Agrees": "Збігається", "Differs": "Різниться", "The limits could not be read.": "Не вдалося прочитати ліміти.",
  "No limit has “{text}” in its name.": "Жоден ліміт не має «{text}» у назві.", "Nothing has taken of a limit yet.": "З лімітів ще нічого не взято.", "More limits": "Ще ліміти",
  "The counter is what the ledger adds up to: free + held + leased + used = cap.": "Лічильник дорівнює сумі журналу: вільно + утримано + орендовано + використано = межа.",
  "This limit differs:": "Цей ліміт різниться:", "No.": "№", "Cap": "Межа", "Ever used": "Використано за весь час", "Slot {n}: {state}": "Слот {n}: {state}", ", differs": ", різниться",
  "Each slot by its number; its line is below.": "Кожен слот за номером; його рядок нижче.", "Slots by number": "Слоти за номерами", "Takes": "Бере", "Takes (minor units)": "Бере (мінімальних одиниць)",
  "End of a period": "Кінець періоду", "committed": "підтверджено", "released": "звільнено", "expired": "минув строк", "returned": "повернено", "unauthorised": "без дозволу",
  "Leased by {store}": "Орендує {store}", "granted": "надано", "until": "до", "State": "Стан", "Receipt": "Чек", "History": "Історія",
  "Nothing on this page.": "На цій сторінці нічого немає.", "Nothing takes of this limit now.": "Зараз із цього ліміту нічого не взято.", "Download as CSV": "Завантажити як CSV", "Pages of slots": "Сторінки слотів",
  "Campaign, instrument or condition": "Акція, інструмент або умова", "Search limits by campaign, instrument or condition": "Пошук лімітів за акцією, інструментом або умовою",
  "Slots are numbered in the order in which they were first taken; those leased by stores come next, then the free ones. free + held + leased + used = cap. A counter agrees if it is what the ledger of redemptions adds up to. “tillstream verify” compares the events, the statistics and the decisions, too.":
    "Слоти пронумеровано в порядку, у якому їх уперше взято; далі йдуть орендовані магазинами, потім вільні. Вільно + утримано + орендовано + використано = межа. Лічильник збігається, якщо дорівнює сумі журналу використань. «tillstream verify» порівнює також події, статистику й рішення.",
});
