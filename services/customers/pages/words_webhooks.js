// Ukrainian for what the page of webhooks says.

import { addWords } from "./i18n.js";

addWords({
  "profiles": "профілі", "segments": "сегменти", "offers": "пропозиції", "alerts": "тривоги", "active": "працює", "failing": "збоїть", "paused": "призупинено", "gone": "одержувач відмовився",
  "New webhook": "Новий вебхук", "Edit {name}": "Змінити {name}", "Name": "Назва", "Address": "Адреса", "https; no redirects are followed": "https; переспрямування не виконуються", "Is told of": "Про що повідомляти",
  "From when on": "З якого часу", "empty: from now on": "порожньо: відтепер", "Make the webhook": "Створити вебхук", "Saved": "Збережено",
  "Secret of {name}": "Секрет {name}", "Copy it now: it is not shown again.": "Скопіюйте зараз: його більше не буде показано.", "The former one is valid until {time}, too.": "Попередній теж чинний до {time}.", "Secret": "Секрет", "Copy": "Копіювати", "Copied": "Скопійовано", "Done": "Готово",
  "Taken: answered {status} in {ms} ms": "Прийнято: відповідь {status} за {ms} мс", "Not taken: {error}": "Не прийнято: {error}",
  "Replay {name}": "Повторити для {name}", "Everything since then is delivered again. Of profiles and segments that is the latest of each.": "Усе від цього часу буде надіслано знову. Для профілів і сегментів це останній стан кожного.",
  "Since": "Відколи", "Deliver again": "Надіслати знову", "Skip what waits": "Пропустити те, що чекає", "Delivered again from {time} on": "Надсилається знову від {time}", "What waited is skipped": "Те, що чекало, пропущено",
  "Delete {name}?": "Видалити {name}?", "It is told nothing more. A new one begins anew.": "Йому більше нічого не повідомлятиметься. Новий почне спочатку.", "Delete": "Видалити",
  "New secret for {name}?": "Новий секрет для {name}?", "For a day both sign what is sent: give the receiver the new one meanwhile.": "Упродовж доби підписують обидва: тим часом передайте одержувачу новий.", "New secret": "Новий секрет",
  "Test": "Перевірити", "Pause": "Призупинити", "Resume": "Продовжити", "Try now": "Спробувати зараз", "Replay": "Повторити", "Edit": "Змінити",
  "Events delivered": "Надіслано подій", "in {n} batches": ["одним пакетом", "у {n} пакетах", "у {n} пакетах"], "Wait": "Чекають", "Last delivered": "Востаннє надіслано", "never": "ніколи", "Failed attempts": "Невдалі спроби", "Lost": "Втрачено",
  "its topics did not keep them so long": "топіки стільки не зберігали", "Failing since {time}: {error}. Attempt {n} is due {due}.": "Збоїть з {time}: {error}. Спроба {n} – {due}.", "now": "зараз",
  "The receiver has answered 410: it wants nothing more.": "Одержувач відповів 410: йому більше нічого не треба.", "Latest attempts": "Останні спроби", "No attempts yet.": "Спроб ще не було.", "When": "Коли", "Events": "Події", "Answer": "Відповідь", "Took": "Тривало", "{ms} ms": "{ms} мс", "taken": "прийнято",
  "the host is not known": "хост невідомий", "no connection": "немає з’єднання", "no TLS connection": "немає з’єднання TLS", "its certificate is not valid": "сертифікат недійсний", "no answer within {n} s": "немає відповіді за {n} с", "answered {status}": "відповідь {status}",
  "No webhooks yet": "Вебхуків ще немає", "A webhook tells a CRM without Kafka what happens: profiles, segments, offers, alerts.": "Вебхук повідомляє CRM без Kafka про події: профілі, сегменти, пропозиції, тривоги.",
});
