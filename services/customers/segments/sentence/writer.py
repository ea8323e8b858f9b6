"""Writes phrases of a language: templates, plural forms, lists, and numbers by locale."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.numbers import format_decimal, get_currency_precision

from services.customers.segments.sentence import english, ukrainian
from shared.events.selection import Comparison
from shared.events.values import THOUSANDTHS

Language = Literal["en", "uk"]
_PHRASES: Mapping[Language, Mapping[str, str]] = {"en": english.PHRASES, "uk": ukrainian.PHRASES}
_COUNTED: Mapping[Language, Mapping[str, Mapping[str, str]]] = {
    "en": english.COUNTED,
    "uk": ukrainian.COUNTED,
}
_PERCENT = 100  # basis points of one percent
_FIRST_GROUPED = 10_000
_MOST_NAMED = 5


@dataclass(frozen=True)
class Writer:
    """Writes in a language; ``stores`` are what stores are called, by their ids."""

    language: Language
    stores: Mapping[str, str] = field(default_factory=dict)

    def say(self, phrase: str, **words: str) -> str:
        """The phrase, with the words in it."""
        return _PHRASES[self.language][phrase].format(**words)

    def counted(self, noun: str, number: int) -> str:
        """So many of something, in the right plural form."""
        form = Locale(self.language).plural_form(number)
        forms = _COUNTED[self.language][noun]
        return forms.get(form, forms["other"]).format(n=self.number(number))

    def number(self, value: int | Decimal) -> str:
        """A number; thousands are set apart from five digits on."""
        whole = "#,##0" if value >= _FIRST_GROUPED else "0"
        return str(format_decimal(value, f"{whole}.######", self.language))

    def money(self, currency: str) -> Callable[[int], str]:
        """Writes minor units as an amount of the currency."""
        digits = get_currency_precision(currency)

        def written(minor: int) -> str:
            amount = Decimal(minor).scaleb(-digits)
            whole = "#,##0" if amount >= _FIRST_GROUPED else "0"
            pattern = f"{whole}.{'0' * digits}" if digits else whole
            return f"{format_decimal(amount, pattern, self.language)} {currency}"

        return written

    def quantity(self, thousandths: int) -> str:
        """Thousandths as a quantity."""
        return self.number(Decimal(thousandths) / THOUSANDTHS)

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage."""
        return f"{self.number(Decimal(basis_points) / _PERCENT)}%"

    def compared(self, compare: Comparison, shown: Callable[[int], str]) -> str:
        """What is compared, with its values as they are ``shown``."""
        upper = compare.value if compare.upper is None else compare.upper
        return self.say(f"compare {compare.op}", value=shown(compare.value), upper=shown(upper))

    def listed(self, parts: Iterable[str], joint: str) -> str:
        """Parts in a row, the last two joined by the joint's words; all are given."""
        *first, last = parts
        if not first:
            return last
        between = self.say(f"{joint}, ")
        return self.say(joint, first=between.join(first), last=last)

    def named(self, ids: Sequence[str], names: Mapping[str, str]) -> str:
        """The names of a few of the ids, and how many more there are."""
        shown = [self.quoted(names.get(one, one)) for one in ids[:_MOST_NAMED]]
        more = len(ids) - len(shown)
        if more:
            shown.append(self.counted("more", more))
        return self.listed(shown, "or")

    def quoted(self, name: str) -> str:
        """A name, in quotation marks unless it is one word."""
        return name if " " not in name else self.say("quoted", name=name)
