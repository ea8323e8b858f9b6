"""The sums of every source, by instrument, and where they differ. Pure.

Activations are what was ever committed: returns take back of them, and are sums of their own.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from deploy.comparison import Row
from services.evaluator.store.proof import Bonuses, Decided

Key = tuple[str, str]
"""Campaign id, instrument id."""
RECEIPTS = "receipts"
FIGURES = {
    "activations": "activations",
    "discount": "discount",
    "bonuses": "bonuses",
    "returned": "returned",
    "released": "slots released by returns",
    "discount_returned": "discount returned",
    "bonuses_returned": "bonuses returned",
    "unauthorised": "without right",
    "unauthorised_discount": "discount without right",
    "unauthorised_returned": "discount without right returned",
}
"""What is summed, and what it is called: counts, minor units, points."""


@dataclass
class Sums:
    """Sums by instrument and figure; ``receipts`` are all that were paid."""

    receipts: int = 0
    instruments: dict[Key, Counter[str]] = field(default_factory=dict)

    def of(self, key: Key) -> Counter[str]:
        """The sums of an instrument, to add to."""
        return self.instruments.setdefault(key, Counter())

    def less(self, other: "Sums") -> "Sums":
        """These sums without those of the other."""
        rest = Sums(self.receipts - other.receipts)
        for key in {*self.instruments, *other.instruments}:
            sums = Counter(self.instruments.get(key, Counter()))
            sums.subtract(other.instruments.get(key, Counter()))
            rest.instruments[key] = sums
        return rest


_SAID_BY_REDEMPTIONS = frozenset(FIGURES) - {"released", "bonuses_returned"}
_COLUMNS: Mapping[str, frozenset[str]] = {
    "ledger": frozenset(FIGURES),
    "redemptions": _SAID_BY_REDEMPTIONS,
    "sales, returns": frozenset(FIGURES),
    "rollups": frozenset(FIGURES) - {"returned"},
}
COLUMNS = tuple(_COLUMNS)
"""The sources; ``redemptions`` and ``sales, returns`` are the events. What one of them does not say is blank."""


def rows(sources: Mapping[str, Sums]) -> dict[Key, list[Row]]:
    """Every figure of every instrument that any source has something of, from all that say it."""
    found = {}
    for key in sorted({key for sums in sources.values() for key in sums.instruments}):
        lines = [
            Row(
                words,
                {
                    name: sums.instruments.get(key, Counter())[figure]
                    for name, sums in sources.items()
                    if figure in _COLUMNS[name]
                },
            )
            for figure, words in FIGURES.items()
        ]
        found[key] = [line for line in lines if any(line.cells.values())]
    return found


def receipt_row(sources: Mapping[str, Sums]) -> Row:
    """Receipts paid, from all sources that count them."""
    cells = {name: sums.receipts for name, sums in sources.items() if name != "redemptions"}
    return Row("receipts paid", cells)


def decided_differences(decided: Mapping[Key, Decided]) -> Iterable[str]:
    """What was committed and neither granted nor explained, in words."""
    for (campaign, instrument), one in sorted(decided.items()):
        name = f"{campaign}/{instrument}"
        if one.unexplained:
            yield (
                f"{name}: on {', '.join(one.unexplained)} what was committed is not what was granted,"
                " and no mismatch says why"
            )
        accounted = one.committed - one.earned_late + one.unauthorised + one.not_given
        if one.granted != accounted:
            yield f"{name}: {one.granted} were granted, and {accounted} are accounted for"
        discount = one.committed_discount - one.mismatch
        discount += one.unauthorised_discount + one.not_given_discount
        if one.granted_discount != discount:
            yield (
                f"{name}: a discount of {one.granted_discount} was granted, and {discount} is accounted for"
            )


def bonus_differences(bonuses: Bonuses, said: int | None) -> Iterable[str]:
    """Where the bonus ledger does not balance, in words; ``said`` is what the events add up to."""
    if bonuses.entered:
        yield f"bonuses: all entries add up to {bonuses.entered}, not to 0"
    for entry_id, points in bonuses.unbalanced.items():
        yield f"bonuses: entry {entry_id} adds up to {points}, not to 0"
    if bonuses.different:
        yield (
            f"bonuses: {bonuses.different} customers' entries are not what is in their lots less their"
            f" debt ({bonuses.points} points entered, {bonuses.lots} in lots, {bonuses.debt} owed)"
        )
    if said is not None and said != bonuses.points:
        yield f"bonuses: customers' entries add up to {bonuses.points}, the events to {said}"
