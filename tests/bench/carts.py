"""Carts of a bench's chain, and what the evaluator knows of their customers, stores and codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from random import Random
from typing import Any

import msgspec

from services.evaluator.facts import Facts
from services.evaluator.promotion.history import Purchase, PurchasedLine, ordered
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.store.reference import KnownCode, KnownCustomer, Place
from shared.events.checkout import Cart
from shared.events.values import Location
from tests.bench.campaigns import CLUSTER, LINES, NOW, POINTS, World, brand, group, origin, region

CARTS = 200
"""How many different carts a bench decides, over and over."""
_AGENTS = {
    "web": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
}
_WITH_CUSTOMER = 0.75


@dataclass(frozen=True)
class Chain:
    """Carts (and the messages they come as), and all that deciding them needs besides the ruleset; ``purchases`` by customer."""

    bodies: Sequence[bytes]
    carts: Sequence[Cart]
    facts: Facts
    purchases: Mapping[str, Sequence[Purchase]]


def chain(campaigns: int, instruments: int, ruleset: Ruleset, count: int = CARTS) -> Chain:
    """The chain for so many campaigns, with ``count`` carts: the same at every run."""
    random = Random(campaigns)  # noqa: S311 - the same at every run
    world = World(instruments)
    bodies = [msgspec.json.encode(_cart(n, world, random)) for n in range(count)]
    carts = [Cart.model_validate_json(body) for body in bodies]
    emissions = {code: code.removeprefix("CODE-") for cart in carts for code in cart.codes}
    customers = {cart.customer_id: cart for cart in carts if cart.customer_id}
    facts = Facts(
        now=NOW,
        ruleset=ruleset.with_codes({f"emission-{n}": 1 for n in range(world.values(1))}),
        places={cart.store_id: _place(cart.store_id) for cart in carts},
        customers={name: _customer(world, random) for name in customers},
        digests={code: code.encode() for code in emissions},
        codes={
            code.encode(): KnownCode(f"emission-{name}", None)
            for code, name in emissions.items()
            if name.isdecimal()
        },
        hold=timedelta(minutes=15),
    )
    return Chain(
        bodies, carts, facts, {name: _purchases(cart, random) for name, cart in customers.items()}
    )


def _cart(number: int, world: World, random: Random) -> dict[str, Any]:
    clusters = random.sample(range(world.skus // CLUSTER), LINES // CLUSTER)
    skus = [cluster * CLUSTER + n for cluster in clusters for n in range(CLUSTER)]
    channel = random.choices(["till", "web", "app"], [70, 20, 10])[0]
    body: dict[str, Any] = {
        "receipt_id": f"receipt-{number}",
        "store_id": f"store-{random.randrange(world.values(1) * 2)}",
        "terminal_id": f"till-{number % 4}",
        "occurred_at": (NOW + timedelta(minutes=random.randrange(-5_000, 50))).isoformat(),
        "currency": "EUR",
        "channel": channel,
        "payment_methods": random.choice([["card"], ["card"], ["cash"], []]),
        "codes": [f"CODE-{random.randrange(world.values(1))}"],
        "lines": [_line(n, sku, number, random) for n, sku in enumerate(skus, 1)],
    }
    if number % 10 == 0:
        body["codes"].append("CODE-UNKNOWN")
    if channel in _AGENTS:
        body["user_agent"] = _AGENTS[channel]
    if random.random() < _WITH_CUSTOMER:
        body["customer_id"] = f"c{number}"
    return body


def _line(number: int, sku: int, cart: int, random: Random) -> dict[str, Any]:
    price = 89 + sku * 37 % 700
    quantity = random.choice([1, 1, 1, 2, 2, 3, 4]) * 1_000
    line: dict[str, Any] = {
        "line": number,
        "sku": f"sku-{sku}",
        "group": group(sku),
        "brand": brand(sku),
        "attributes": {"origin": origin(sku)},
        "quantity": quantity,
        "list_price": price,
        "price": price,
        "amount": price * quantity // 1_000,
    }
    if number == LINES and cart % 4 == 1:
        line["no_promo"] = True
    elif number % 10 == 0 and cart % 4 == 2:
        line["discounts"] = [{"kind": "markdown", "amount": 10}]
    elif number % 7 == 0:
        line["min_unit_price"] = price // 2
    return line


def _place(store_id: str) -> Place:
    store = int(store_id.removeprefix("store-"))
    latitude, longitude = POINTS[store % len(POINTS)]
    # Up to some 18 km away from its point.
    location = Location(latitude_e6=latitude + store * 7_919 % 160_000, longitude_e6=longitude)
    return Place(region(store), "EUR", "Europe/Kyiv", location)


def _customer(world: World, random: Random) -> KnownCustomer:
    groups = frozenset([f"customers-{random.randrange(world.values(1))}"])
    segments = frozenset([f"segment-{n}" for n in random.sample(range(world.values(2)), 2)])
    return KnownCustomer(groups, segments, f"03-{random.randrange(1, 31):02}")


def _purchases(cart: Cart, random: Random) -> Sequence[Purchase]:
    """Some six receipts of the last two months, of goods like those on the cart."""
    found = []
    for n in range(random.randrange(12)):
        days = random.randrange(1, 60)
        at = cart.occurred_at.astimezone(UTC) - timedelta(days=days, minutes=n)
        lines = [
            PurchasedLine(x.sku, x.quantity, x.amount, x.group, x.brand, dict(x.attributes))
            for x in random.sample(cart.lines, 5)
        ]
        found.append(Purchase(f"{cart.receipt_id}-{n}", at, tuple(lines)))
    return ordered(found)
