"""The ruleset: all campaigns compiled, and indexed by what a cart must have to meet them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Self

import msgspec

from services.evaluator.promotion.basket import Basket, Reading, read
from services.evaluator.promotion.blocks import NO_BLOCKS, Blocks
from services.evaluator.promotion.exposure import Exposure, exposure
from services.evaluator.promotion.failure import Failure
from services.evaluator.promotion.history import Purchase
from services.evaluator.promotion.instrument import (
    CompiledCampaign,
    CompiledInstrument,
    compile_campaign,
    compile_terms,
)
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.selection import Key
from shared.events.promotion import Campaign

_ALWAYS: Key = ("always", "")
_NOTHING: Mapping[str, tuple[CompiledInstrument, ...]] = {}
_ORDER = attrgetter("order")
_DIGEST_BYTES = 16
_MODULUS = 1 << 8 * _DIGEST_BYTES

Index = Mapping[str, Mapping[str, tuple[CompiledInstrument, ...]]]
"""Instruments by the two parts of the keys they are met by."""


class _Known(msgspec.Struct, frozen=True, eq=False):
    """A campaign compiled, and the digest of all that it says."""

    instruments: tuple[CompiledInstrument, ...]
    digest: int


@dataclass(frozen=True, slots=True, eq=False)
class Ruleset:
    """Every campaign known at ``version``. Immutable: changes make a new ruleset.

    A campaign is active at an instant if it is running, within its period, and all the codes that
    its emissions had posted are held (``with_codes``); until then its codes would be refused at
    one evaluator and honoured at another.
    """

    version: int
    _known: Mapping[str, _Known] = field(repr=False)
    _sum: int = field(repr=False)
    _index: Index = field(repr=False)
    _held: Mapping[str, int] = field(repr=False)
    blocks: Blocks = field(repr=False)
    _controlled: Mapping[str, CompiledCampaign] = field(repr=False)

    @classmethod
    def empty(cls) -> Self:
        """No campaigns, no codes, version 0."""
        return cls(0, {}, 0, {}, {}, NO_BLOCKS, {})

    @property
    def hash(self) -> str:
        """The same for the same campaigns, in whatever order and versions they came (hex).

        A sum of digests, one for each campaign: a change costs no more than what is changed.
        """
        return self._sum.to_bytes(_DIGEST_BYTES).hex()

    def with_campaigns(self, campaigns: Iterable[Campaign], version: int) -> Self:
        """The ruleset after these campaigns took these states (the last of an id counts).

        Only these are compiled; the rest of the index is kept as it is. Finished campaigns leave
        the index; a paused one stays only where a code leads to it, to be refused with a reason.
        """
        # One copy, and the index's: with so many campaigns a change costs what is copied.
        known, total, controlled = dict(self._known), self._sum, dict(self._controlled)
        changed: dict[str, None] = {}
        # One at a time: a hundred thousand campaigns as models would take a gigabyte.
        for campaign in campaigns:
            campaign_id = campaign.campaign_id
            changed[campaign_id] = None
            if before := known.pop(campaign_id, None):
                total -= before.digest
            controlled.pop(campaign_id, None)
            if campaign.control_group and campaign.status == "running":
                controlled[campaign_id] = compile_terms(campaign)
            if campaign.status != "finished":
                known[campaign_id] = now = _Known(compile_campaign(campaign), _digest(campaign))
                total += now.digest
        return replace(
            self,
            version=version,
            _known=known,
            _sum=total % _MODULUS,
            _index=_changed(self._index, _by_key(self._known, changed), _by_key(known, changed)),
            _controlled=controlled,
        )

    def with_codes(self, held: Mapping[str, int]) -> Self:
        """The ruleset when so many codes are held of each emission (all of them: it replaces).

        The version stays: codes are facts of their own.
        """
        return replace(self, _held=dict(held))

    def with_more_codes(self, held: Mapping[str, int]) -> Self:
        """The ruleset when so many codes are held of these emissions, of others as many as before."""
        return replace(self, _held={**self._held, **held}) if held else self

    def with_blocks(self, blocks: Blocks) -> Self:
        """The ruleset when these are blocked, and nobody else."""
        return replace(self, blocks=blocks)

    def with_draft(self, campaign: Campaign) -> Self:
        """The ruleset as if the campaign ran, with all codes that it needs."""
        held = dict(self._held)
        for emission in campaign.emissions:
            there = held.get(emission.emission_id, 0)
            held[emission.emission_id] = max(there, emission.posted_codes)
        return self.with_campaigns([campaign], self.version).with_codes(held)

    def instrument(self, campaign_id: str, instrument_id: str) -> CompiledInstrument | None:
        """An instrument that looks at carts, by its ids; None if there is none, or its campaign is finished."""
        known = self._known.get(campaign_id)
        found = known.instruments if known else ()
        return next((one for one in found if one.instrument_id == instrument_id), None)

    @property
    def has_control_groups(self) -> bool:
        """Whether any running campaign has one: else nobody is exposed to anything."""
        return bool(self._controlled)

    def exposure(self, basket: Basket) -> Exposure:
        """The running campaigns with a control group that are for the basket's customer."""
        return exposure(self._controlled.values(), read(basket), self._held)

    def absence(self, instrument: CompiledInstrument, reading: Reading) -> Failure | None:
        """Why its campaign does not run then and there."""
        return instrument.campaign.absence(reading, self._held)

    def held(self, candidates: Iterable[CompiledInstrument]) -> dict[str, int]:
        """How many codes are held of the emissions that the candidates' campaigns need."""
        return {
            emission_id: self._held.get(emission_id, 0)
            for candidate in candidates
            for emission_id, _ in candidate.campaign.codes
        }

    def consider(self, basket: Basket) -> "Considered":
        """The instruments that the basket meets in the index, to be decided."""
        reading = read(basket)
        return Considered(self, reading, self.met(reading))

    def met(self, reading: Reading) -> list[CompiledInstrument]:
        """The instruments to be considered, in the order they are tried.

        An instrument of a campaign that is not active, or runs in other stores, is considered only
        if a code led to it: whoever presents a code is owed an answer, others need not know of the
        campaign. From whom promotions are withheld meets none.
        """
        if reading.basket.blocked:
            return []
        at, store_id, held = reading.at, reading.basket.store_id, self._held
        considered = []
        for one in self.indexed(reading):
            campaign = one.campaign
            if (
                one.by_code
                or (
                    campaign.running
                    and campaign.starts_at <= at < campaign.ends_at
                    and (not campaign.stores or store_id in campaign.stores)
                    and (not campaign.codes or campaign.has_codes(held))
                )
                or (one.needs and any(need.emission_id in reading.codes for need in one.needs))
            ):
                considered.append(one)
        considered.sort(key=_ORDER)
        return considered

    def indexed(self, reading: Reading) -> Iterable[CompiledInstrument]:
        """What the index has for any key of the basket, each once."""
        index = self._index
        found = list(index.get(_ALWAYS[0], _NOTHING).get(_ALWAYS[1], ()))
        for dimension, values in reading.found_by():
            there = index.get(dimension)
            if there:
                for value in values:
                    if value in there:
                        found += there[value]
        return dict.fromkeys(found)

    def failures(
        self, candidates: Iterable[CompiledInstrument], reading: Reading
    ) -> list[Failure | None]:
        """For each why the basket does not meet it, limits and amounts aside; None if it does."""
        held = self._held
        return [candidate.failure(reading, held) for candidate in candidates]


