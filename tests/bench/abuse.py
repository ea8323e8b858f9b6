"""Abuse, injected into the honest facts of ``tests.bench.honest`` and labelled: nine patterns, each by a dozen actors.

How bold an actor is, is drawn: the mildest of each pattern do about what the unluckiest of the honest do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from services.customers.messages import CodeAttempt, Receipt, Redemption
from tests.bench.honest import DAY_S, Basket, Shop, cashiers_of
from tests.bench.shop_facts import Place, decision, receipt, returned, when

ACTORS = 12
_HOUR = 3_600
# The evaluator's own policy (services/evaluator/guessing.py): so many in an hour lock a customer out.
_LOCKS_OUT = 15
_ENOUGH = 20


@dataclass
class Actor:
    """One who abuses: the pattern, and the subjects that are guilty of it."""

    pattern: str
    subjects: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Stage:
    """Where abuse is played: the facts so far, and what is drawn."""

    shop: Shop
    random: Random
    taken: set[tuple[int, str]] = field(default_factory=set)
    _by_cashier: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def start(self, days: int) -> int:
        """When an actor begins who goes on for so many days; by day, in the second week at the earliest."""
        first, last = self.shop.baskets[0].at, self.shop.baskets[-1].at
        at = self.random.randrange(first + 14 * DAY_S, last - (days + 2) * DAY_S)
        return at // DAY_S * DAY_S + self.random.randrange(13 * _HOUR, 22 * _HOUR)

    def basket(self) -> Basket:
        """Any real basket, for what is in it."""
        return self.random.choice(self.shop.baskets)

    def busy_store(self) -> int:
        """A store that sells much."""
        return self.random.choice(self.shop.habits.busiest[:40])

    def sold(self, store: int, cashier: str, start: int, end: int) -> list[tuple[int, Receipt]]:
        """The receipts of a cashier from ``start`` to ``end``, with their places among the facts."""
        if not self._by_cashier:
            for index, (_, _, fact) in enumerate(self.shop.facts):
                if isinstance(fact, Receipt) and fact.cashier_id is not None:
                    key = (fact.store_id, fact.cashier_id)
                    self._by_cashier.setdefault(key, []).append(index)
        found = []
        for index in self._by_cashier.get((f"s{store}", cashier), ()):
            fact = self.shop.facts[index][2]
            if isinstance(fact, Receipt) and start <= seconds(fact) < end:
                found.append((index, fact))
        return found

    def till(self, store: int, at: int) -> Place:
        """A till of the store."""
        return Place(store, self.shop.cashier(store, at))


def code_guessing(stage: Stage, number: int) -> Actor:
    """Unknown codes tried one after another: by a customer, from an address, or by a cashier at the till."""
    draw, thrown_away = stage.random, set[tuple[str, str]]()
    way = ("customer", "address", "cashier")[number % 3]
    at, store = stage.start(3), stage.busy_store()
    place = Place(store, None, f"guess-{number}", f"guess-a-{number}")
    who: str | None = f"guesser-{number}"
    if way == "cashier":
        place, who = stage.till(store, at), None
    for session in range(draw.randrange(1, 4)):
        start, tried, cart = at + session * DAY_S, 0, 0
        size = draw.randrange(6, 40)
        while tried < size:
            codes = min(draw.randrange(1, 11), size - tried)
            moment = start + cart * draw.randrange(60, 300)
            if way == "address":  # cookies and cards are thrown away
                place, who = place._replace(device=f"guess-{number}-{session}-{cart}"), None
                thrown_away.add(("device", str(place.device)))
                codes = max(codes, 3)
            name = f"guess-{stage.shop.seed}-{number}-{session}-{cart}"
            if way == "customer" and tried >= _LOCKS_OUT:
                attempt = CodeAttempt(name, "customer", str(who), f"s{store}", codes, when(moment))
                stage.shop.say(attempt, moment)
            else:
                stage.shop.say(decision(name, moment, place, who, unknown=codes), moment)
            tried, cart = tried + codes, cart + 1
    subjects: Mapping[str, set[tuple[str, str]]] = {
        "customer": {
            ("customer", f"guesser-{number}"),
            ("device", f"guess-{number}"),
            ("address", f"guess-a-{number}"),
        },
        "address": {("address", f"guess-a-{number}"), *thrown_away},
        "cashier": {("cashier", f"s{store}:{place.cashier}")},
    }
    return Actor("code_guessing", subjects[way])


def buy_use_return(stage: Stage, number: int) -> Actor:
    """Goods bought with benefits and brought back within days, again and again."""
    draw = stage.random
    who = f"returner-{number}"
    at, store = stage.start(45), stage.busy_store()
    share, codes = draw.uniform(0.6, 1.0), int(draw.random() < 0.67)
    for n in range(draw.randrange(5, 14)):
        moment = at + int(n * draw.uniform(1.0, 3.0) * DAY_S)
        place = stage.till(store, moment)
        name = f"bur-{stage.shop.seed}-{number}-{n}"
        said = receipt(name, moment, place, who, stage.basket().total, codes, benefit=True)
        stage.shop.say(said, moment)
        if draw.random() < share:
            back = moment + draw.randrange(DAY_S // 2, 6 * DAY_S)
            stage.shop.say(
                returned(said, back, store, stage.shop.cashier(store, back, desk=True)), back
            )
    return Actor("buy_use_return", {("customer", who)})


def device_farm(stage: Stage, number: int) -> Actor:
    """One device, many new accounts, each with the code for newcomers."""
    draw, device = stage.random, f"farm-{number}"
    at, days = stage.start(7), stage.random.randrange(1, 7)
    for n in range(draw.randrange(3, 26)):
        moment = at + draw.randrange(days * DAY_S)
        place = Place(
            stage.busy_store(), None, device, f"farm-a-{number}-{moment // DAY_S}-{n % 3}"
        )
        basket = stage.basket()
        for again in range(draw.randrange(1, 3)):
            name = f"farm-{stage.shop.seed}-{number}-{n}-{again}"
            said = receipt(name, moment + again, place, f"farm-{number}-{n}", basket.total, 1)
            stage.shop.say(said, moment + again)
    return Actor("device_farm", {("device", device)})


def foreign_code(stage: Stage, number: int) -> Actor:
    """Personal codes of others, found or bought, presented as one's own; every other time they are used."""
    draw = stage.random
    who, days = f"borrower-{number}", stage.random.randrange(5, 15)
    at, count = stage.start(15), stage.random.randrange(4, 16)
    web = draw.random() < 0.5
    subjects = {("customer", who)}
    for n in range(count):
        moment = at + draw.randrange(days * DAY_S)
        place = stage.till(stage.busy_store(), moment)
        if web:
            place = Place(
                place.store, None, f"borrow-{number}", f"borrow-a-{number}-{moment // DAY_S}"
            )
            subjects |= {("device", f"borrow-{number}"), ("address", str(place.address))}
        name = f"foreign-{stage.shop.seed}-{number}-{n}"
        used = draw.random() < 0.5
        stage.shop.say(decision(name, moment, place, who, foreign=1, used=used), moment)
        stage.shop.say(
            receipt(name, moment + 60, place, who, stage.basket().total, int(used)), moment + 60
        )
    return Actor("foreign_code", subjects)


