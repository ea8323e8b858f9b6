// Ukrainian for the pages of segments.

import { addWords } from "./i18n.js";

// The list, and what it shares with a segment's page.
addWords({
  "Segment": "Сегмент", "New segment": "Новий сегмент", "No segments here": "Тут сегментів немає", "Nothing found": "Нічого не знайдено", "Search": "Пошук", "Show": "Показати",
  "in use": "у роботі", "archived": "в архіві", "built in": "вбудований", "Who is in it": "Хто в ньому", "Members": "Учасники", "members": "учасників", "Last 30 days": "Останні 30 днів", "Changed": "Змінено",
  "Members of {name}: {from} 30 days ago, {to} now": "Учасники сегмента «{name}»: {from} 30 днів тому, {to} зараз", "{done} of {total} customers looked at": "Переглянуто {done} з {total} покупців",
  "As a table": "Таблицею", "Day (UTC)": "День (UTC)", "Entered and left by day": "Увійшли й вийшли за днями", "entered": "увійшли", "left": "вийшли",
  "{entered} entered and {left} left in {n} days": "За {n} днів увійшло {entered}, вийшло {left}",
});

// What is there from the start.
addWords({
  "Frequent users of promo codes": "Часто використовують промокоди", "Rare or first-time users of promo codes": "Рідко або вперше використовують промокоди",
  "RFM: champions": "RFM: чемпіони", "RFM: loyal": "RFM: лояльні", "RFM: potential loyalists": "RFM: потенційно лояльні", "RFM: new": "RFM: нові", "RFM: promising": "RFM: перспективні",
  "RFM: needs attention": "RFM: потребують уваги", "RFM: about to sleep": "RFM: засинають", "RFM: at risk": "RFM: під загрозою втрати", "RFM: cannot lose": "RFM: не можна втратити", "RFM: hibernating": "RFM: сплячі",
  "Buyers of a kind of product": "Купують певний тип товару", "Used to come, has not come lately": "Раніше приходили, останнім часом ні", "New customers": "Нові покупці",
  "Expected to buy within a week": "Очікується покупка протягом тижня", "Have a personal code that they did not use": "Мають невикористаний особистий код",
});

// A segment's page.
addWords({
  "Saved: customers are looked at now": "Збережено: покупців зараз переглядають", "Now": "Зараз", "Coming and going": "Надходження й вибуття", "History": "Історія", "Restore": "Відновити", "Archive": "До архіву",
  "Restore {name}?": "Відновити «{name}»?", "Archive {name}?": "Перенести «{name}» до архіву?", "All customers are looked at, and who belongs enters.": "Буде переглянуто всіх покупців, і хто відповідає умовам, увійде.",
  "All its members leave, and campaigns for it find nobody.": "Усі учасники вийдуть, а кампанії для нього нікого не знайдуть.", "Name": "Назва", "Id": "Ідентифікатор",
  "letters, digits and . _ : -; it stays as it is": "літери, цифри та . _ : -; змінити не можна", "Conditions": "Умови", "A customer is in it if": "Покупець у ньому, якщо", "all of them are so": "виконано всі умови",
  "one of them is so": "виконано одну з умов", "In plain words": "Простими словами", "of {n} customers": "з {n} покупців", "All customers were looked at.": "Переглянуто всіх покупців.",
  "{n} customers chosen at random were looked at: between {low} and {high}, 95% sure.": "Переглянуто {n} випадкових покупців: від {low} до {high} з певністю 95%.", "For example:": "Наприклад:",
  "Still to be filled in:": "Ще треба заповнити:", "Begin with": "Почати з", "Customer": "Покупець", "Member since": "Учасник від", "Nobody yet": "Ще нікого",
  "{n} members on this page": ["{n} учасник на сторінці", "{n} учасники на сторінці", "{n} учасників на сторінці"],
  "When": "Коли", "What": "Що", "From then on": "Відтоді", "added": "додано", "changed": "змінено", "restored": "відновлено",
});

// Conditions.
addWords({
  "Number of purchases": "Кількість покупок", "Share of purchases": "Частка покупок", "Money spent": "Витрачені гроші", "Average receipt": "Середній чек", "Bought a kind of product": "Купували тип товару",
  "Days since the last purchase": "Днів від останньої покупки", "Days since the first purchase": "Днів від першої покупки", "Personal promo codes": "Особисті промокоди", "Bonus balance": "Залишок бонусів",
  "Number of returns": "Кількість повернень", "RFM class": "Клас RFM", "Forecast of the next purchase": "Прогноз наступної покупки", "One of several conditions": "Одна з кількох умов", "All of several conditions": "Усі з кількох умов",
  "champions": "чемпіони", "loyal": "лояльні", "potential loyalists": "потенційно лояльні", "new": "нові", "promising": "перспективні", "needs attention": "потребують уваги", "about to sleep": "засинають",
  "at risk": "під загрозою втрати", "can’t lose them": "не можна втратити", "hibernating": "сплячі", "Till": "Каса", "Desktop": "Комп’ютер", "Mobile": "Телефон", "Tablet": "Планшет", "App": "Застосунок", "Other": "Інше",
  "at least": "щонайменше", "more than": "більш як", "exactly": "рівно", "less than": "менш як", "at most": "щонайбільше", "between": "від і до", "any": "будь-яка", "Comparison of {name}": "Порівняння: {name}", "{name}, up to": "{name}, до",
  "with or without": "з і без", "with": "з", "without": "без", "Only purchases that are …": "Лише такі покупки …", "With a promotion": "З акцією", "With a promo code": "Із промокодом", "From hour": "Від години", "to hour": "до години",
  "any hour": "будь-яка", "On weekdays": "У дні тижня", "On devices": "На пристроях", "In stores (ids)": "У магазинах (ідентифікатори)", "separated by commas": "через кому", "In one of these classes": "В одному з класів",
  "Probability of a purchase": "Імовірність покупки", "Days until the expected purchase": "Днів до очікуваної покупки", "Product groups": "Групи товарів", "Measured in": "Вимірюється в", "purchases": "покупках", "quantity": "кількості",
  "money": "грошах", "Which codes": "Які коди", "not used yet": "ще не використані", "used": "використані", "all that were given": "усі видані", "Currency": "Валюта", "How much": "Скільки", "In the last days": "За останні дні",
  "empty: of all time": "порожньо: за весь час", "days": "днів", "Condition {n}": "Умова {n}", "What is asked": "Що перевіряється", "must not be so": "має бути не так", "Remove": "Прибрати", "Add a condition": "Додати умову",
});
