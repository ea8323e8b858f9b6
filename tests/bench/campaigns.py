"""Campaigns and carts for benches of the promotion engine: the whole language, in realistic shares.

A bench of N campaigns is a chain with N times the goods, codes, stores and customers: what an
instrument asks for is drawn from as many values as it takes for every cart to meet about twenty
instruments through the index, however many campaigns there are. Instruments follow forty recipes in
turn, so that each recipe has 2.5% of them; ``shares`` counts the kinds. Everything is drawn by a
seeded generator: the same number of campaigns is always the same ruleset and the same carts.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec

Json = dict[str, Any]
_EVERYTHING: Json = {}

MET = 20
"""How many instruments a cart meets, about."""
LINES = 20
CLUSTER = 4  # goods that are bought together: neighbours, of two groups, one brand, one origin
NOW = datetime(2026, 3, 18, 10, tzinfo=UTC)
STARTS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
POINTS = ((50_450_000, 30_520_000), (49_840_000, 24_030_000), (48_460_000, 35_040_000))
"""Latitude and longitude (microdegrees) of the places that conditions and stores are near."""


@dataclass(frozen=True)
class World:
    """How many different values there are of each kind, for so many instruments.

    A cart has twenty skus, ten groups, five brands, five origins, one code, one store, one customer
    group and two segments; an instrument asks for one of them (for two stores): it is met by
    ``MET`` ÷ ``instruments`` of the carts.
    """

    instruments: int

    def values(self, per_cart: int) -> int:
        """How many values a kind has of which a cart has so many."""
        return max(per_cart, self.instruments * per_cart // MET)

    @property
    def skus(self) -> int:
        """Products."""
        return -(-self.values(LINES) // CLUSTER) * CLUSTER


def group(sku: int) -> str:
    """The group of a product."""
    return f"group-{sku // 2}"


def brand(sku: int) -> str:
    """The brand of a product."""
    return f"brand-{sku // CLUSTER}"


def origin(sku: int) -> str:
    """The attribute ``origin`` of a product."""
    return f"origin-{sku // CLUSTER}"


def region(store: int) -> str:
    """The region of a store."""
    return f"region-{store // 2}"


class Draw:
    """Draws what an instrument asks for."""

    def __init__(self, world: World, random: Random) -> None:
        self.world = world
        self._random = random

    def below(self, number: int) -> int:
        """A number from 0, below ``number``."""
        return int(self._random.random() * number)

    def sku(self) -> Json:
        """One product."""
        return {"skus": [f"sku-{self.below(self.world.skus)}"]}

    def pair(self) -> Json:
        """Two products that are bought together."""
        first = self.below(self.world.skus // 2) * 2
        return {"skus": [f"sku-{first}", f"sku-{first + 1}"]}

    def group(self) -> Json:
        """A group."""
        return {"groups": [group(self.below(self.world.skus))]}

    def group_but(self) -> Json:
        """A group but for one of its products."""
        sku = self.below(self.world.skus)
        return {"groups": [group(sku)], "exclude": {"skus": [f"sku-{sku}"]}}

    def brand(self) -> Json:
        """A brand."""
        return {"brands": [brand(self.below(self.world.skus))]}

    def origin(self) -> Json:
        """Products of one origin: an attribute."""
        values = [origin(self.below(self.world.skus))]
        return {"attributes": [{"name": "origin", "values": values}]}

    def stores(self) -> Json:
        """Two stores of one region."""
        first = self.below(self.world.values(1)) * 2
        return {"kind": "store", "stores": [f"store-{first}", f"store-{first + 1}"]}

    def region(self) -> Json:
        """A region: two stores."""
        return {"kind": "region", "regions": [region(self.below(self.world.values(1)) * 2)]}

    def emission(self) -> Json:
        """An emission."""
        return {"emission_id": f"emission-{self.below(self.world.values(1))}"}

    def customers(self) -> Json:
        """A customer group."""
        name = f"customers-{self.below(self.world.values(1))}"
        return {"kind": "customer_group", "groups": [name]}

    def segment(self) -> Json:
        """A segment."""
        name = f"segment-{self.below(self.world.values(2))}"
        return {"kind": "customer_segment", "segments": [name]}

    def between(self, low: int, high: int, step: int) -> int:
        """One of ``low``, ``low`` + ``step``, … below ``high``."""
        return low + self.below((high - low) // step) * step


def _at_least(kind: str, value: int, **more: Any) -> Json:
    return {"kind": kind, "compare": {"value": value}, **more}


def _total(draw: Draw) -> Json:
    return _at_least("receipt_total", draw.between(12_000, 48_000, 500))


def _quantity(products: Json, value: int) -> Json:
    return _at_least("product_quantity", value, products=products)


def _sum(products: Json, value: int) -> Json:
    return _at_least("product_sum", value, products=products)


def _present(products: Json) -> Json:
    return {"kind": "product_presence", "products": products}


def _code(emission: Json, **more: Any) -> Json:
    return {"kind": "promo_code", **emission, **more}


def _mix(*parts: tuple[Json, int]) -> Json:
    found = [{"products": products, "quantity": quantity} for products, quantity in parts]
    return {"kind": "product_mix", "parts": found}


def _channel(*channels: str) -> Json:
    return {"kind": "channel", "channels": channels}


def _hours(starts: str, ends: str) -> Json:
    return {"kind": "time_of_day", "starts": starts, "ends": ends}


def _days(*days: str) -> Json:
    return {"kind": "weekday", "days": days}


def _near(draw: Draw) -> Json:
    latitude, longitude = POINTS[draw.below(len(POINTS))]
    place = {"latitude_e6": latitude, "longitude_e6": longitude}
    return {"kind": "near", "radius_m": draw.between(1_000, 12_000, 1_000), **place}


def _percent(draw: Draw, products: Json = _EVERYTHING, **more: Any) -> Json:
    percent = draw.between(300, 2_500, 100)
    return {"kind": "percent_off", "percent": percent, "products": products, **more}


def _amount(draw: Draw, products: Json = _EVERYTHING, **more: Any) -> Json:
    amount = draw.between(50, 800, 50)
    return {"kind": "amount_off", "amount": amount, "products": products, **more}


def _cheapest(kind: str, products: Json, **more: int) -> Json:
    return {"kind": kind, "products": products, **more}


def _bonuses(draw: Draw) -> Json:
    return {"kind": "bonuses", "percent": draw.between(100, 600, 100), "max_points": 5_000}


def _tiers(products: Json, starts: Sequence[int], percents: Sequence[int]) -> Json:
    tiers = [
        {"at_least": least, "benefit": {"kind": "percent_off", "percent": percent}}
        for least, percent in zip(starts, percents, strict=True)
    ]
    return {"kind": "tiers", "products": products, "tiers": tiers}


def _gift(*skus: str, choose: int | None = None) -> Json:
    chosen = {} if choose is None else {"choose": choose}
    return {"kind": "gift_goods", "gifts": [{"sku": sku} for sku in skus], **chosen}


def _instrument(conditions: Sequence[Json], benefit: Json, **more: Any) -> Json:
    return {"conditions": conditions, "benefit": benefit, **more}


_BORN: Json = {"kind": "birthday", "days_before": 3, "days_after": 3}
_NOT_ON_THE_WEB: Json = {"kind": "not", "condition": _channel("web")}
_HANDY: Json = {"kind": "device", "devices": ["mobile", "app"]}
_EUROS: Json = {"kind": "currency", "currencies": ["EUR"]}
_BEST_BRAND: Json = {"stacking": "best_of", "best_of": "brand"}
_MONTHLY = {"processing_period": {"kind": "calendar", "unit": "month"}}
_ROLLING = {"processing_period": {"kind": "rolling", "days": 30}}
_PER_CUSTOMER = {"limits": [{"per": ["customer"], "redemptions": 3}]}
_IN_ALL = {"max_redemptions": 10_000}
_REPEAT: Json = {"repeat": {"max_times": 3}}
_KNOWN: Json = {"kind": "customer_known"}
_FIRST: Json = {"kind": "first_purchase"}
_BY_CARD: Json = {"kind": "payment_method", "methods": ["card"]}
_MORNING, _EVENING = _hours("08:00", "11:00"), _hours("18:00", "22:00")
_WEEKEND, _EARLY_IN_THE_WEEK = _days("sat", "sun"), _days("mon", "tue", "wed")


def _either(draw: Draw) -> Json:
    return {"kind": "any", "conditions": [_total(draw), _at_least("line_count", 25)]}


def _both(draw: Draw) -> Json:
    return {"kind": "all", "conditions": [_at_least("receipt_quantity", 30_000), _total(draw)]}


_RECIPES: tuple[tuple[Callable[[Draw], Json], Callable[[Draw, Json], Json]], ...] = (
    # What is bought leads to half of the instruments …
    (Draw.sku, lambda d, x: _instrument([_quantity(x, 3_000)], _percent(d, x))),
    (Draw.sku, lambda d, x: _instrument([_quantity(x, 3_000), _total(d)], _amount(d, x))),
    (Draw.sku, lambda d, x: _instrument([_sum(x, 1_500)], _percent(d, x, max_units=2_000))),
    (Draw.sku, lambda d, x: _instrument([_present(x), _total(d)], _gift("bag"))),
    (
        Draw.sku,
        lambda d, x: _instrument([_quantity(x, 2_000)], _amount(d, x, per_unit=True), **_REPEAT),
    ),
    (
        Draw.sku,
        lambda _, x: _instrument(
            [_quantity(x, 4_000)], _cheapest("buy_get", x, buy=3_000, get=1_000)
        ),
    ),
    (Draw.pair, lambda d, x: _instrument([_quantity(x, 5_000), _WEEKEND], _percent(d, x))),
    (Draw.sku, lambda d, x: _instrument([_mix((x, 1_000), (d.group(), 1_000))], _amount(d))),
    (
        Draw.group,
        lambda _, x: _instrument([_quantity(x, 4_000)], _cheapest("cheapest_free", x, of=4_000)),
    ),
    (Draw.group, lambda d, x: _instrument([_sum(x, 2_500), _MORNING], _percent(d, x))),
    (Draw.group, lambda d, x: _instrument([_sum(x, 3_000), _channel("web", "app")], _percent(d))),
    (Draw.group_but, lambda d, x: _instrument([_present(x), _total(d)], _amount(d))),
    (Draw.group, lambda d, x: _instrument([_quantity(x, 3_000), _KNOWN], _bonuses(d))),
    (Draw.brand, lambda d, x: _instrument([_sum(x, 5_000)], _percent(d, x), **_BEST_BRAND)),
    (Draw.brand, lambda d, x: _instrument([_sum(x, 4_000), _BY_CARD], _percent(d, x))),
    (
        Draw.brand,
        lambda _, x: _instrument([_quantity(x, 8_000)], _cheapest("fixed_price", x, price=299)),
    ),
    (
        Draw.brand,
        lambda _, x: _instrument([_present(x)], _tiers(x, [4_000, 8_000], [300, 600])),
    ),
    (Draw.origin, lambda d, x: _instrument([_sum(x, 4_000)], _percent(d, x, max_discount=500))),
    (Draw.origin, lambda d, x: _instrument([_quantity(x, 9_000), _total(d)], _amount(d, x))),
    (
        Draw.sku,
        lambda d, x: _instrument(
            [_at_least("product_purchases", 3_000, products=x), _present(x)],
            _percent(d, x),
            **_ROLLING,
        ),
    ),
    # … a code, the customer or the place to the other half.
    (Draw.emission, lambda d, x: _instrument([_code(x, cap=1_000), _total(d)], _percent(d))),
    (Draw.emission, lambda d, x: _instrument([_code(x), _sum(d.group(), 1_000)], _percent(d))),
    (Draw.emission, lambda d, x: _instrument([_code(x, cap=500), _either(d)], _amount(d))),
    (
        Draw.emission,
        lambda d, x: _instrument([_code(x), _KNOWN, _total(d)], _percent(d), **_PER_CUSTOMER),
    ),
    (Draw.emission, lambda d, x: _instrument([_code(x), _HANDY], _percent(d), **_IN_ALL)),
    (Draw.emission, lambda d, x: _instrument([_code(x, own=True), _total(d)], _amount(d))),
    (Draw.customers, lambda d, x: _instrument([x, _total(d)], _percent(d))),
    (Draw.customers, lambda d, x: _instrument([x, _BORN], _percent(d, max_discount=1_000))),
    (
        Draw.customers,
        lambda d, x: _instrument([x, _at_least("purchase_count", 4)], _bonuses(d), **_ROLLING),
    ),
    (
        Draw.customers,
        lambda d, x: _instrument([x, _at_least("days_since_purchase", 20)], _amount(d)),
    ),
    (Draw.segment, lambda d, x: _instrument([x, _both(d)], _percent(d))),
    (
        Draw.segment,
        lambda d, x: _instrument([x, _at_least("purchase_sum", 40_000)], _amount(d), **_MONTHLY),
    ),
    (Draw.segment, lambda d, x: _instrument([x, _FIRST], _percent(d))),
    (
        Draw.segment,
        lambda d, x: _instrument(
            [x, _NOT_ON_THE_WEB, _present(d.sku())], _gift("cup", "pen", choose=1)
        ),
    ),
    (Draw.stores, lambda d, x: _instrument([x, _total(d)], _percent(d))),
    (Draw.stores, lambda d, x: _instrument([x, _EVENING], _amount(d))),
    (
        Draw.region,
        lambda d, x: _instrument([x, _total(d)], _tiers({}, [20_000, 40_000], [200, 400])),
    ),
    (Draw.region, lambda d, x: _instrument([x, _near(d)], _amount(d))),
    (Draw.stores, lambda d, x: _instrument([x, _total(d), _EUROS], _percent(d))),
    (Draw.stores, lambda d, x: _instrument([x, _total(d), _EARLY_IN_THE_WEEK], _amount(d))),
)


def definitions(count: int) -> Iterator[Json]:
    """So many campaigns, as marketers would post them: of one instrument each, of three if few.

    With one instrument each, ten campaigns could not be twenty candidates.
    """
    each = 1 if count > MET else 3
    draw = Draw(World(count * each), Random(17))  # noqa: S311 - the same at every run
    recipes = list(_RECIPES)
    Random(5).shuffle(recipes)  # noqa: S311 - so that a few campaigns have some of each half
    for number in range(count):
        made = [
            _made(draw, recipes[n % len(recipes)], f"i{n - number * each}")
            for n in range(number * each, number * each + each)
        ]
        conditions = [c for one in made for c in one["conditions"] if c["kind"] == "promo_code"]
        yield {
            "campaign_id": f"campaign-{number}",
            "version": 1,
            "name": f"Campaign {number}",
            "status": "running",
            "priority": draw.below(10),
            "time_zone": "Europe/Kyiv",
            "starts_at": STARTS.isoformat(),
            "ends_at": ENDS.isoformat(),
            "instruments": made,
            "emissions": [_summary(one) for one in {c["emission_id"] for c in conditions}],
        }


def _made(
    draw: Draw,
    recipe: tuple[Callable[[Draw], Json], Callable[[Draw, Json], Json]],
    instrument_id: str,
) -> Json:
    leads, rest = recipe
    return {"instrument_id": instrument_id, "name": "an offer", **rest(draw, leads(draw))}


def _summary(emission_id: str) -> Json:
    return {"emission_id": emission_id, "kind": "mass", "single_use": False, "posted_codes": 1}


def bodies(count: int) -> Iterator[bytes]:
    """The campaigns as they come from Kafka."""
    return (msgspec.json.encode(definition) for definition in definitions(count))


def shares(campaigns: Sequence[Json]) -> Counter[str]:
    """How many instruments have at least one condition, or a benefit, of each kind."""
    found: Counter[str] = Counter()
    for campaign in campaigns:
        for instrument in campaign["instruments"]:
            found.update(set(_kinds(instrument["conditions"])))
            found[instrument["benefit"]["kind"]] += 1
    return found


def _kinds(conditions: Sequence[Json]) -> Iterator[str]:
    for condition in conditions:
        yield condition["kind"]
        inner = [condition["condition"]] if "condition" in condition else []
        yield from _kinds(condition.get("conditions", inner))
