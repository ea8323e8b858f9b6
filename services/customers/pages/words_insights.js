// Ukrainian for related groups and regions.

import { addWords } from "./i18n.js";

addWords({
  "Bought together": "Купують разом", "{related} with {group}": "{related} до {group}", "Who buys": "Хто купує", "buys, too": "купує й", "Receipts with both": "Чеки з обома", "of those with the first": "з тих, що з першим",
  "Oftener than by chance": "Частіше за випадок", "oftener than by chance": "частіше за випадок", "receipts with both": "чеки з обома", "share of the first": "частка від першого", "Make a promotion": "Створити акцію",
  "No pairs like that": "Таких пар немає", "Not looked for yet": "Ще не шукали", "Ask for less.": "Зменште вимоги.", "Pairs are looked for as soon as there are 1,000 receipts, and every night.": "Пари шукають, щойно набереться 1000 чеків, і щоночі.",
  "from {n} of {all} receipts of the last 90 days, as of {time}": "з {n} із {all} чеків за останні 90 днів, станом на {time}", "Look anew": "Шукати знову", "Receipts were looked through anew": "Чеки переглянуто знову",
  "Product group": "Група товарів", "any": "будь-яка", "Receipts with both, at least": "Чеків з обома, щонайменше", "Times as often as by chance, at least": "У стільки разів частіше за випадок, щонайменше", "First the highest": "Спершу найбільші",
});

addWords({
  "Regions with little traffic": "Регіони з малою кількістю покупців", "Code in stores of {region}": "Код у магазинах регіону {region}", "Codes for stores of {region}": "Коди для магазинів регіону {region}",
  "Purchases per week changed by {change} against the {before} weeks before, those of the chain by {chain}: {against} against the chain, and that is no chance (95%).": "Покупок за тиждень: {change} до попередніх {before} тижнів, у мережі {chain}: {against} відносно мережі, і це не випадково (95%).",
  "A store there has {share} of the purchases of a store of the chain.": "Магазин там має {share} покупок середнього магазину мережі.", "{region}: {from} purchases a week at first, {to} in the last week": "{region}: спершу {from} покупок за тиждень, останнього тижня {to}",
  "Region": "Регіон", "Regions": "Регіони", "little traffic": "мало покупців", "Purchases by week": "Покупки за тижнями", "A week, lately": "За тиждень, останнім часом", "before: {n}": "раніше: {n}", "Change": "Зміна",
  "chain: {change}": "мережа: {change}", "Against the chain": "Відносно мережі", "{n} purchases each": "{n} покупок на кожного", "Stores": "Магазини", "{share} of the chain’s purchases per store": "{share} покупок мережі на магазин",
  "the last {recent} whole weeks against the {before} before them": "останні {recent} повні тижні проти попередніх {before}", "Make a promotion for {region}": "Створити акцію для {region}",
  "No region falls behind the chain, or too little is known of them.": "Жоден регіон не відстає від мережі, або про них замало відомо.", "No stores yet": "Магазинів ще немає",
});
