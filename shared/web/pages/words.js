// Ukrainian for what all pages say.

import { addWords } from "./i18n.js";

addWords({
  "Live": "Наживо", "Dashboard": "Огляд", "Activations": "Активації", "Effectiveness": "Ефективність", "Limits": "Ліміти",
  "Promotions": "Промоакції", "Campaigns": "Акції", "Instruments": "Інструменти", "Promo codes": "Промокоди",
  "Customers": "Покупці", "Segments": "Сегменти", "Offers": "Пропозиції", "Insights": "Аналіз", "Alerts": "Тривоги", "Webhooks": "Вебхуки",
  "Shop": "Магазин", "Products": "Товари", "Stores and groups": "Магазини та групи",
  "Administration": "Адміністрування", "Users": "Користувачі", "API keys": "Ключі API", "Audit log": "Журнал змін",
  "Colours: as the device": "Кольори: як на пристрої", "Colours: dark": "Кольори: темні", "Colours: light": "Кольори: світлі",
  "Sign out": "Вийти", "Sign in": "Увійти", "Skip to the content": "Перейти до вмісту", "Menu": "Меню", "Console": "Консоль",
  "Not for your role": "Не для вашої ролі", "Your role does not include this page.": "Ваша роль не має доступу до цієї сторінки.",
  "To the dashboard": "До огляду", "An administrator can change your role on the page Users.": "Адміністратор може змінити вашу роль на сторінці «Користувачі».",
  "No connection": "Немає з’єднання", "The service does not answer. Check the connection and try again.": "Сервіс не відповідає. Перевірте з’єднання і спробуйте ще раз.",
  "Close": "Закрити", "Try again": "Спробувати ще раз", "Loading": "Завантаження", "Cancel": "Скасувати", "Save": "Зберегти", "Actions": "Дії", "Pages": "Сторінки",
  "{from}–{to} of {total}": "{from}–{to} з {total}", "Previous": "Назад", "Next": "Далі", "{s} s ago": "{s} с тому",
});
