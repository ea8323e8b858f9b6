// Ukrainian for the pages of the statistics.

import { addWords } from "./i18n.js";

// What is asked, and how fresh it is.
addWords({
  "15 min": "15 хв", "Last 15 minutes": "Останні 15 хвилин", "Hour": "Година", "Last hour": "Остання година", "Today": "Сьогодні", "Yesterday": "Учора",
  "7 days": "7 днів", "30 days": "30 днів", "90 days": "90 днів", "All": "Усе", "From–to": "Від–до", "Period": "Період", "From": "Від", "to": "до", "Show": "Показати",
  "The end must be after the beginning.": "Кінець має бути після початку.", "The link to this view is copied": "Посилання на цей вигляд скопійовано", "Copy link": "Копіювати посилання",
  "What is shown": "Що показано", "All campaigns": "Усі акції", "All instruments": "Усі інструменти", "All stores": "Усі магазини", "All regions": "Усі регіони", "All devices": "Усі пристрої",
  "All codes": "Усі коди", "Campaign": "Акція", "Instrument": "Інструмент", "Store": "Магазин", "Region": "Регіон", "Device": "Пристрій", "Code": "Код", "Currency": "Валюта", "Clear filters": "Скинути",
  "Connecting": "З’єднання", "Reconnecting": "Відновлення", "Paused": "Пауза", "Signed out": "Вихід", "Stopped": "Зупинено", "Up to date": "Актуально",
  "nothing counted yet": "ще нічого не враховано", "as of {ago}": "станом на {ago}",
  "It is not known how far the {source} are counted: Kafka does not answer.": "Невідомо, наскільки враховано {source}: Kafka не відповідає.",
  "The {source} are counted with a delay: until {ago}, {records} to come.": "Із запізненням враховуються {source}: стан на {ago}, ще {records}.",
  "{n} records": ["{n} запис", "{n} записи", "{n} записів"],
  "Your session has ended. What you see is no longer updated.": "Ваш сеанс закінчився. Дані на екрані більше не оновлюються.", "Sign in again": "Увійти знову",
  "The figures could not be read just now. Trying again …": "Щойно не вдалося прочитати показники. Пробуємо ще раз …",
  "The connection is lost: what you see is no longer updated.": "З’єднання втрачено: дані на екрані не оновлюються.", "Trying again …": "Пробуємо ще раз …",
});

// What codes are called.
addWords({
  "Condition not met": "Умову не виконано", "Other store": "Інший магазин", "Other customer group": "Інша група покупців", "Other segment": "Інший сегмент", "Customer unknown": "Покупець невідомий",
  "Control group": "Контрольна група", "Campaign not active": "Акція не діє", "No code shown": "Код не пред’явлено", "Code not valid": "Код недійсний", "Somebody else’s code": "Чужий код",
  "Limit reached": "Ліміт вичерпано", "Another promotion went first": "Спрацювала інша промоакція", "Nothing to discount": "Немає на що дати знижку",
  "Till": "Каса", "Desktop": "Комп’ютер", "Mobile": "Телефон", "Tablet": "Планшет", "App": "Застосунок", "Other": "Інше",
  "decisions at checkouts": "рішення на касах", "sales": "продажі", "returns": "повернення", "campaigns": "акції", "stores": "магазини", "products": "товари",
  "posted": "опубліковано", "running": "діє", "paused": "призупинено", "finished": "завершено",
});

// The tiles.
addWords({
  "Totals": "Підсумки", "Conversion": "Конверсія", "Average with promotion": "Середній з акцією", "Average without": "Середній без акції", "Discount cost": "Вартість знижок",
  "Receipts": "Чеки", "Sales": "Продажі", "Average receipt": "Середній чек", "Bonuses": "Бонуси", "Unique customers": "Унікальні покупці", "points": "бали",
  "Paid receipts that used an instrument, less those that were returned": "Оплачені чеки, у яких спрацював інструмент, без повернених",
  "How many of the carts that an instrument was considered for became activations": "Яка частка кошиків, для яких розглядався інструмент, стала активаціями",
  "What a receipt with a benefit paid": "Скільки сплачено за чек з вигодою", "What a receipt without a benefit paid": "Скільки сплачено за чек без вигоди",
  "Discounts given, less what returns took back": "Надані знижки без забраного поверненнями", "Points earned, less what returns took back": "Нараховані бали без забраних поверненнями",
  "Customers who bought, on whole days; an estimate": "Покупці, що купували, за цілі дні; оцінка",
  "the 15 minutes before": "попередні 15 хвилин", "the hour before": "попередня година", "yesterday until now": "учора до цього часу", "the day before yesterday": "позавчора",
  "the 7 days before": "попередні 7 днів", "the 30 days before": "попередні 30 днів", "the 90 days before": "попередні 90 днів", "the time before": "попередній період",
  "vs. yesterday": "до вчора", "vs. previous": "до попереднього", "up by {share}": "зросло на {share}", "down by {share}": "зменшилося на {share}", "unchanged": "без змін", "compared with {time}": "порівняно: {time}",
  "{gross} − {returned} returned": "{gross} − {returned} повернено", "all campaigns": "усі акції", "{share} of gross sales": "{share} валових продажів", "+ {amount} unauthorised": "+ {amount} без дозволу",
  "{amount} refunded": "{amount} повернено", "of {n} cart revisions": "з {n} версій кошиків", "of {n} carts considered": "з {n} розглянутих кошиків", "{lower}–{upper} (95%)": "{lower}–{upper} (95%)",
  "{n} receipts": ["{n} чек", "{n} чеки", "{n} чеків"],
  "{receipts} receipts, sales {paid}, {activations} activations, discount {discount}.": "Чеків: {receipts}, продажі {paid}, активацій: {activations}, знижка {discount}.",
});