def unauthorised(stage: Stage, number: int) -> Actor:
    """A cashier who gives benefits to friends without right: on a share of their receipts, for weeks."""
    draw, share = stage.random, stage.random.uniform(0.12, 0.7)
    store, cashier, start, end = _employed(stage)
    for index, said in stage.sold(store, cashier, start, end):
        if draw.random() < share:
            wrong = Redemption("campaign", "w", "unauthorised", max(said.paid // 10, 1), 0)
            stage.shop.put(index, replace(said, redemptions=(*said.redemptions, wrong)))
    return Actor("unauthorised", {("cashier", f"s{store}:{cashier}")})


def velocity(stage: Stage, number: int) -> Actor:
    """Codes used faster than anybody shops: on one card in a day, or from one address in half an hour."""
    draw, at = stage.random, stage.start(3)
    if number % 2:
        who, count = f"hasty-{number}", draw.randrange(6, 21)
        for n in range(count):
            moment = at + draw.randrange(8 * _HOUR)
            place = stage.till(stage.busy_store(), moment)
            _use(stage, f"hasty-{number}-{n}", moment, place, who)
        return Actor("velocity", {("customer", who)})
    address, within = f"bot-a-{number}", draw.randrange(600, 1_800)
    for n in range(draw.randrange(10, 41)):
        moment = at + draw.randrange(within)
        place = Place(stage.busy_store(), None, f"bot-{number}-{n}", address)
        _use(stage, f"bot-{number}-{n}", moment, place, f"bot-{number}-{n}")
    return Actor("velocity", {("address", address)})


def quick_returns(stage: Stage, number: int) -> Actor:
    """A cashier who brings back what was just sold, when the buyer has gone, and keeps the money."""
    draw, share = stage.random, stage.random.uniform(0.12, 0.5)
    store, cashier, start, end = _employed(stage)
    for _, said in stage.sold(store, cashier, start, end):
        if draw.random() < share:
            back = seconds(said) + draw.randrange(120, 2_400)
            complete = draw.random() < 0.6
            stage.shop.say(returned(said, back, store, cashier, complete=complete), back)
    return Actor("quick_returns", {("cashier", f"s{store}:{cashier}")})


def store_collusion(stage: Stage, number: int) -> Actor:
    """A store whose staff ring up receipts with codes that nobody presented, for weeks."""
    draw, store = stage.random, stage.busy_store()
    start, days = stage.start(28), stage.random.randrange(10, 29)
    rate = draw.uniform(5, 15)
    for n in range(int(rate * days)):
        moment = (
            start // DAY_S * DAY_S + draw.randrange(days) * DAY_S + draw.randrange(13, 24) * _HOUR
        )
        _use(stage, f"collusion-{number}-{n}", moment, stage.till(store, moment), None)
    staff = range(cashiers_of(stage.shop.volumes[store]))
    return Actor(
        "store_collusion", {("store", f"s{store}"), *(("cashier", f"s{store}:c{n}") for n in staff)}
    )


def borrowed_card(stage: Stage, number: int) -> Actor:
    """A cashier whose own card is shown for buyers who have none, on a share of the receipts of some days."""
    draw, store = stage.random, stage.busy_store()
    start, share, card = stage.start(25), stage.random.uniform(0.15, 0.8), f"card-{number}"
    cashier = f"c{draw.randrange(cashiers_of(stage.shop.volumes[store]))}"
    for day in range(draw.randrange(4, 15)):
        for n in range(draw.randrange(10, 31)):
            moment = start + day * DAY_S + draw.randrange(6 * _HOUR)
            who = card if draw.random() < share else None
            name = f"borrowed-{stage.shop.seed}-{number}-{day}-{n}"
            total = stage.basket().total
            said = receipt(name, moment, Place(store, cashier), who, total, 0, benefit=True)
            stage.shop.say(said, moment)
    return Actor("borrowed_card", {("cashier", f"s{store}:{cashier}"), ("customer", card)})


PATTERNS: Mapping[str, Callable[[Stage, int], Actor]] = {
    pattern.__name__: pattern
    for pattern in (
        code_guessing,
        buy_use_return,
        device_farm,
        foreign_code,
        unauthorised,
        velocity,
        quick_returns,
        store_collusion,
        borrowed_card,
    )
}


def play(shop: Shop) -> list[Actor]:
    """Add the abuse of all patterns to the shop's facts; who did it."""
    stage = Stage(shop, Random(shop.seed + 2_000_003))  # noqa: S311 - the same for the same seed
    return [pattern(stage, number) for pattern in PATTERNS.values() for number in range(ACTORS)]


def seconds(said: Receipt) -> int:
    """When a receipt was paid, in seconds since 1970."""
    return int(said.occurred_at.timestamp())


def _use(stage: Stage, name: str, at: int, place: Place, who: str | None) -> None:
    said = receipt(f"{name}-{stage.shop.seed}", at, place, who, stage.basket().total, 1)
    stage.shop.say(said, at)


def _employed(stage: Stage) -> tuple[int, str, int, int]:
    """A cashier of a busy store who has sold enough, and weeks in which to abuse that."""
    while True:
        store = stage.busy_store()
        cashier = f"c{stage.random.randrange(cashiers_of(stage.shop.volumes[store]))}"
        start = stage.start(28)
        end = start + stage.random.randrange(14, 29) * DAY_S
        if (store, cashier) not in stage.taken and len(
            stage.sold(store, cashier, start, end)
        ) >= _ENOUGH:
            stage.taken.add((store, cashier))
            return store, cashier, start, end
