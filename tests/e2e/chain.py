"""A retail chain for pictures: authored over the API, with seventy days of receipts behind it."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

import httpx

from deploy.local.stack import Stack
from shared import clock
from shared.events.outcome import Reason, Receipt
from shared.events.values import Currency, Device
from tests.e2e.events import Outcome, Publisher, Refusal, Shop, Use, decision, receipt, returned
from tests.integration import emission, shop
from tests.integration.emission import author, ok

RECEIPTS = 6_000
DAYS = 70
CUSTOMERS = 900
_CURRENCY = Currency("UAH")
_REASONS: tuple[Reason, ...] = get_args(Reason)
_WEB_DEVICES: tuple[Device, ...] = ("desktop", "mobile", "tablet", "app")
_STORES = (
    ("kyiv-01", "Kyiv, Khreshchatyk 1", "Kyiv"),
    ("kyiv-02", "Kyiv, Obolon", "Kyiv"),
    ("kyiv-03", "Kyiv, Pozniaky", "Kyiv"),
    ("lviv-01", "Lviv, Rynok Square", "Lviv"),
    ("lviv-02", "Lviv, Sykhiv", "Lviv"),
    ("odesa-01", "Odesa, Deribasivska", "Odesa"),
    ("odesa-02", "Odesa, Arcadia", "Odesa"),
    ("kharkiv-01", "Kharkiv, Saltivka", "Kharkiv"),
    ("dnipro-01", "Dnipro, Central", "Dnipro"),
    ("poltava-01", "Poltava", "Poltava"),
    ("chernivtsi-01", "Chernivtsi", "Chernivtsi"),
    ("web", "Web shop", "Online"),
)
_PRODUCTS = (
    ("4820001", "Bounty 57 g", "Sweets", "Bounty", 2_150),
    ("4820002", "Lvivske truffles 1 kg", "Sweets", "Svitoch", 19_800),
    ("4820003", "Chips with paprika 133 g", "Snacks", "Lay's", 4_100),
    ("4820004", "Chips with crab 133 g", "Snacks", "Lay's", 4_100),
    ("4820005", "Cola 1.5 l", "Drinks", "Coca-Cola", 3_050),
    ("4820006", "Mineral water 1.5 l", "Drinks", "Morshynska", 1_450),
    ("4820007", "Gouda 200 g", "Cheese", "Komo", 7_900),
    ("4820008", "Bryndza 250 g", "Cheese", "Zakarpattia", 9_200),
    ("4820009", "Arabica beans 1 kg", "Coffee", "Lavazza", 42_000),
    ("4820010", "Green tea 100 g", "Tea", "Curtis", 4_700),
)
_GROUPS = tuple(dict.fromkeys(product[2] for product in _PRODUCTS))


@dataclass(frozen=True)
class Chain:
    """What is there: pages are opened by these ids."""

    campaign_id: str
    instrument_id: str
    emission_id: str
    personal_id: str
    customer_id: str


@dataclass(frozen=True)
class _Offer:
    """An instrument of a campaign as receipts use it: how often, for how much, for whom."""

    campaign_id: str
    instrument_id: str
    emission_id: str | None
    group: str
    rate: float
    percent: int
    control: float = 0.0


def _limit(value: int) -> dict[str, Any]:
    return {"kind": "receipt_total", "compare": {"op": ">=", "value": value}}


def _goods(*groups: str) -> dict[str, Any]:
    return {"groups": list(groups)}


def _instruments() -> list[dict[str, Any]]:
    """As in the worked examples of the domain, and some more."""
    codes = {"kind": "promo_code", "condition_id": "code"}
    return [
        {
            "instrument_id": "hello-10",
            "name": "10% off from 300.00 with HELLO",
            "conditions": [_limit(30_000), codes | {"emission_id": "hello", "cap": 1_000}],
            "benefit": {"kind": "percent_off", "percent": 1_000},
        },
        {
            "instrument_id": "chips-10",
            "name": "Chips with CHIPS10",
            "conditions": [
                {"kind": "product_presence", "products": _goods("Snacks")},
                codes | {"emission_id": "chips10"},
            ],
            "benefit": {"kind": "percent_off", "percent": 1_000, "products": _goods("Snacks")},
        },
        {
            "instrument_id": "cola-half",
            "name": "Second cola at half price",
            "benefit": {
                "kind": "buy_get",
                "buy": 1_000,
                "get": 1_000,
                "percent": 5_000,
                "products": _goods("Drinks"),
            },
        },
        {
            "instrument_id": "cheese-5",
            "name": "Cheese for regulars",
            "conditions": [
                {"kind": "customer_group", "groups": ["regulars"]},
                {
                    "kind": "any",
                    "conditions": [
                        {"kind": "weekday", "days": ["fri", "sat"]},
                        {"kind": "birthday", "days_before": 3, "days_after": 3},
                    ],
                },
            ],
            "benefit": {
                "kind": "tiers",
                "tiers": [
                    {"at_least": 30_000, "benefit": {"kind": "percent_off", "percent": 500}},
                    {"at_least": 50_000, "benefit": {"kind": "percent_off", "percent": 1_000}},
                ],
            },
            "limits": [{"per": ["customer", "day"], "redemptions": 1}],
        },
        {
            "instrument_id": "coffee-points",
            "name": "Points for coffee",
            "conditions": [{"kind": "product_presence", "products": _goods("Coffee", "Tea")}],
            "benefit": {"kind": "bonuses", "percent": 500, "products": _goods("Coffee", "Tea")},
        },
    ]


def _campaigns(today: datetime) -> list[dict[str, Any]]:
    def days(first: int, last: int) -> dict[str, str]:
        began, ends = today.date() + timedelta(days=first), today.date() + timedelta(days=last)
        return {"first_day": str(began), "last_day": str(ends), "time_zone": "Europe/Kyiv"}

    return [
        {
            "campaign_id": "hello",
            "name": "Hello, neighbours",
            "comment": "For who comes for the first time; posters in all stores.",
            "instruments": ["hello-10"],
            "control_group": 1_000,
            "limits": [{"money": 5_000_000}],
        }
        | days(-69, 36),
        {"campaign_id": "snacks", "name": "Snack weeks", "instruments": ["chips-10", "cola-half"]}
        | days(-50, 20)
        | {"control_group": 2_000},
        {
            "campaign_id": "regulars",
            "name": "For regulars",
            "instruments": ["cheese-5"],
            "customer_groups": ["regulars"],
            "priority": 10,
        }
        | days(-60, 100),
        {"campaign_id": "coffee", "name": "Coffee club", "instruments": ["coffee-points"]}
        | days(-30, 60),
        {"campaign_id": "winter", "name": "Winter opening", "instruments": ["hello-10"]}
        | days(10, 40)
        | {"stores": ["lviv-01", "lviv-02"]},
    ]


async def found(stack: Stack, publisher: Publisher) -> Chain:
    """Open the chain: reference data, promotions, seventy days of receipts, some sold by real tills."""
    async with author(stack) as client:
        await _open(client)
    await shop.until_decided_by(stack, "hello")
    await _sell(stack)
    chance = random.Random(7)  # noqa: S311 - a picture is no secret
    await publisher.outcomes(*_seventy_days(chance))
    return Chain("hello", "hello-10", "hello", "birthday", "c-4")


async def _open(client: httpx.AsyncClient) -> None:
    known = {"time_zone": "Europe/Kyiv", "currency": _CURRENCY}
    stores = [{"store_id": i, "name": n, "region": r} | known for i, n, r in _STORES]
    ok(await client.put("/v1/stores", json={"stores": stores}))
    products = [
        {"sku": sku, "name": name, "group": group, "brand": brand, "cost": cost, "currency": "UAH"}
        for sku, name, group, brand, cost in _PRODUCTS
    ]
    ok(await client.put("/v1/products", json={"products": products}))
    regulars = {"name": "Regulars", "customers": [f"c-{n}" for n in range(0, CUSTOMERS, 4)]}
    ok(await client.put("/v1/customer-groups/regulars", json=regulars))
    for word, name in (("HELLO", "Hello, neighbours"), ("CHIPS10", "Chips, 10%")):
        body = emission.mass(word, emission_id=word.lower(), name=name)
        ok(await client.post("/v1/emissions", json=body), 201)
        await emission.post(client, word.lower())
    personal = {
        "emission_id": "birthday",
        "name": "Birthday codes",
        "kind": "personal",
        "count": 2_000,
        "pattern": "BDAY-####-####",
    }
    ok(await client.post("/v1/emissions", json=personal), 201)
    await emission.post(client, "birthday")
    for instrument in _instruments():
        ok(await client.post("/v1/instruments", json=instrument), 201)
    for campaign in _campaigns(clock.now()):
        # Nowhere else: other tests have stores of theirs.
        plan = {"stores": [store["store_id"] for store in stores]} | campaign
        ok(await client.post("/v1/campaigns", json=plan), 201)
        if campaign["campaign_id"] != "winter":
            ok(await client.post(f"/v1/campaigns/{campaign['campaign_id']}/start"))


async def _sell(stack: Stack) -> None:
    """A few receipts by tills of flesh and blood, for certificates and histories."""
    async with shop.open_tills(stack) as tills:
        for number in range(24):
            cart = shop.a_cart("kyiv-01", 35_000 + number * 700, number, codes=["HELLO"])
            await tills.buy(cart)
        held = shop.a_cart("kyiv-02", 48_000, 1, codes=["HELLO"])
        await tills.ask(held)


_OFFERS = (
    _Offer("hello", "hello-10", "hello", "Sweets", 0.10, 10, control=0.10),
    _Offer("snacks", "chips-10", "chips10", "Snacks", 0.16, 4, control=0.20),
    _Offer("snacks", "cola-half", None, "Drinks", 0.11, 3, control=0.20),
    _Offer("regulars", "cheese-5", None, "Cheese", 0.08, 6),
    _Offer("coffee", "coffee-points", None, "Coffee", 0.05, 0),
)


def _seventy_days(chance: random.Random) -> Iterator[Outcome]:
    """Checkouts, receipts and a few returns, quiet on Sundays, busier of late."""
    now = clock.now()
    shops = [Shop(i, name, region, _CURRENCY) for i, name, region in _STORES]
    weights = [chance.uniform(0.5, 2) for _ in shops]
    reasons = {offer: chance.sample(_REASONS, 3) for offer in _OFFERS}
    arms = {
        (campaign, customer): chance.random()
        for campaign in ("hello", "snacks")
        for customer in range(CUSTOMERS)
    }
    for _ in range(RECEIPTS):
        at = now - timedelta(days=DAYS * chance.random() ** 1.3, minutes=chance.uniform(0, 600))
        if at.weekday() == 6 and chance.random() < 0.7:
            continue
        (place,) = chance.choices(shops, weights)
        device: Device = chance.choice(_WEB_DEVICES) if place.store_id == "web" else "till"
        customer = int(CUSTOMERS * chance.random() ** 1.6)
        yield from _bought(chance, place, at, device, customer, arms=arms, reasons=reasons, now=now)


def _bought(
    chance: random.Random,
    place: Shop,
    at: datetime,
    device: Device,
    customer: int,
    *,
    arms: Mapping[tuple[str, int], float],
    reasons: Mapping[_Offer, Sequence[Reason]],
    now: datetime,
) -> Iterator[Outcome]:
    """One customer's visit: who may have a benefit buys a little more."""
    held_back = {
        o.campaign_id for o in _OFFERS if arms.get((o.campaign_id, customer), 1) < o.control
    }
    total = int(chance.lognormvariate(10.2, 0.6) * (0.9 if held_back else 1)) + 3_000
    uses: list[tuple[_Offer, int]] = []
    refusals: list[Refusal] = []
    for offer in _OFFERS:
        if offer.campaign_id not in held_back and chance.random() < offer.rate:
            uses.append((offer, total * offer.percent // 100))
        else:
            (reason,) = chance.choices(reasons[offer], (6, 3, 1))
            refused = "control_group" if offer.campaign_id in held_back else reason
            refusals.append((offer.campaign_id, offer.instrument_id, refused))
    given: list[Use] = [(o.campaign_id, o.instrument_id, amount) for o, amount in uses]
    yield decision(place, at, given, refusals, total=total, device=device)
    if chance.random() < 0.06:
        return
    plain = receipt(place, at, given, total=total, device=device, bonuses=len(uses))
    sold = _as_sold(chance, plain, [offer for offer, _ in uses], customer, sorted(held_back))
    yield sold
    if chance.random() < 0.03:
        yield returned(sold, min(now, at + timedelta(days=2)))


def _as_sold(
    chance: random.Random, plain: Receipt, used: list[_Offer], customer: int, held_back: list[str]
) -> Receipt:
    """The receipt with its customer, its products and the codes that were used."""
    group = used[0].group if used else chance.choice(_GROUPS)
    sku = chance.choice([product[0] for product in _PRODUCTS if product[2] == group])
    redemptions = tuple(
        one.model_copy(update={"emission_id": offer.emission_id})
        for one, offer in zip(plain.redemptions, used, strict=True)
    )
    costs = {product[0]: product[4] for product in _PRODUCTS}
    pieces = max(1, plain.total * 7 // 10 // costs[sku])
    lines = tuple(
        line.model_copy(update={"group": group, "sku": sku, "quantity": pieces * 1_000})
        for line in plain.lines
    )
    return plain.model_copy(
        update={
            "customer_id": f"c-{customer}",
            "exposed": ("hello", "snacks"),
            "held_back": tuple(held_back),
            "lines": lines,
            "redemptions": redemptions,
        }
    )
