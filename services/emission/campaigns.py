"""Campaigns: their life, their period, and the event that says what runs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints

from shared.codec import FieldError
from shared.events.conditions import CustomerGroup, InStore, PromoCode, walk
from shared.events.promotion import (
    MAX_INSTRUMENTS,
    Campaign,
    EmissionSummary,
    Instrument,
    LimitRule,
)
from shared.events.values import Event, Id, Text

Status = Literal["draft", "running", "paused", "finished"]
Action = Literal["start", "pause", "finish"]
Comment = Annotated[
    str, StringConstraints(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]
# datetime ends with the year 9999, and the day after the last must still be one.
_LAST_DAY = date(9998, 12, 31)
_FIRST_DAY = date(1970, 1, 1)


class CampaignPlan(Event):
    """What an author asks for. Both days are included, in ``time_zone``.

    No stores = everywhere; no groups and no segments = everybody, else one of either.
    ``control_group`` (basis points) of the customers are held back. ``limits`` are over all its
    instruments. The instruments' order is their position.
    """

    campaign_id: Id
    name: Text
    comment: Comment | None = None
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    time_zone: Text
    first_day: Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]
    last_day: Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]
    stores: Annotated[tuple[Id, ...], Field(max_length=20_000)] = ()
    customer_groups: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    segments: Annotated[tuple[Id, ...], Field(max_length=1_000)] = ()
    control_group: Annotated[int, Field(ge=0, le=10_000, description="basis points")] = 0
    limits: Annotated[tuple[LimitRule, ...], Field(max_length=20)] = ()
    instruments: Annotated[tuple[Id, ...], Field(min_length=1, max_length=MAX_INSTRUMENTS)]


@dataclass(frozen=True)
class CampaignState:
    """A campaign as it stands; ``version`` is of what was published last, 0 before the first start."""

    plan: CampaignPlan
    status: Status = "draft"
    version: int = 0


class NotPossibleError(ValueError):
    """An action that the campaign's status does not allow."""


_NEXT: Mapping[tuple[Action, Status], Status] = {
    ("start", "draft"): "running",
    ("start", "paused"): "running",
    ("start", "running"): "running",
    ("pause", "running"): "paused",
    ("pause", "paused"): "paused",
    ("finish", "running"): "finished",
    ("finish", "paused"): "finished",
    ("finish", "finished"): "finished",
}


def act(state: CampaignState, action: Action) -> CampaignState:
    """The campaign after the action; the same again changes nothing. Raises ``NotPossibleError``."""
    status = _NEXT.get((action, state.status))
    if status is None:
        message = f"a {state.status} campaign cannot {action}"
        raise NotPossibleError(message)
    if status == state.status:
        return state
    return replace(state, status=status, version=state.version + 1)


def edit(state: CampaignState, plan: CampaignPlan) -> CampaignState:
    """The campaign with another plan; a new version if it was started. Raises ``NotPossibleError``."""
    if plan == state.plan:
        return state
    if state.status == "finished":
        message = "a finished campaign cannot be edited"
        raise NotPossibleError(message)
    return replace(renewed(state), plan=plan)


def renewed(state: CampaignState) -> CampaignState:
    """The campaign when something that it publishes has changed."""
    return state if state.status == "draft" else replace(state, version=state.version + 1)


def period(plan: CampaignPlan) -> tuple[datetime, datetime]:
    """The plan's days as half-open instants, UTC.

    A day begins when its midnight does; where the clocks skip midnight, at the skip (PEP 495:
    ``fold=0`` gives a skipped time the offset from before, which is that very instant).
    """
    zone = ZoneInfo(plan.time_zone)
    first = datetime.combine(plan.first_day, time(), zone)
    after = datetime.combine(plan.last_day + timedelta(days=1), time(), zone)
    return first.astimezone(UTC), after.astimezone(UTC)


def is_over(plan: CampaignPlan, now: datetime) -> bool:
    """Whether nothing that is bought from ``now`` on is within the plan's days."""
    return period(plan)[1] <= now


def event(
    state: CampaignState, instruments: Sequence[Instrument], emissions: Sequence[EmissionSummary]
) -> Campaign:
    """What is published of a started campaign: everything that an evaluator needs, inlined."""
    if state.status == "draft":
        message = "a draft is not published"
        raise NotPossibleError(message)
    plan = state.plan
    starts_at, ends_at = period(plan)
    return Campaign(
        campaign_id=plan.campaign_id,
        version=state.version,
        name=plan.name,
        status=state.status,
        priority=plan.priority,
        time_zone=plan.time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        stores=plan.stores,
        customer_groups=plan.customer_groups,
        segments=plan.segments,
        control_group=plan.control_group,
        limits=plan.limits,
        instruments=tuple(instruments),
        emissions=tuple(emissions),
    )


