"""The proof: what was compared, and what differs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import msgspec

from deploy.comparison import Row, differences
from deploy.verification.figures import (
    Key,
    Sums,
    bonus_differences,
    decided_differences,
    receipt_row,
    rows,
)
from deploy.verification.snapshot import Certificate, Ledger
from services.evaluator import certificate


@dataclass(frozen=True)
class Proof:
    """Everything that was compared.

    ``sources`` are sums as of one instant of the ledger, ``said`` what the bonus events add up to (None: not
    known), ``late`` what had not caught up in time, ``notes`` what could not be compared, in words.
    """

    ledger: Ledger
    sources: Mapping[str, Sums]
    said: int | None
    late: Sequence[str] = ()
    notes: Sequence[str] = ()

    @cached_property
    def rows(self) -> dict[Key, list[Row]]:
        """The figures of every instrument, from all sources."""
        return rows(self.sources)

    @cached_property
    def receipts(self) -> Row:
        """The receipts, from all sources."""
        return receipt_row(self.sources)

    @cached_property
    def differences(self) -> list[str]:
        """What differs, in words; nothing, if all is well."""
        return [*self._of_limits(), *self._of_sums()]

    def _of_limits(self) -> Iterator[str]:
        for standing in self.ledger.standings:
            for words in certificate.differences(standing):
                yield f"limit {standing.limit_id}: {words}"
        for lease in self.ledger.leases:
            for words in certificate.lease_differences(lease):
                yield f"lease {lease.lease_id}: {words}"
        for use_id, wrong in self.ledger.contradictions.items():
            for words in wrong:
                yield f"redemption {use_id}: {words}"
        untold = self.ledger.contradictory - len(self.ledger.contradictions)
        if untold:
            yield f"{untold} more redemptions contradict themselves"

    def _of_sums(self) -> Iterator[str]:
        yield from self.late
        for row in differences([self.receipts]):
            yield f"{row.what}: {_cells(row)}"
        for (campaign_id, instrument_id), lines in self.rows.items():
            for row in differences(lines):
                yield f"{campaign_id}/{instrument_id}, {row.what}: {_cells(row)}"
        yield from decided_differences(self.ledger.decided)
        if self.ledger.bonuses is not None:
            yield from bonus_differences(self.ledger.bonuses, self.said)

    def document(self) -> dict[str, Any]:
        """The proof for programs."""
        ledger = self.ledger
        return {
            "verified": not self.differences,
            "as_of": ledger.now.isoformat(),
            "differences": self.differences,
            "notes": list(self.notes),
            "limits": ledger.limits,
            "leases": len(ledger.leases),
            "redemptions": ledger.redemptions,
            "standings": [_standing(one) for one in ledger.standings],
            "certificate": _certificate(ledger.certificate) if ledger.certificate else None,
            "receipts": dict(self.receipts.cells),
            "instruments": [
                {
                    "campaign_id": key[0],
                    "instrument_id": key[1],
                    "figures": {row.what: dict(row.cells) for row in lines},
                    "decisions": asdict(ledger.decided[key]) if key in ledger.decided else None,
                }
                for key, lines in self.rows.items()
            ],
            "bonuses": asdict(ledger.bonuses) | {"said": self.said} if ledger.bonuses else None,
        }


def _cells(row: Row) -> str:
    return ", ".join(f"{source} {value}" for source, value in row.cells.items())


def _standing(standing: certificate.Standing) -> dict[str, Any]:
    return {
        "limit_id": standing.limit_id,
        "cap": standing.cap,
        "free": standing.free,
        **msgspec.structs.asdict(standing.now),
        "differences": certificate.differences(standing),
    }


def _certificate(asked: Certificate) -> dict[str, Any]:
    return _standing(asked.standing) | {
        "slots": [certificate.document(slot) for slot in asked.slots],
        "leased_slots": [
            {"lease_id": one.lease.lease_id, "store_id": one.lease.store_id}
            | {"first": one.first, "last": one.last, "amount": one.lease.left}
            for one in asked.leased
        ],
        "free_slots": certificate.free_slots(asked.standing),
    }
