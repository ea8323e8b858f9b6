"""Writes phrases of a language: templates, plural forms, lists, and numbers by locale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.numbers import format_decimal, get_currency_precision

from services.emission.sentence import english, ukrainian
from services.emission.sentence.names import MOST_NAMED, Names
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
_PLAIN_DIGITS = 2
_OPPOSITE = {">=": "<", ">": "<=", "<": ">=", "<=": ">", "=": "!=", "between": "outside"}


@dataclass(frozen=True)
class Writer:
    """Writes in a language, with these names."""

    language: Language
    names: Names

    def say(self, phrase: str, **words: str) -> str:
        """The phrase, with the words in it."""
        return _PHRASES[self.language][phrase].format(**words)

    def counted(self, noun: str, number: int | Decimal) -> str:
        """So many of something, in the right plural form."""
        form = Locale(self.language).plural_form(number)
        forms = _COUNTED[self.language][noun]
        return forms.get(form, forms["other"]).format(n=self.number(number))

    def number(self, value: int | Decimal) -> str:
        """A number; thousands are set apart from five digits on."""
        whole = "#,##0" if value >= _FIRST_GROUPED else "0"
        return str(format_decimal(value, f"{whole}.######", self.language))

    def money(self, minor: int) -> str:
        """Minor units as an amount, with the digits of the currency."""
        currency = self.names.currency
        digits = _PLAIN_DIGITS if currency is None else get_currency_precision(currency)
        amount = Decimal(minor).scaleb(-digits)
        whole = "#,##0" if amount >= _FIRST_GROUPED else "0"
        pattern = f"{whole}.{'0' * digits}" if digits else whole
        return str(format_decimal(amount, pattern, self.language))

    def quantity(self, thousandths: int) -> str:
        """Thousandths as a quantity."""
        return self.number(Decimal(thousandths) / THOUSANDTHS)

    def units(self, thousandths: int) -> str:
        """Thousandths as pieces, kilograms or litres, whichever they are."""
        return self.counted("units", Decimal(thousandths) / THOUSANDTHS)

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage."""
        return f"{self.number(Decimal(basis_points) / _PERCENT)}%"

    def compared(self, compare: Comparison, shown: Sequence[str], *, holds: bool = True) -> str:
        """What is compared, with its value and upper value as they are ``shown``."""
        op = compare.op if holds else _OPPOSITE[compare.op]
        return self.say(f"compare {op}", value=shown[0], upper=shown[-1])

    def listed(self, parts: Iterable[str], joint: str) -> str:
        """Parts in a row, the last two joined by ``and``, ``or``, or ``nor``; all are given."""
        *first, last = parts
        if not first:
            return last
        between = self.say(f"{joint}, ")
        return self.say(joint, first=between.join(first), last=last)

    def named(self, ids: Sequence[str], names: Mapping[str, str], joint: str = "or") -> str:
        """The names of a few of the ids, and how many more there are."""
        shown = [self.quoted(names.get(one, one)) for one in ids[:MOST_NAMED]]
        more = len(ids) - len(shown)
        if more:
            shown.append(self.counted("more", more))
        return self.listed(shown, joint)

    def emission(self, emission_id: str) -> str:
        """What an emission is called."""
        return self.quoted(self.names.emissions.get(emission_id, emission_id))

    def quoted(self, name: str) -> str:
        """A name, in quotation marks unless it is one word."""
        return name if " " not in name else self.say("quoted", name=name)