// The dashboard's charts and tables.
addWords({
  "Table": "Таблиця", "{title} as a table": "{title}: таблиця", "Download {title} as CSV": "Завантажити «{title}» як CSV", "Legend": "Легенда",
  "per minute": "за хвилину", "per hour": "за годину", "per day": "за день", "Time": "Час", "Activations before returns": "Активації до повернень", "Returned": "Повернено", "Discount given": "Надана знижка",
  "Activity": "Активність", "Show only this time": "Показати лише цей час", "Revenue": "Виторг", "Revenue per activation": "Виторг на активацію", "Refused": "Відмови", "Figure": "Показник", "Difference": "Різниця",
  "Two campaigns compared": "Порівняння двох акцій", "Activations of {a} and {b} over time": "Активації «{a}» та «{b}» за часом", "Figures side by side": "Показники поруч",
  "Compare with": "Порівняти з", "Compare with …": "Порівняти з …", "Choose a campaign first": "Спершу виберіть акцію",
  "top {n} of more than {all}": "перші {n} з понад {all}", "top {n} of {all}": "перші {n} з {all}", "activations": "активації", "cart revisions": "версії кошиків",
  "Activations by store": "Активації за магазинами", "Activations by device": "Активації за пристроями", "Activations by region": "Активації за регіонами", "Activations by campaign": "Активації за акціями",
  "Activations by code": "Активації за кодами", "Without a code": "Без коду", "Not on the map: {names}": "Немає на карті: {names}",
  "No activations in this period. A paid receipt with a benefit is one.": "За цей період активацій немає. Активація — це оплачений чек з вигодою.",
  "Paid receipts that used it, less those that were returned": "Оплачені чеки, у яких він спрацював, без повернених", "Paid amount of the receipts that used it, before returns": "Сплачена сума чеків, у яких він спрацював, до повернень",
  "Reason": "Причина", "Reasons": "Причини", "Share": "Частка", "Every cart revision that was considered got its benefit.": "Кожна розглянута версія кошика отримала вигоду.", "No cart was considered in this period.": "За цей період не розглянуто жодного кошика.",
  "Why there was no benefit": "Чому вигоди не було", "{n} times considered, nothing given": "розглянуто й не надано: {n}", "Cart revisions": "Версії кошиків", "Decided": "Надано",
  "Decisions at a checkout that considered it: every revision of a cart counts, so there may be more than receipts": "Рішення на касі, де його розглянуто: рахується кожна версія кошика, тому їх може бути більше, ніж чеків",
  "Cart revisions that it gave a benefit": "Версії кошиків, що отримали від нього вигоду", "Earned, less what returns took back": "Нараховано без забраного поверненнями",
  "Cart revisions that considered it and got nothing": "Версії кошиків, де його розглянуто без результату", "{n} considered at a checkout": "розглянуто на касі: {n}",
  "Nothing was counted for this choice. Clear the filters, or choose a longer period.": "За цим вибором нічого не враховано. Скиньте фільтри або виберіть довший період.",
  "Nothing was counted in this period yet. Choose a longer one.": "За цей період ще нічого не враховано. Виберіть довший.",
  "Nothing has been counted yet. Start a campaign and send carts and sales: they show here within a second.": "Ще нічого не враховано. Запустіть акцію та надішліть кошики й продажі: вони з’являться тут за секунду.",
  "How this is counted": "Як це рахується",
  "Cart revisions: a cart that changes is decided again, and each time counts; activations count paid receipts once. Returns count when they come in: activations, discount cost and bonuses are less what they took back; sales, receipts and revenue are as they were sold.":
    "Версії кошиків: змінений кошик вирішується знову, і щоразу рахується; активації рахують оплачені чеки один раз. Повернення враховуються, коли надходять: активації, вартість знижок і бонуси — без забраного ними; продажі, чеки та виторг — як було продано.",
  "Device: from the user agent. Region: from the store; “(assigned)” marks demo data whose devices and regions follow a fixed rule. Receipts, sales and the average receipt are of all campaigns. Amounts of different currencies are never added.":
    "Пристрій: за user agent. Регіон: за магазином; «(assigned)» позначає демонстраційні дані, де пристрої та регіони призначено за сталим правилом. Чеки, продажі й середній чек — за всіма акціями. Суми в різних валютах ніколи не додаються.",
});

