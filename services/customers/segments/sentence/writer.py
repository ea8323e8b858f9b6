"""Writes what segments are made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.customers.segments.sentence import english, ukrainian
from shared.events.selection import Comparison
from shared.wording import Language, Vocabulary, Wording

VOCABULARIES: Mapping[Language, Vocabulary] = {
    "en": Vocabulary(english.PHRASES, english.COUNTED),
    "uk": Vocabulary(ukrainian.PHRASES, ukrainian.COUNTED),
}


@dataclass(frozen=True)
class Writer(Wording):
    """Writes with what stores are called (``stores``), by their ids."""

    stores: Mapping[str, str] = field(default_factory=dict)

    def money(self, currency: str) -> Callable[[int], str]:
        """Writes minor units as an amount of the currency."""
        return lambda minor: f"{self.amount(minor, currency)} {currency}"

    def compared(self, compare: Comparison, shown: Callable[[int], str]) -> str:
        """What is compared, with its values as they are ``shown``."""
        upper = compare.value if compare.upper is None else compare.upper
        return self.say(f"compare {compare.op}", value=shown(compare.value), upper=shown(upper))