class Considered:
    """A basket with the instruments it may meet: what to load and to lock before it is decided."""

    __slots__ = ("_failures", "candidates", "reading", "ruleset")

    def __init__(
        self, ruleset: Ruleset, reading: Reading, candidates: Sequence[CompiledInstrument]
    ) -> None:
        self.ruleset = ruleset
        self.reading = reading
        self.candidates = candidates
        self._failures: Sequence[Failure | None] | None = None

    def held(self) -> dict[str, int]:
        """How many codes are held of the emissions that the candidates' campaigns need."""
        return self.ruleset.held(self.candidates)

    @property
    def since(self) -> datetime | None:
        """From when on the customer's purchases matter; None: they do not."""
        if self.reading.basket.customer_id is None:
            return None
        at = self.reading.basket.occurred_at
        found = [c.since(at) for c in self.candidates if c.looks_back]
        return min([since for since in found if since is not None], default=None)

    def remember(self, purchases: Sequence[Purchase]) -> None:
        """Take the customer's purchases (``history.ordered``) into account, in place of others."""
        self.reading.purchases = purchases
        self._failures = None

    def forget(self) -> None:
        """The customer's purchases are not known: conditions on them refuse."""
        self.reading.knows_purchases = False
        self._failures = None

    @property
    def failures(self) -> Sequence[Failure | None]:
        """For each candidate why it is not met, limits and amounts aside; None if it is."""
        if self._failures is None:
            self._failures = self.ruleset.failures(self.candidates, self.reading)
        return self._failures

    def limits(self) -> tuple[Limit, ...]:
        """Every limit that deciding may ask for, once, by id: lock them, then decide.

        These are the limits of the instruments that are met, may be once more purchases are
        remembered, or are nearly met: nobody is promised what is used up.
        """
        found = {
            limit.limit_id: limit
            for candidate, failed in zip(self.candidates, self.failures, strict=True)
            if (failed is None or failed.near or candidate.looks_back)
            and (candidate.rules or candidate.needs)
            for limit in candidate.limits(self.reading)
        }
        return tuple(found[limit_id] for limit_id in sorted(found))


def _keys(instrument: CompiledInstrument) -> Iterable[Key]:
    """Where the instrument stands in the index; of a paused campaign only codes lead to it."""
    if not instrument.campaign.running:
        return {("code", need.emission_id) for need in instrument.needs}
    return instrument.met_by or (_ALWAYS,)


def _by_key(
    known: Mapping[str, _Known], campaign_ids: Iterable[str]
) -> dict[Key, list[CompiledInstrument]]:
    """The campaigns' instruments by each of the keys that they stand under in the index."""
    found: dict[Key, list[CompiledInstrument]] = {}
    for campaign_id in campaign_ids:
        for instrument in known[campaign_id].instruments if campaign_id in known else ():
            for key in _keys(instrument):
                found.setdefault(key, []).append(instrument)
    return found


def _changed(
    index: Index,
    gone: Mapping[Key, Sequence[CompiledInstrument]],
    come: Mapping[Key, Sequence[CompiledInstrument]],
) -> Index:
    after = dict(index)
    touched: dict[str, dict[str, tuple[CompiledInstrument, ...]]] = {}
    for key in {**gone, **come}:
        dimension, value = key
        if dimension not in touched:
            after[dimension] = touched[dimension] = dict(index.get(dimension, {}))
        there, out = touched[dimension], set(gone.get(key, ()))
        now = (*(one for one in there.get(value, ()) if one not in out), *come.get(key, ()))
        if now:
            there[value] = now
        else:
            del there[value]
    return after


def _digest(campaign: Campaign) -> int:
    """Of all that the campaign says."""
    body = campaign.model_dump_json().encode()
    return int.from_bytes(blake2b(body, digest_size=_DIGEST_BYTES).digest())
