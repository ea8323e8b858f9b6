// Ukrainian for what the pages about customers say.

import { addWords } from "./i18n.js";

addWords({
  "Customer": "Покупець", "Purchases": "Покупки", "{n} in 90 days": "{n} за 90 днів", "Last purchase": "Остання покупка", "Spent": "Витрачено", "With a promotion": "З акцією",
  "Will buy": "Купить", "Segment": "Сегмент", "all": "усі", "Nobody found": "Нікого не знайдено", "Show all": "Показати всіх", "An id is found by how it begins.": "Ідентифікатор шукають за його початком.",
  "No customers yet": "Покупців ще немає", "Whoever shows a card at a till, or signs in at a web shop, is one.": "Ними стають ті, хто показує картку на касі або входить у вебмагазині.",
  "Segment as CSV": "Сегмент у CSV", "All as CSV": "Усі в CSV", "Segment as Parquet": "Сегмент у Parquet", "All as Parquet": "Усі в Parquet", "Erasures": "Вилучення", "Id begins with …": "Ідентифікатор починається з …",
  "{n} customers": ["{n} покупець", "{n} покупці", "{n} покупців"], "First page": "Перша сторінка", "Next": "Далі",
  "champions": "чемпіони", "loyal": "лояльні", "potential loyalists": "можливі лояльні", "new": "нові", "promising": "перспективні", "needs attention": "потребують уваги", "about to sleep": "засинають",
  "at risk": "під загрозою", "cannot lose them": "не можна втратити", "hibernating": "сплячі",
  "till": "каса", "computer": "комп’ютер", "telephone": "телефон", "tablet": "планшет", "app": "застосунок", "other": "інше",
  "As a table": "Таблицею", "Week from": "Тиждень від", "Paid, less refunds": "Сплачено без повернень", "Week by week": "Тиждень за тижнем", "No purchases in the last 400 days.": "За останні 400 днів покупок не було.",
  "What is shown": "Що показано", "Paid": "Сплачено", "with a promotion": "з акцією", "without one": "без неї", "{n} purchases": ["{n} покупка", "{n} покупки", "{n} покупок"],
  "{n} purchases in {weeks} weeks, at most {most} in one": "{n} покупок за {weeks} тиж., щонайбільше {most} за тиждень",
  "Hours and weekdays": "Години та дні тижня", "by the stores’ clocks": "за годинниками магазинів", "What": "Що", "How many": "Скільки", "Share": "Частка", "{n} of 5": "{n} з 5",
  "after {refunds} refunded": "після повернень на {refunds}", "Average receipt": "Середній чек", "first {day}": "перша {day}", "within {n} days": "упродовж {n} днів", "nothing is forecast yet": "прогнозу ще немає",
  "since {day}": "з {day}", "In no segment.": "У жодному сегменті.", "Among all customers, in fifths": "Серед усіх покупців, у п’ятих частинах", "Recency": "Давність", "Frequency": "Частота", "Monetary value": "Сума",
  "Forecast": "Прогноз", "Buys within {n} days": "Купить упродовж {n} днів", "Purchases expected": "Очікувано покупок", "Next purchase about": "Наступна покупка близько", "not soon": "нескоро", "Model": "Модель",
  "Offer": "Пропозиція", "step {n}": "крок {n}", "Status": "Стан", "To be sent": "Надсилається", "until {end}": "до {end}", "Given": "Надано", "No offers yet.": "Пропозицій ще немає.",
  "Suspicion": "Підозра", "blocked": "заблоковано", "How often": "Як часто", "Last seen": "Востаннє", "No suspicion of abuse.": "Підозр у зловживанні немає.",
  "Nothing yet.": "Ще нічого.", "Favourite groups": "Улюблені групи", "on how many receipts": "у скількох чеках", "Group": "Група", "Quantity": "Кількість", "Stores": "Магазини", "Store": "Магазин", "Devices": "Пристрої", "Device": "Пристрій",
  "Promotions": "Промоакції", "of all purchases": "від усіх покупок", "Personal codes": "Особисті коди", "used": "використано", "not used": "не використано", "None were given.": "Їх не надавали.",
  "{n} receipts with any code": "чеків із будь-яким кодом: {n}", "Bonus points": "Бонусні бали", "balance {n}": "залишок {n}", "spent": "витрачено", "expired": "згоріло", "taken back": "відібрано", "left": "залишилося", "None were earned.": "Їх не нараховували.",
  "Erase {id}?": "Вилучити дані {id}?", "Everything that is known of this customer is deleted, in every service. It cannot be undone. Receipts and sums stay, without the id.": "Усе, що відомо про цього покупця, буде видалено в кожному сервісі. Скасувати це неможливо. Чеки й суми залишаться без ідентифікатора.",
  "Type the id to confirm": "Введіть ідентифікатор для підтвердження", "Erase": "Вилучити дані", "Nothing is known of this customer": "Про цього покупця нічого не відомо", "The report": "Звіт", "Erased on {day}.": "Дані вилучено {day}.", "No purchase with this id has been seen.": "Покупок із цим ідентифікатором не було.",
  "As of {time}. Pictures are of the last 400 days, figures of all time.": "Станом на {time}. Діаграми – за останні 400 днів, числа – за весь час.",
  "customers": "покупці", "emission": "емісія", "evaluator": "обчислення", "statistics": "статистика", "Tables": "Таблиці", "Table": "Таблиця", "Deleted": "Видалено", "Kept without the id": "Залишено без ідентифікатора",
  "There was nothing in its tables.": "У таблицях нічого не було.", "Deleted from compacted topics": "Видалено з ущільнюваних топіків", "Ages out of": "Застаріє та зникне з", "complete": "завершено", "waits for {services}": "очікує: {services}",
  "Was this id erased?": "Чи вилучено дані цього ідентифікатора?", "The id itself is kept nowhere: it is known again by a hash.": "Сам ідентифікатор ніде не зберігається: його впізнають за хешем.",
  "Not erased": "Не вилучено", "Nobody was erased yet": "Ще нічиїх даних не вилучали", "Nobody with this id was.": "Даних із цим ідентифікатором не вилучали.", "A customer is erased on their page.": "Дані покупця вилучають на його сторінці.",
  "{n} erasures": ["{n} вилучення", "{n} вилучення", "{n} вилучень"],
});
