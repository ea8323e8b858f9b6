"""The ruleset: all campaigns compiled, and indexed by what a cart must have to meet them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from services.evaluator.promotion.basket import Basket, Key, Reading, read
from services.evaluator.promotion.conditions import Failure
from services.evaluator.promotion.instrument import CompiledInstrument, compile_campaign
from services.evaluator.promotion.limits import Limit
from shared.events.promotion import Campaign

_ALWAYS: Key = ("always", "")


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """Every campaign known at ``version``. Immutable: changes make a new ruleset.

    A campaign is active at an instant if it is running, within its period, and all the codes that
    its emissions had posted are held (``with_codes``); until then its codes would be refused at
    one evaluator and honoured at another.
    """

    version: int
    _campaigns: Mapping[str, Campaign] = field(repr=False)
    _compiled: Mapping[str, tuple[CompiledInstrument, ...]] = field(repr=False)
    _index: Mapping[Key, tuple[CompiledInstrument, ...]] = field(repr=False)
    _held: Mapping[str, int] = field(repr=False)
    _incomplete: frozenset[str] = field(repr=False)

    @classmethod
    def empty(cls) -> Self:
        """No campaigns, no codes, version 0."""
        return cls(0, {}, {}, {}, {}, frozenset())

    def with_campaigns(self, campaigns: Iterable[Campaign], version: int) -> Self:
        """The ruleset after these campaigns took these states (the last of an id counts).

        Only these are compiled; the rest of the index is kept as it is. Finished campaigns leave
        the index; a paused one stays only where a code leads to it, to be refused with a reason.
        """
        changed = {campaign.campaign_id: campaign for campaign in campaigns}
        compiled = {i: found for i, found in self._compiled.items() if i not in changed}
        added: dict[Key, list[CompiledInstrument]] = {}
        for campaign_id, campaign in changed.items():
            if campaign.status != "finished":
                compiled[campaign_id] = compile_campaign(campaign)
                for instrument in compiled[campaign_id]:
                    for key in _keys(instrument):
                        added.setdefault(key, []).append(instrument)
        index = dict(self._index)
        for key in {k for i in changed for old in self._compiled.get(i, ()) for k in _keys(old)}:
            kept = (c for c in index.get(key, ()) if c.campaign.campaign_id not in changed)
            index[key] = tuple(kept)
            if not index[key]:
                del index[key]
        for key, instruments in added.items():
            index[key] = (*index.get(key, ()), *instruments)
        all_campaigns = {**self._campaigns, **changed}
        return replace(
            self,
            version=version,
            _campaigns=all_campaigns,
            _compiled=compiled,
            _index=index,
            _incomplete=_incomplete(all_campaigns, self._held),
        )

    def with_codes(self, held: Mapping[str, int]) -> Self:
        """The ruleset when so many codes are held of each emission (all of them: it replaces).

        A campaign is inactive while ``held`` of any of its emissions is less than that one's
        ``posted_codes``. The version stays: codes are facts of their own.
        """
        held = dict(held)
        return replace(self, _held=held, _incomplete=_incomplete(self._campaigns, held))

    def candidates(self, basket: Basket) -> Sequence[CompiledInstrument]:
        """The instruments to be considered for the basket, in the order they are tried."""
        return self.met(read(basket))

    def limits(self, basket: Basket) -> tuple[Limit, ...]:
        """Every limit that deciding this basket may ask for, once, by id.

        These are the limits of the instruments whose conditions it meets: lock them, then decide.
        """
        reading = read(basket)
        found = {
            limit.limit_id: limit
            for candidate in self.met(reading)
            if self.failure(candidate, reading) is None
            for limit in candidate.limits(reading)
        }
        return tuple(found[limit_id] for limit_id in sorted(found))

    def met(self, reading: Reading) -> list[CompiledInstrument]:
        """As ``candidates``, for a basket that has been read.

        An instrument of a campaign that is not active, or runs in other stores, is considered only
        if a code led to it: whoever presents a code is owed an answer, others need not know of the
        campaign.
        """
        found: dict[CompiledInstrument, None] = dict.fromkeys(self._index.get(_ALWAYS, ()))
        for key in reading.product_keys():
            found.update(dict.fromkeys(self._index.get(key, ())))
        for emission_id in reading.codes:
            found.update(dict.fromkeys(self._index.get(("code", emission_id), ())))
        considered = (
            c for c in found if c.by_code or (self._active(c, reading) and not c.elsewhere(reading))
        )
        return sorted(considered, key=lambda candidate: candidate.order)

    def failure(self, candidate: CompiledInstrument, reading: Reading) -> Failure | None:
        """Why the basket does not meet a candidate, limits and amounts aside; None if it does."""
        if not self._active(candidate, reading):
            return Failure("campaign_not_active")
        return candidate.failure(reading)

    def _active(self, candidate: CompiledInstrument, reading: Reading) -> bool:
        complete = candidate.campaign.campaign_id not in self._incomplete
        return complete and candidate.running(reading)


def _keys(instrument: CompiledInstrument) -> Iterable[Key]:
    """Where the instrument stands in the index; nowhere if nothing could come of it."""
    if instrument.campaign.status == "paused" and not instrument.by_code:
        return ()
    return instrument.met_by or (_ALWAYS,)


def _incomplete(campaigns: Mapping[str, Campaign], held: Mapping[str, int]) -> frozenset[str]:
    return frozenset(
        campaign_id
        for campaign_id, campaign in campaigns.items()
        for emission in campaign.emissions
        if held.get(emission.emission_id, 0) < emission.posted_codes
    )
