"""How sums become the figures that are answered. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from services.analytics.dimensions import Key
from services.analytics.figures import (
    CampaignRow,
    CodeRow,
    InstrumentFigures,
    InstrumentRow,
    PlaceRow,
    Point,
    Receipts,
    Refusals,
    Totals,
    Uses,
    UsesAndRefusals,
)

Sums = Mapping[str, int]
_NOTHING: Sums = {}


def receipts_of(sums: Sums) -> Receipts:
    """Sums of receipts with their average."""
    count, with_promotion = sums.get("receipts", 0), sums.get("promo_receipts", 0)
    paid, paid_with = sums.get("paid", 0), sums.get("promo_paid", 0)
    return Receipts(
        **sums,
        average=_ratio(paid, count),
        average_with=_ratio(paid_with, with_promotion),
        average_without=_ratio(paid - paid_with, count - with_promotion),
    )


def uses_of(sums: Sums) -> Uses:
    """Sums of instruments with what returns have left of them."""
    return Uses(**_less_returned(sums))


def uses_and_refusals_of(uses: Sums, refused: Sums) -> UsesAndRefusals:
    """The same with the refusals of all reasons."""
    return UsesAndRefusals(**_less_returned(uses), refusals=refused.get("refusals", 0))


def refusals_of(sums: Mapping[Key, Sums]) -> tuple[Refusals, ...]:
    """Sums by key, of which the last part is the reason: most frequent first, then by name."""
    rows = (Refusals(reason=key[-1], refusals=row["refusals"]) for key, row in sums.items())
    return tuple(sorted(rows, key=lambda row: (-row.refusals, row.reason)))


def totals_of(receipts: Sums, uses: Sums, reasons: Sequence[Refusals]) -> Totals:
    """Both halves of the totals."""
    return Totals(receipts=receipts_of(receipts), instruments=_with_reasons(uses, reasons))


def points_of(
    starts: Iterable[datetime],
    receipts: Mapping[datetime, Sums],
    uses: Mapping[datetime, Sums],
) -> tuple[Point, ...]:
    """A point for each start; zeros where nothing was counted."""
    return tuple(
        Point(
            at=at,
            receipts=receipts_of(receipts.get(at, _NOTHING)),
            instruments=uses_of(uses.get(at, _NOTHING)),
        )
        for at in starts
    )


def place_rows(
    receipts: Mapping[Key, Sums],
    uses: Mapping[Key, Sums],
) -> tuple[PlaceRow, ...]:
    """A row for each key of either, named by it: most activations first, then most receipts, then by id."""
    rows = (
        PlaceRow(
            id=key[0],
            name=key[0],
            receipts=receipts_of(receipts.get(key, _NOTHING)),
            instruments=uses_of(uses.get(key, _NOTHING)),
        )
        for key in receipts.keys() | uses.keys()
    )
    return tuple(
        sorted(rows, key=lambda row: (-row.instruments.activations, -row.receipts.receipts, row.id))
    )


def instrument_rows(
    uses: Mapping[Key, Sums],
    refusals: Mapping[Key, Sums],
    campaigns: Mapping[str, str],
    names: Mapping[tuple[str, str], str],
) -> tuple[InstrumentRow, ...]:
    """A row for each (campaign, instrument): most activations first, then decided, carts, ids.

    ``refusals`` is by (campaign, instrument, reason).
    """
    by_instrument: dict[Key, dict[Key, Sums]] = {}
    for key, sums in refusals.items():
        by_instrument.setdefault(key[:2], {})[key] = sums
    rows = []
    for campaign_id, instrument_id in uses.keys() | by_instrument.keys():
        key = (campaign_id, instrument_id)
        figures = _with_reasons(uses.get(key, _NOTHING), refusals_of(by_instrument.get(key, {})))
        rows.append(
            InstrumentRow(
                **dict(figures),
                campaign_id=campaign_id,
                campaign=campaigns.get(campaign_id, campaign_id),
                instrument_id=instrument_id,
                name=names.get(key, instrument_id),
            )
        )
    return tuple(
        sorted(
            rows,
            key=lambda row: (*_most_first(row), row.campaign_id, row.instrument_id),
        )
    )


def campaign_rows(uses: Mapping[Key, Sums], names: Mapping[str, str]) -> tuple[CampaignRow, ...]:
    """A row for each campaign: most activations first, then decided, carts, ids."""
    rows = [
        CampaignRow(**_less_returned(sums), campaign_id=key[0], campaign=names.get(key[0], key[0]))
        for key, sums in uses.items()
    ]
    return tuple(sorted(rows, key=lambda row: (*_most_first(row), row.campaign_id)))


def code_rows(uses: Mapping[Key, Sums]) -> tuple[CodeRow, ...]:
    """A row for each emission: most activations first, then decided, carts, ids."""
    rows = [
        CodeRow(**_less_returned(sums), emission_id=key[0], name=key[0])
        for key, sums in uses.items()
    ]
    return tuple(sorted(rows, key=lambda row: (*_most_first(row), row.emission_id)))


def by(uses: Mapping[Key, Sums], *parts: int) -> Mapping[Key, Sums]:
    """Sums by those parts of their keys."""
    found: dict[Key, dict[str, int]] = {}
    for key, sums in uses.items():
        row = found.setdefault(tuple(key[part] for part in parts), {})
        for name, value in sums.items():
            row[name] = row.get(name, 0) + value
    return found


def _most_first(row: Uses) -> tuple[int, ...]:
    return (-row.activations, -row.decided, -row.carts)


def _ratio(whole: int, count: int) -> int | None:
    """Rounded half up."""
    return (2 * whole + count) // (2 * count) if count else None


def _with_reasons(uses: Sums, reasons: Sequence[Refusals]) -> InstrumentFigures:
    return InstrumentFigures(
        **_less_returned(uses),
        refusals=sum(row.refusals for row in reasons),
        reasons=tuple(reasons),
    )


def _less_returned(sums: Sums) -> dict[str, Any]:
    """The cells know the activations as they were sold; what is called so is less the returned ones."""
    gross, decided = sums.get("activations", 0), sums.get("decided", 0)
    return {
        **sums,
        "gross_activations": gross,
        "conversion": _ratio(10_000 * gross, decided),
        "activations": gross - sums.get("returned", 0),
        "net_discount": sums.get("discount", 0) - sums.get("returned_discount", 0),
        "net_bonuses": sums.get("bonuses", 0) - sums.get("returned_bonuses", 0),
    }
