// Ukrainian for the next purchase.

import { addWords } from "./i18n.js";

addWords({
  "Next purchase": "Наступна покупка", "Running mean": "Ковзне середнє", "Boosted trees": "Бустинг дерев", "Model": "Модель", "Models": "Моделі", "in use": "використовується", "Train now": "Навчити зараз", "The training begins": "Навчання починається",
  "waiting to begin": "очікує початку", "reading profiles": "читає профілі", "comparing models": "порівнює моделі", "learning": "навчається", "foretelling of every customer": "прогнозує для кожного покупця", "done": "готово",
  "Nothing has been learnt yet: it begins as soon as somebody has bought something.": "Ще нічого не вивчено: навчання почнеться, щойно хтось щось купить.",
  "In use: {model}. With fewer than 200 customers differences between models are chance.": "Використовується: {model}. Якщо покупців менше ніж 200, різниця між моделями випадкова.",
  "In use: {model}. The history is too short to compare models.": "Використовується: {model}. Історія закоротка, щоб порівнювати моделі.",
  "In use: {model}. Tried on the past, it is wrong by {error} trips in {days} days, {change} against the running mean.": "Використовується: {model}. На минулому помиляється на {error} покупки за {days} днів, {change} проти ковзного середнього.",
  "The training of {time} has failed: what was foretold before stays. It is tried again within the hour.": "Навчання від {time} не вдалося: попередній прогноз лишається чинним. Спроба повториться впродовж години.",
  "Training: {stage}, {share}": "Навчання: {stage}, {share}", "learnt from {n} of {all} customers and {days} days, as of {time}": "навчено на {n} із {all} покупців за {days} днів, станом на {time}",
  "Errors of the models": "Похибки моделей", "Mean error, trips": "Середня похибка, покупок", "To the running mean": "Проти ковзного середнього", "Foretold less real": "Прогноз мінус факт", "Brier score": "Оцінка Браєра", "of the mean: {value}": "середнього: {value}", "Day wrong by": "Помилка в днях",
  "Mean error in trips: {list}": "Середня похибка в покупках: {list}", "{n} days ago": ["{n} день тому", "{n} дні тому", "{n} днів тому"], "{n} days": ["{n} день", "{n} дні", "{n} днів"],
  "Probability of a purchase within {days} days": "Імовірність покупки впродовж {days} днів", "Foretold": "Прогноз", "Came": "Прийшли", "Customers": "Покупці", "Foretold and came": "Прогноз і факт", "On the line as many came as were foretold; large dots are many customers.": "На лінії прийшло стільки, скільки прогнозовано; великі точки – багато покупців.",
  "What was foretold beside what came, in {n} groups of customers": "Прогноз поруч із фактом у {n} групах покупців",
  "Who is expected": "Кого очікуємо", "In the next": "У найближчі", "Customer": "Покупець", "Expected on (UTC)": "Очікується (UTC)", "Within {days} days": "Упродовж {days} днів", "Purchases in them": "Покупок за них", "{customers} expected in {days} days": "{customers} очікується за {days} днів",
  "As a table": "Таблицею", "Expected by day": "Очікувані за днями", "Day (UTC)": "День (UTC)", "Nobody is expected in these days": "У ці дні нікого не очікуємо", "First page": "Перша сторінка",
});