def emission_ids(instruments: Sequence[Instrument]) -> list[str]:
    """The emissions whose codes the instruments ask for, each once, sorted."""
    return sorted({one.emission_id for i in instruments for _, one in _codes(i)})


def group_ids(instrument: Instrument) -> set[str]:
    """The customer groups that the instrument's conditions name, however deep."""
    return {
        group
        for _, one, _ in walk(instrument.conditions)
        if isinstance(one, CustomerGroup)
        for group in one.groups
    }


def store_ids(instrument: Instrument) -> set[str]:
    """The stores that the instrument's conditions name, however deep."""
    return {
        store
        for _, one, _ in walk(instrument.conditions)
        if isinstance(one, InStore)
        for store in one.stores
    }


def _codes(instrument: Instrument) -> Iterator[tuple[str, PromoCode]]:
    for path, one, _ in walk(instrument.conditions):
        if isinstance(one, PromoCode):
            yield path, one


@dataclass(frozen=True)
class Known:
    """What exists, of the ids that were asked about."""

    stores: AbstractSet[str] = frozenset()
    groups: AbstractSet[str] = frozenset()
    instruments: AbstractSet[str] = frozenset()
    emissions: AbstractSet[str] = frozenset()
    zones: AbstractSet[str] = frozenset()


@dataclass(frozen=True)
class Places:
    """What a campaign's stores are, or all stores where it names none. Empty: there are no stores."""

    currencies: AbstractSet[str] = frozenset()
    regions: AbstractSet[str] = frozenset()
    have_location: bool = False


def faults_of_plan(plan: CampaignPlan, known: Known) -> list[FieldError]:
    """What is wrong with a plan, by field; nothing = it can be kept."""
    faults = [
        *_unknown("stores", "store", plan.stores, known.stores),
        *_unknown("customer_groups", "group", plan.customer_groups, known.groups),
        *_unknown("instruments", "instrument", plan.instruments, known.instruments),
        *_repeated("stores", plan.stores),
        *_repeated("customer_groups", plan.customer_groups),
        *_repeated("segments", plan.segments),
        *_repeated("instruments", plan.instruments),
        *_repeated_limits(plan.limits),
    ]
    if plan.last_day < plan.first_day:
        faults.append(_fault("last_day", "must not be before first_day"))
    if plan.time_zone not in known.zones:
        faults.append(_fault("time_zone", "not a time zone of the IANA database, as Europe/Kyiv"))
    return faults


def faults_of_instrument(instrument: Instrument, known: Known) -> list[FieldError]:
    """References of the instrument's conditions to what does not exist, by field."""
    faults = []
    for path, condition, _ in walk(instrument.conditions):
        if isinstance(condition, PromoCode) and condition.emission_id not in known.emissions:
            faults.append(_fault(f"{path}.emission_id", "no such emission"))
        if isinstance(condition, CustomerGroup):
            faults.extend(_unknown(f"{path}.groups", "group", condition.groups, known.groups))
        if isinstance(condition, InStore):
            faults.extend(_unknown(f"{path}.stores", "store", condition.stores, known.stores))
    return faults


def faults_of_posting(
    instruments: Sequence[Instrument], posted: AbstractSet[str]
) -> list[FieldError]:
    """Emissions that the instruments use and that are not posted, by field of the campaign."""
    return [
        _fault(f"instruments.{i}.{fault.field}", fault.message)
        for i, instrument in enumerate(instruments)
        for fault in codes_not_posted(instrument, posted)
    ]


def codes_not_posted(instrument: Instrument, posted: AbstractSet[str]) -> Iterator[FieldError]:
    """Emissions that the instrument uses and that are not posted, by its field."""
    for path, condition in _codes(instrument):
        if condition.emission_id not in posted:
            yield _fault(f"{path}.emission_id", "the emission is not posted")


def _unknown(
    field: str, noun: str, ids: Sequence[str], known: AbstractSet[str]
) -> Iterator[FieldError]:
    for position, one in enumerate(ids):
        if one not in known:
            yield _fault(f"{field}.{position}", f"no such {noun}")


def _repeated(field: str, ids: Sequence[str]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, one in enumerate(ids):
        if one in seen:
            yield _fault(f"{field}.{position}", "given twice")
        seen.add(one)


def _repeated_limits(limits: Sequence[LimitRule]) -> Iterator[FieldError]:
    """Limits that count the same: the tighter one is enough."""
    seen: set[tuple[frozenset[str], bool]] = set()
    for position, rule in enumerate(limits):
        kind = (frozenset(rule.per), rule.money is None)
        if kind in seen:
            yield _fault(f"limits.{position}", "there is another limit of the same kind")
        seen.add(kind)


def _fault(field: str, message: str) -> FieldError:
    return FieldError(field, message, "reference")
