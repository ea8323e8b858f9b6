"""The draft of a campaign and what is asked of a backtest: read, checked, made a running campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field, StringConstraints

from services.evaluator.promotion.period import midnight
from shared.codec import FieldError, InvalidMessageError
from shared.events.checkout import Cart
from shared.events.conditions import PromoCode, walk
from shared.events.promotion import (
    MAX_INSTRUMENTS,
    Campaign,
    EmissionSummary,
    Instrument,
    LimitRule,
)
from shared.events.values import Event, Id, Instant, Text

_FIRST_DAY = date(1970, 1, 1)
_LAST_DAY = date(9998, 12, 31)
_DAY = timedelta(days=1)
_Date = Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]
# Every time zone can express it.
_Bound = Annotated[
    Instant,
    Field(
        ge=datetime.combine(_FIRST_DAY, time(), UTC), le=datetime.combine(_LAST_DAY, time(), UTC)
    ),
]


class Draft(Event):
    """A campaign as its author writes it, with its instruments spelt out.

    These are the fields of ``POST /v1/campaigns``, but for ``instruments``: whole ones in place of
    their ids. Both days are included, in ``time_zone``. ``emissions`` describes those of its codes
    that no campaign has used so far; others need not be described.
    """

    campaign_id: Id
    name: Text
    comment: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    time_zone: Text
    first_day: _Date
    last_day: _Date
    stores: Annotated[tuple[Id, ...], Field(max_length=20_000)] = ()
    customer_groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    segments: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    control_group: Annotated[int, Field(ge=0, le=10_000, description="basis points")] = 0
    limits: Annotated[tuple[LimitRule, ...], Field(max_length=20)] = ()
    instruments: Annotated[tuple[Instrument, ...], Field(min_length=1, max_length=MAX_INSTRUMENTS)]
    emissions: Annotated[tuple[EmissionSummary, ...], Field(max_length=1_000)] = ()


class Trial(Event):
    """A cart to be decided with the draft beside the campaigns that run; it holds nothing.

    ``codes`` of the cart are the ids of emissions: it presents a code of each.
    """

    campaign: Draft
    cart: Cart


class Request(Event):
    """A backtest: the draft, over receipts of ``from`` ≤ t < ``to``.

    Days begin at midnight in the draft's time zone. ``assume_codes``: every receipt presents a code of
    each emission that the draft asks for (an upper bound). ``move``: the campaign begins at ``from``,
    as long as it would have been, whatever its days are; its codes are valid then.
    """

    model_config = ConfigDict(populate_by_name=True)

    campaign: Draft
    start: Annotated[_Bound | _Date, Field(alias="from")]
    end: Annotated[_Bound | _Date, Field(alias="to")]
    assume_codes: bool = False
    move: bool = False


@dataclass(frozen=True)
class KnownEmissions:
    """What an evaluator knows: codes held by emission, and what campaigns say of emissions."""

    held: Mapping[str, int]
    described: Mapping[str, EmissionSummary]


@dataclass(frozen=True)
class Plan:
    """A backtest that can be run: the draft as if it were running, and from when until when."""

    campaign: Campaign
    start: datetime
    end: datetime
    assume_codes: bool


def plan(request: Request, emissions: KnownEmissions, zones: frozenset[str]) -> Plan:
    """What to run. Raises ``InvalidMessageError`` naming the fields at fault."""
    draft = request.campaign
    _check(draft, zones)
    if all(one.trigger == "on_period_end" for one in draft.instruments):
        message = "none gives anything on a receipt: on_period_end is not backtested"
        raise _refusal("campaign.instruments", message)
    zone = ZoneInfo(draft.time_zone)
    start, end = _instant(request.start, zone), _instant(request.end, zone)
    if end <= start:
        raise _refusal("to", "must be after from")
    described = _described(draft, emissions)
    starts_at, ends_at = _period(draft)
    if request.move:
        first = start.astimezone(zone)
        length = draft.last_day + _DAY - draft.first_day
        if length > _LAST_DAY - first.date():
            raise _refusal("from", f"the campaign would run beyond {_LAST_DAY}")
        starts_at, ends_at = start, (first + length).astimezone(start.tzinfo)
        always = {"valid_from": None, "valid_until": None}
        described = [one.model_copy(update=always) for one in described]
    elif not (starts_at < end and start < ends_at):
        message = "the campaign does not run between from and to; move it there to see what it does"
        raise _refusal("campaign.first_day", message)
    return Plan(
        _running(draft, described, starts_at, ends_at),
        start,
        end,
        assume_codes=request.assume_codes,
    )


def as_running(draft: Draft, emissions: KnownEmissions, zones: frozenset[str]) -> Campaign:
    """The draft as if it were started. Raises ``InvalidMessageError`` naming the fields at fault."""
    _check(draft, zones)
    return _running(draft, _described(draft, emissions), *_period(draft))


def _check(draft: Draft, zones: frozenset[str]) -> None:
    if draft.time_zone not in zones:
        raise _refusal("campaign.time_zone", "not a time zone of the IANA database")
    if draft.last_day < draft.first_day:
        raise _refusal("campaign.last_day", "must not be before first_day")
    ids = [one.instrument_id for one in draft.instruments]
    for n, one in enumerate(ids):
        if one in ids[:n]:
            field = f"campaign.instruments.{n}.instrument_id"
            raise _refusal(field, "each instrument is in a campaign once")


def _period(draft: Draft) -> tuple[datetime, datetime]:
    zone = ZoneInfo(draft.time_zone)
    return midnight(draft.first_day, zone), midnight(draft.last_day + _DAY, zone)


def emission_ids(draft: Draft) -> set[str]:
    """The emissions whose codes the draft asks for."""
    return {
        one.emission_id
        for instrument in draft.instruments
        for _, one, _ in walk(instrument.conditions)
        if isinstance(one, PromoCode)
    }


def _running(
    draft: Draft, emissions: Sequence[EmissionSummary], starts_at: datetime, ends_at: datetime
) -> Campaign:
    return Campaign(
        campaign_id=draft.campaign_id,
        version=1,
        name=draft.name,
        status="running",
        priority=draft.priority,
        time_zone=draft.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        stores=draft.stores,
        customer_groups=draft.customer_groups,
        segments=draft.segments,
        control_group=draft.control_group,
        limits=draft.limits,
        instruments=draft.instruments,
        emissions=tuple(emissions),
    )


def _described(draft: Draft, known: KnownEmissions) -> list[EmissionSummary]:
    """What is known of each emission that the draft asks for; what it says itself comes first."""
    own = {one.emission_id: one for one in draft.emissions}
    found: dict[str, EmissionSummary] = {}
    for n, instrument in enumerate(draft.instruments):
        for path, condition, _ in walk(instrument.conditions):
            if not isinstance(condition, PromoCode) or condition.emission_id in found:
                continue
            name = condition.emission_id
            summary = own.get(name) or known.described.get(name) or _guessed(name, known.held)
            if summary is None:
                field = f"campaign.instruments.{n}.{path}.emission_id"
                message = "no code of such an emission is known; describe it in campaign.emissions"
                raise _refusal(field, message)
            found[name] = summary
    return [found[name] for name in sorted(found)]


def _guessed(emission_id: str, held: Mapping[str, int]) -> EmissionSummary | None:
    """One code is a mass code; many are personal ones, each used once."""
    count = held.get(emission_id)
    if not count:
        return None
    return EmissionSummary(
        emission_id=emission_id,
        kind="mass" if count == 1 else "personal",
        single_use=count > 1,
        posted_codes=count,
    )


def _instant(given: datetime | date, zone: ZoneInfo) -> datetime:
    return given if isinstance(given, datetime) else midnight(given, zone)


def _refusal(field: str, message: str) -> InvalidMessageError:
    return InvalidMessageError([FieldError(field, message, "value_error")])
