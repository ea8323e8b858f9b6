"""How fast a draft is backtested: ``make bench-backtest``. The last line is JSON.

    python -m tests.bench.backtest [receipts]

100,000 receipts of 8 to 14 lines, half of them with one of 5,000 customers, over four weeks, really
decided by 20 live campaigns and written into the database of an evaluator of its own (20,000 carts are
decided, and each recorded five times, at other times and for other customers). The draft has four
instruments: one on half of the receipts with a cap that is used up midway, one on goods, per
customer and week, one for the fourth purchase within two weeks, one with a code. Measured is everything, from the request to the
report, as ``tillstream backtest`` runs it: two worker processes, started for it.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from random import Random

import asyncpg

from deploy.local import stack as local
from services.evaluator import backtesting
from services.evaluator.backtest.draft import Draft, Request
from services.evaluator.backtest.report import Report
from shared import clock
from shared.events.benefits import PercentOff
from shared.events.checkout import Cart, CartLine
from shared.events.conditions import PurchaseCount
from shared.events.promotion import Campaign, LimitRule, Rolling
from tests import builders
from tests.builders import campaign, code, compare, instrument, percent_off, products, total, utc
from tests.recorded import Decided, Recorder, write

RECEIPTS = 100_000
_COPIES = 5
_FIRST = utc(2026, 12, 5)
_WEEKS = timedelta(weeks=4)
_CUSTOMERS = 1_000
_GROUPS = 40
_LIVE = 20


def live() -> list[Campaign]:
    """What ran meanwhile: goods at a discount, thresholds, a code, a cap that is used up."""
    return [
        campaign(
            f"live-{n}",
            [
                instrument(
                    "goods",
                    [builders.quantity_of(products(groups=[f"group-{n}"]), 2_000)],
                    PercentOff(percent=500 + n * 10, products=products(groups=[f"group-{n}"])),
                ),
                instrument("total", [total(40_000 + n * 2_000)], percent_off(100)),
                instrument("code", [code(f"CODE-{n}")], percent_off(200), max_redemptions=200),
            ],
            priority=-n,
        )
        for n in range(_LIVE)
    ]


def draft() -> Draft:
    """The campaign that is tried."""
    goods = products(groups=["group-30"])
    return Draft(
        campaign_id="draft",
        name="Draft",
        time_zone="Europe/Vienna",
        first_day=date(2026, 12, 5),
        last_day=date(2026, 12, 31),
        instruments=(
            instrument("total", [total(30_000)], percent_off(500), max_redemptions=20_000),
            instrument(
                "goods",
                [builders.quantity_of(goods, 1_000)],
                PercentOff(percent=2_000, products=goods),
                limits=(LimitRule(per=("customer",), redemptions=1),),
                processing_period=Rolling(days=7),
            ),
            instrument(
                "fourth",
                [PurchaseCount(compare=compare(3))],
                percent_off(1_000),
                processing_period=Rolling(days=14),
            ),
            instrument("word", [code("CODE-1", cap=500)], percent_off(300)),
        ),
    )


def carts(count: int) -> Iterator[Cart]:
    """Carts in the order of their time; the same ones at every run."""
    random = Random(count)  # noqa: S311 - the same at every run
    step = _WEEKS / count
    for n in range(count):
        lines = tuple(
            _line(number, random.randrange(2_000), random)
            for number in range(1, random.randint(9, 15))
        )
        yield Cart(
            receipt_id=f"receipt-{n}",
            store_id=f"store-{random.randrange(30)}",
            terminal_id="till-1",
            occurred_at=_FIRST + n * step,
            currency=builders.cart().currency,
            channel=random.choice(("till", "till", "web", "app")),
            customer_id=f"customer-{random.randrange(_CUSTOMERS)}" if n % 2 else None,
            codes=(f"CODE-{random.randrange(100)}",) if n % 5 == 0 else (),
            lines=lines,
        )


def _line(number: int, sku: int, random: Random) -> CartLine:
    price, pieces = random.randint(90, 2_500), random.randint(1, 3)
    return CartLine(
        line=number,
        sku=f"sku-{sku}",
        group=f"group-{sku % _GROUPS}",
        brand=f"brand-{sku % 97}",
        quantity=pieces * 1_000,
        list_price=price,
        price=price,
        amount=price * pieces,
    )


def record(count: int) -> Recorder:
    """The receipts, decided; each of them several times."""
    campaigns = live()
    words = {f"CODE-{n}": f"CODE-{n}" for n in range(_LIVE)}
    shop = Recorder(campaigns, version=len(campaigns), codes=words)
    for n, cart in enumerate(carts(count // _COPIES)):
        shop.decide(cart, paid=n % 20 != 0)
    shop.decided = [_copied(one, n) for n in range(_COPIES) for one in shop.decided]
    return shop


def _copied(one: Decided, number: int) -> Decided:
    shift = timedelta(minutes=7 * number)
    customer = one.cart.customer_id
    changes = {
        "receipt_id": f"{one.cart.receipt_id}-{number}",
        "occurred_at": one.cart.occurred_at + shift,
        "customer_id": f"{customer}-{number}" if customer else None,
    }
    key = blake2b(f"{number}/".encode() + one.event_key, digest_size=16).digest()
    cart = one.cart.model_copy(update=changes)
    return replace(one, cart=cart, event_key=key, received_at=one.received_at + shift)


async def measure(dsn: str, count: int) -> tuple[Report, float]:
    """Write the receipts, run the draft over all of them; the report, and the seconds that took."""
    shop = record(count)
    connection = await asyncpg.connect(dsn)
    await write(connection, shop)
    await connection.close()
    del shop
    started = clock.monotonic()
    request = Request(campaign=draft(), start=date(2026, 12, 5), end=date(2027, 1, 10))
    report = await backtesting.run(dsn, request, lambda *_: None)
    return report, clock.monotonic() - started


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RECEIPTS
    with tempfile.TemporaryDirectory(prefix="tillstream-bench-") as directory:
        state = Path(directory)
        try:
            stack = local.up(state, ["kafka", "postgres", "evaluator"])
            report, seconds = asyncio.run(measure(stack.database("evaluator"), count))
        finally:
            local.down(state, delete=True)
    figures = {
        "receipts": report.receipts,
        "granted": report.granted,
        "seconds": round(seconds, 2),
        "per_s": round(report.receipts / seconds),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
