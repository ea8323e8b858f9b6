"""The language read slowly, straight from its description: what the engine must agree with.

Every instrument of every campaign is tried, without an index. Conditions, order, stacking, codes and
limits are worked out here; only what a benefit comes to, and windows, are taken from the engine:
they have tests of their own.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zoneinfo import ZoneInfo

from services.evaluator.promotion import Basket, Limit, PresentedCode
from services.evaluator.promotion.basket import read
from services.evaluator.promotion.benefits import Context, Given, compile_benefit
from shared.events import conditions as ask
from shared.events.benefits import Bonuses, Tiers
from shared.events.promotion import Campaign, LimitRule
from tests.unit.evaluator.promotion.reading import Asked, takes, times, truth

Free = Callable[[Limit], int]


def is_met(asked: Asked, held: Mapping[str, int]) -> bool:
    """Whether campaign, customer and conditions are as they must be; limits aside."""
    of, item, benefit = asked.of, asked.campaign, asked.instrument.benefit
    active = item.status == "running" and item.starts_at <= of.occurred_at < item.ends_at
    complete = all(held.get(e.emission_id, 0) >= e.posted_codes for e in item.emissions)
    here = not item.stores or of.store_id in item.stores
    circle = {*item.customer_groups} & of.customer_groups or {*item.segments} & of.segments
    invited = not (item.customer_groups or item.segments) or bool(circle)
    if not (active and complete and here and invited) or _is_held_back(asked):
        return False
    if isinstance(benefit, Tiers) and _tier(benefit, asked) is None:
        return False
    if isinstance(benefit, Bonuses) and of.customer_id is None:
        return False
    return all(truth(condition, asked) is True for condition in asked.instrument.conditions)


def _tier(benefit: Tiers, asked: Asked) -> int | None:
    chosen = [item for item in asked.counted if takes(benefit.products, item)]
    there = sum(item.amount if benefit.by == "sum" else item.quantity for item in chosen)
    found = None
    for n, tier in enumerate(sorted(benefit.tiers, key=lambda tier: tier.at_least)):
        if tier.at_least <= there:
            found = n if tier.below is None or there < tier.below else None
    return found


def _is_held_back(asked: Asked) -> bool:
    name = f"{asked.campaign.campaign_id}/{asked.of.customer_id}".encode()
    number = int.from_bytes(blake2b(name, digest_size=8).digest(), "big")
    return asked.of.customer_id is not None and number % 10_000 < asked.campaign.control_group


def ways(conditions: Sequence[ask.Condition], asked: Asked) -> Iterator[list[ask.PromoCode]]:
    """The code conditions that are used, for each way to meet all of the conditions."""
    if not conditions:
        yield []
        return
    first, rest = conditions[0], conditions[1:]
    for one in _ways_of(first, asked):
        for other in ways(rest, asked):
            yield one + other


def _ways_of(condition: ask.Condition, asked: Asked) -> Iterator[list[ask.PromoCode]]:
    match condition:
        case ask.All():
            yield from ways(condition.conditions, asked)
        case ask.AnyOf():
            for child in condition.conditions:
                yield from _ways_of(child, asked)
        case _ if truth(condition, asked) is True:
            yield [condition] if isinstance(condition, ask.PromoCode) else []


class Slots:
    """What is left of limits, and what one instrument takes of them."""

    def __init__(self, free: Free) -> None:
        self.free, self.taken = free, Counter[str]()

    def find(self, asked: Asked, discount: int) -> "tuple[Counter[str], list[int]] | None":
        """(claims by limit, positions of the codes used), or None if there is no room."""
        for way in ways(asked.instrument.conditions, asked):
            found = self._try(asked, way, discount)
            if found is not None:
                return found
        return None

    def _try(
        self, asked: Asked, way: list[ask.PromoCode], discount: int
    ) -> tuple[Counter[str], list[int]] | None:
        claims, used = Counter[str](), list[int]()
        for condition in way:
            if condition.cap:
                cap = Limit(
                    "/".join((*asked.ids, condition.condition_id)) + at(asked), condition.cap
                )
                if not self._claim(claims, [(cap, 1)]):
                    return None
            for code in _candidates(condition, asked):
                wanted = [] if used else _rules(asked, discount, code)
                if wanted is None:
                    return None
                if _is_single_use(condition, asked):
                    wanted = [*wanted, (Limit(f"code:{code.digest.hex()}", 1), 1)]
                if self._claim(claims, wanted):
                    used.append(code.position)
                    break
            else:
                return None
        wanted = _rules(asked, discount, None)
        if wanted is None or not self._claim(claims, wanted):
            return None
        return claims, used

    def _claim(self, claims: Counter[str], wanted: list[tuple[Limit, int]]) -> bool:
        for limit, much in wanted:
            gone = self.taken[limit.limit_id] + claims[limit.limit_id]
            if self.free(limit) - gone < much:
                return False
        claims.update({limit.limit_id: much for limit, much in wanted})
        return True


def at(asked: Asked) -> str:
    """How a limit's id ends."""
    return f"@{asked.window.name}" if asked.window.name else ""