// Caps.
addWords({
  "What is left": "Що залишилося", "redemptions or money": "використання або гроші", "Limit": "Ліміт", "Cap": "Межа", "Used": "Використано", "Remaining": "Залишок", "Forecast": "Прогноз",
  "codes of {emission}": "коди «{emission}»", "customer": "покупець", "day": "день", "store": "магазин", "receipt": "чек", "code": "код", "week": "тиждень", "month": "місяць",
  "used up": "вичерпано", "frees itself again: no forecast": "відновлюється сам: без прогнозу", "too little data for a forecast": "замало даних для прогнозу", "{n} a day": "{n} на день",
  "lasts for the period": "вистачить на період", "lasts for the period, but might be used up from {at}": "вистачить на період, але може вичерпатися від {at}",
  "used up about {at} (95%: {earliest} – {latest})": "вичерпається близько {at} (95%: {earliest} – {latest})", "used up about {at} (95%: from {earliest}, or not at all)": "вичерпається близько {at} (95%: від {earliest} або взагалі ні)",
  "for each {what}": "на кожне: {what}", "for each code": "на кожен код", "of {cap} left": "з {cap} залишилося", "{share} used": "використано {share}", "No campaign here has a cap that counts down.": "Жодна акція тут не має межі, що зменшується.",
});

// Activations as they come.
addWords({
  "Activations as they come": "Активації в реальному часі", "newest first, {n} at most": "спершу найновіші, щонайбільше {n}", "Receipt paid": "Сплачено за чек", "Discount": "Знижка", "Pause": "Пауза", "Go on": "Продовжити",
  "More came than could be kept while the connection was lost: some are missing here. The figures have them all.": "Поки не було з’єднання, надійшло більше, ніж можна зберегти: тут деяких бракує. У показниках є всі.",
  "No activation yet": "Активацій ще немає", "As soon as a receipt with a benefit is paid, it is here.": "Щойно буде оплачено чек з вигодою, він з’явиться тут.",
  "{n} bonuses": ["{n} бонус", "{n} бонуси", "{n} бонусів"], "{n} new activations": ["{n} нова активація", "{n} нові активації", "{n} нових активацій"], "Go on: {n} new": ["Продовжити: {n} нова", "Продовжити: {n} нові", "Продовжити: {n} нових"],
});

