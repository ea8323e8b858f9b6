"""Phrases of a language put together: templates, plural forms, lists, and numbers by its locale. Pure.

What is said, and of what, is a service's: it brings the vocabulary.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from babel import Locale
from babel.numbers import format_decimal, get_currency_precision

from shared.events.values import THOUSANDTHS

Language = Literal["en", "uk"]
_PERCENT = 100  # basis points of one percent
_FIRST_GROUPED = 10_000
_PLAIN_DIGITS = 2
MOST_NAMED = 5
"""Of a list: how many are named before the rest are only counted."""


@dataclass(frozen=True)
class Vocabulary:
    """Phrases with places for words (``{name}``), and nouns that are counted (``{n}``) by plural form (CLDR).

    ``quoted`` and ``more`` are among them, and for each joint of a list its own and ``<joint>, ``.
    """

    phrases: Mapping[str, str]
    nouns: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Wording:
    """Writes in a language with a vocabulary."""

    language: Language
    vocabulary: Vocabulary

    def say(self, phrase: str, **words: str) -> str:
        """The phrase, with the words in it."""
        return self.vocabulary.phrases[phrase].format(**words)

    def counted(self, noun: str, number: int | Decimal) -> str:
        """So many of something, in the right plural form."""
        form = Locale(self.language).plural_form(number)
        forms = self.vocabulary.nouns[noun]
        return forms.get(form, forms["other"]).format(n=self.number(number))

    def number(self, value: int | Decimal) -> str:
        """A number; thousands are set apart from five digits on."""
        whole = "#,##0" if value >= _FIRST_GROUPED else "0"
        return str(format_decimal(value, f"{whole}.######", self.language))

    def amount(self, minor: int, currency: str | None) -> str:
        """Minor units as an amount, with the digits of the currency (two, if it is not known), without its name."""
        digits = _PLAIN_DIGITS if currency is None else get_currency_precision(currency)
        amount = Decimal(minor).scaleb(-digits)
        whole = "#,##0" if amount >= _FIRST_GROUPED else "0"
        pattern = f"{whole}.{'0' * digits}" if digits else whole
        return str(format_decimal(amount, pattern, self.language))

    def quantity(self, thousandths: int) -> str:
        """Thousandths as a quantity."""
        return self.number(Decimal(thousandths) / THOUSANDTHS)

    def percent(self, basis_points: int) -> str:
        """Basis points as a percentage."""
        return f"{self.number(Decimal(basis_points) / _PERCENT)}%"

    def listed(self, parts: Iterable[str], joint: str) -> str:
        """Parts in a row, the last two joined by the joint's words (``and``, ``or``, …); all are given."""
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

    def quoted(self, name: str) -> str:
        """A name, in quotation marks unless it is one word."""
        return name if " " not in name else self.say("quoted", name=name)
