"""Writes what instruments are made of, with the names that people gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.emission.sentence import english, ukrainian
from services.emission.sentence.names import Names
from shared.events.selection import Comparison
from shared.events.values import THOUSANDTHS
from shared.wording import Language, Vocabulary, Wording

VOCABULARIES: Mapping[Language, Vocabulary] = {
    "en": Vocabulary(english.PHRASES, english.COUNTED),
    "uk": Vocabulary(ukrainian.PHRASES, ukrainian.COUNTED),
}
_OPPOSITE = {">=": "<", ">": "<=", "<": ">=", "<=": ">", "=": "!=", "between": "outside"}


@dataclass(frozen=True)
class Writer(Wording):
    """Writes with these names; money is in their currency."""

    names: Names

    def money(self, minor: int) -> str:
        """Minor units as an amount, with the digits of the currency."""
        return self.amount(minor, self.names.currency)

    def units(self, thousandths: int) -> str:
        """Thousandths as pieces, kilograms or litres, whichever they are."""
        return self.counted("units", Decimal(thousandths) / THOUSANDTHS)

    def compared(self, compare: Comparison, shown: Sequence[str], *, holds: bool = True) -> str:
        """What is compared, with its value and upper value as they are ``shown``."""
        op = compare.op if holds else _OPPOSITE[compare.op]
        return self.say(f"compare {op}", value=shown[0], upper=shown[-1])

    def emission(self, emission_id: str) -> str:
        """What an emission is called."""
        return self.quoted(self.names.emissions.get(emission_id, emission_id))