// Effectiveness.
addWords({
  "no control group": "без контрольної групи", "not known yet": "ще невідомо", "Units": "Одиниці", "Units per receipt": "Одиниць на чек", "Uplift": "Приріст", "revenue for 1.00 of discount": "виторгу на 1,00 знижки",
  "Revenue per 1.00 of discount": "Виторг на 1,00 знижки", "Paid receipts with a benefit of it, before returns": "Оплачені чеки з її вигодою, до повернень", "Activations of the cart revisions that considered it": "Частка активацій серед версій кошиків, де її розглянуто",
  "Paid amount of its receipts, less refunds": "Сплачена сума її чеків без повернених коштів", "Revenue because of the campaign, with its 95% interval": "Виторг завдяки акції з 95% інтервалом",
  "Whole days are counted: {first} – {last}": "Рахуються цілі дні: {first} – {last}", "Whole days are counted: from {first} until now": "Рахуються цілі дні: від {first} дотепер", "Whole days are counted": "Рахуються цілі дні", "No campaign has brought anything here": "Тут жодна акція ще нічого не принесла", "All figures by campaign": "Усі показники за акціями",
  "There are fewer than two running campaigns to compare.": "Діючих акцій менше двох: порівнювати нічого.",
  "There is too little data to compare campaigns: a suggestion now would be a guess.": "Замало даних, щоб порівняти акції: порада зараз була б здогадом.",
  "No campaign is notably better than another: there is no reason to move budget.": "Жодна акція не є помітно кращою за іншу: немає причин переносити бюджет.",
  "{name}: its receipts brought {value} for each 1.00 of discount.": "{name}: її чеки принесли {value} на кожну 1,00 знижки.",
  "{name}: because of the campaign, each 1.00 of discount brought {value} (95%: {lower} to {upper}).": "{name}: завдяки акції кожна 1,00 знижки принесла {value} (95%: від {lower} до {upper}).",
  "{name}: the uplift of {value} against its control group is proven (95%: {lower} to {upper}).": "{name}: приріст {value} проти контрольної групи доведено (95%: від {lower} до {upper}).",
  "{name}: the uplift of {value} may be chance (95%: {lower} to {upper}).": "{name}: приріст {value} може бути випадковим (95%: від {lower} до {upper}).",
  "{name} has no control group: what would have been bought anyway is not known.": "{name} не має контрольної групи: невідомо, що купили б і без неї.",
  "Move budget from {from} to {to}": "Перенесіть бюджет з «{from}» до «{to}»", "Consider moving budget from {from} to {to}": "Розгляньте перенесення бюджету з «{from}» до «{to}»",
  "Where to move budget": "Куди перенести бюджет", "proven": "доведено", "may be chance": "можлива випадковість",
  "Compared by revenue on promoted receipts: that proves no cause. Give campaigns a control group to know more.": "Порівняно за виторгом чеків з акцією: це не доводить причини. Щоб знати більше, дайте акціям контрольну групу.",
  "No campaign here has a control group. Give one to a campaign, and here is what it brings that would not have been bought anyway.": "Жодна акція тут не має контрольної групи. Дайте її акції — і тут буде видно, що вона приносить понад те, що купили б і так.",
  "Without a control group, so not known: {names}": "Без контрольної групи, тому невідомо: {names}", "Nobody in one of the groups has paid anything yet.": "В одній із груп ще ніхто нічого не сплатив.",
  "Too little data: {treated} and {held} customers, {needed} of each are needed.": "Замало даних: покупців {treated} і {held}, потрібно по {needed}.",
  "{value} more revenue because of it; 95% sure of {lower} to {upper}.": "{value} виторгу завдяки їй; з імовірністю 95% від {lower} до {upper}.",
  "{value}: it brings less than nothing; 95% sure of {lower} to {upper}.": "{value}: вона шкодить; з імовірністю 95% від {lower} до {upper}.",
  "{value}, but it may be chance: 95% sure only of {lower} to {upper}.": "{value}, але це може бути випадковістю: з імовірністю 95% лише від {lower} до {upper}.",
  "Because of it: {amount} ({lower} to {upper})": "Завдяки їй: {amount} (від {lower} до {upper})", "{n} for each 1.00 of discount": "{n} на кожну 1,00 знижки",
  "Control group {share}; {treated} against {held} since {since}": "Контрольна група {share}; {treated} проти {held} від {since}", "{n} customers": ["{n} покупець", "{n} покупці", "{n} покупців"],
  "Uplift against the control group": "Приріст проти контрольної групи", "revenue per customer, %, with the 95% interval; of the whole campaign so far": "виторг на покупця, %, з 95% інтервалом; за всю акцію дотепер",
  "Customers": "Покупці", "At least": "Щонайменше", "At most": "Щонайбільше", "Customers by campaign": "Покупці за акціями", "Customers by day": "Покупці за днями", "customers, an estimate": "покупці, оцінка",
  "{n} in all, {within}": "усього {n}, {within}", "No customer was named on a receipt here.": "Тут у чеках не вказано жодного покупця.", "Day": "День", "at most {n} a day": "щонайбільше {n} на день",
  "Without a category": "Без категорії", "Margin": "Маржа", "Categories by code": "Категорії за кодами", "Category": "Категорія", "Quantity": "Кількість", "Before discounts": "До знижок", "Cost": "Собівартість", "Margin, %": "Маржа, %",
  "Costs known of": "Собівартість відома для", "Margin by category": "Маржа за категоріями", "of all places: it is not counted by place": "за всіма місцями: за місцем не рахується",
  "what is on the receipts on which a code was used": "що є в чеках, де використано код", "Nothing was bought with a promotion here": "Тут нічого не куплено з акцією", "Choose a longer period, or clear the filters.": "Виберіть довший період або скиньте фільтри.",
  "No costs are known: give them in the catalogue of products.": "Собівартість невідома: вкажіть її в каталозі товарів.",
  "revenue less cost, of products whose cost is known; a receipt that used several instruments counts with each": "виторг без собівартості товарів, для яких вона відома; чек з кількома інструментами рахується з кожним",
});