def _candidates(condition: ask.PromoCode, asked: Asked) -> list[PresentedCode]:
    found = [code for code in asked.of.codes if code.emission_id == condition.emission_id]
    found = [c for c in found if not condition.own or c.holder == asked.of.customer_id]
    found = [c for c in found if c.valid_until is None or asked.of.occurred_at < c.valid_until]
    return sorted(found, key=lambda code: (code.digest, code.position))


def _is_single_use(condition: ask.PromoCode, asked: Asked) -> bool:
    return any(
        one.single_use
        for one in asked.campaign.emissions
        if one.emission_id == condition.emission_id
    )


def _rules(
    asked: Asked, discount: int, code: PresentedCode | None
) -> list[tuple[Limit, int]] | None:
    """What limits take: those per code with a code, else the others; None without a customer."""
    prefix, wanted = "/".join(asked.ids), []
    own = [(prefix, at(asked), rule) for rule in asked.instrument.limits]
    if asked.instrument.max_redemptions:
        whole = LimitRule(redemptions=asked.instrument.max_redemptions)
        own.append((prefix, at(asked), whole))
    own += [(asked.campaign.campaign_id, "", rule) for rule in asked.campaign.limits]
    for start, end, rule in own:
        if ("code" in rule.per) != (code is not None):
            continue
        if "customer" in rule.per and asked.of.customer_id is None:
            return None
        day = asked.of.occurred_at.astimezone(ZoneInfo(asked.campaign.time_zone)).date()
        whose = {
            "customer": asked.of.customer_id,
            "code": code.digest.hex() if code else "",
            "store": asked.of.store_id,
            "day": day.isoformat(),
        }
        named = [one for one in whose if one in rule.per]
        words = [*named, "money"] if rule.money else named
        limit_id = f"{start}/~{'.'.join(words)}" if words or start != prefix else start
        if named:
            limit_id += "=" + ",".join(f"{whose[one]}" for one in named)
        much = discount if rule.money else 1
        if much:
            cap = rule.money or rule.redemptions or 0
            wanted.append((Limit(limit_id + end, cap, rule.money is not None), much))
    return wanted


@dataclass(frozen=True)
class Slowly:
    """What is granted, as ``Granted`` says it; ``claims`` by limit."""

    ids: tuple[str, str]
    given: Given
    times: int
    codes: tuple[int, ...]
    claims: Mapping[str, int]


def grants(
    of: Basket, campaigns: Sequence[Campaign], held: Mapping[str, int], free: Free
) -> list[Slowly]:
    """What a basket is granted, in the order it is tried."""
    tried = [
        (-item.priority, -one.priority, place, item.campaign_id, one.instrument_id, item, one)
        for item in campaigns
        for place, one in enumerate(item.instruments)
    ]
    every = [Asked(of, item, one) for *_, item, one in sorted(tried, key=lambda x: x[:5])]
    met = [asked for asked in every if is_met(asked, held)]
    while True:
        found = _one_by_one(of, met, Slots(free))
        if isinstance(found, list):
            return found
        met = [asked for asked in met if asked.ids != found]


def _one_by_one(  # noqa: C901 - it is read from top to bottom
    of: Basket, met: Sequence[Asked], slots: Slots
) -> list[Slowly] | tuple[str, str]:
    """What is granted, or the ids of one whose points come to nothing in the end."""
    reading = read(of)
    remaining = [item.amount for item in reading.lines]
    granted: list[tuple[Asked, Slowly]] = []

    def given_by(asked: Asked) -> Given:
        every = asked.instrument.include_discounted
        eligible = reading.promotable if every else reading.full_price
        context = Context(reading, eligible, remaining, times(asked))
        return compile_benefit(asked.instrument.benefit).give(context)

    def offer(asked: Asked) -> Slowly | None:
        if any(one.instrument.stacking == "exclusive" for one, _ in granted):
            return None
        if asked.instrument.stacking == "exclusive" and granted:
            return None
        given = given_by(asked)
        slot = slots.find(asked, given.discount)
        if not given or slot is None or (given.points and of.customer_id is None):
            return None
        return Slowly(asked.ids, given, times(asked), tuple(slot[1]), slot[0])

    for asked in met:
        group = asked.instrument.best_of
        rivals = [one for one in met if one.instrument.best_of == group] if group else [asked]
        if rivals[0] is not asked:
            continue
        offers = [(one, made) for one in rivals if (made := offer(one))]
        if not offers:
            continue
        best = min(offers, key=lambda o: (-o[1].given.discount, -o[1].given.points, o[1].ids))
        granted.append(best)
        slots.taken.update(best[1].claims)
        for position, share in best[1].given.shares:
            remaining[position] -= share
    found = []
    for asked, one in granted:
        given = given_by(asked) if one.given.points else one.given
        if not given:
            return one.ids
        found.append(Slowly(one.ids, given, one.times, one.codes, one.claims))
    return found
