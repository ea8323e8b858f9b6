"""Backtests over receipts recorded in a real database, with worker processes."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import services.evaluator
import shared
from deploy.local.stack import Stack
from services.evaluator import backtesting
from services.evaluator.backtest.draft import Draft, Request
from services.evaluator.backtest.report import Report
from shared import clock
from shared.codec import InvalidMessageError
from shared.events.conditions import PurchaseCount
from shared.events.promotion import Instrument, LimitRule, Rolling
from shared.migrate import migrate
from tests.builders import NOON, campaign, cart, compare, instrument, line, percent_off, total
from tests.integration.shop import a_cart, client, open_store, open_tills
from tests.recorded import Recorder, write
from tests.waiting import until

MIGRATIONS = [Path(m.__file__ or "").parent / "migrations" for m in (shared, services.evaluator)]
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def evaluator(stack: Stack, dsn: str) -> str:
    """The DSN of an empty evaluator's database."""
    connection = await asyncpg.connect(dsn)
    await migrate(connection, MIGRATIONS[1:])
    await connection.close()
    return dsn


def draft(*instruments: Instrument, **values: Any) -> Draft:
    """A draft of 5 to 31 December, Vienna time; 10% off everything unless said otherwise."""
    defaults: dict[str, Any] = {
        "campaign_id": "draft",
        "name": "Draft",
        "time_zone": "Europe/Vienna",
        "first_day": date(2026, 12, 5),
        "last_day": date(2026, 12, 31),
        "instruments": instruments or (instrument("ten", [total(5_000)]),),
    }
    return Draft(**{**defaults, **values})


async def backtest(
    dsn: str, recorder: Recorder, wanted: Draft, workers: int = 2, **options: Any
) -> Report:
    """Write what was recorded, and run the draft over 5 to 31 December."""
    connection = await asyncpg.connect(dsn)
    if not await connection.fetchval("select exists (select from checkout_events)"):
        await write(connection, recorder)
    await connection.close()
    request = Request(campaign=wanted, start=date(2026, 12, 5), end=date(2027, 1, 1), **options)
    return await backtesting.run(dsn, request, lambda *_: None, workers=workers)


async def test_who_would_have_got_it_and_what_it_would_have_displaced(evaluator: str) -> None:
    """A tenth off from 50.00 on beside a live one that is worked out on what remains."""
    live = campaign("live", [instrument("five", benefit=percent_off(500))], priority=-1)
    shop = Recorder([live])
    for n, amount in enumerate([4_000, 5_000, 10_000, 20_000]):
        at = NOON + n * MINUTE
        shop.decide(cart([line(amount=amount)], receipt_id=f"r{n}", occurred_at=at), paid=n != 3)
    report = await backtest(evaluator, shop, draft())
    assert (report.receipts, report.paid, report.granted, report.granted_paid) == (4, 3, 3, 2)
    assert (report.discount, report.granted_discount) == (1_500, 3_500)
    [displaced] = report.displaced
    assert (displaced.lost, displaced.gained, displaced.discount) == (0, 0, -75)
    assert report.net_cost == 1_500 - 75
    assert report.revenue == (4_000 + 5_000 + 10_000) * 95 // 100
    [refusal] = report.refusals
    assert (refusal.reason, refusal.condition, refusal.receipts) == (
        "condition_not_met",
        "receipt_total",
        1,
    )
    [miss] = report.near_misses
    assert (miss.unit, miss.least, miss.median) == ("money", 1_000, 1_000)
    assert report.left_out[0].startswith("Changed demand")


async def test_caps_are_settled_in_the_order_of_time(evaluator: str) -> None:
    """The first three receipts by their own time, whatever the order in which they came."""
    shop = Recorder([campaign("other", [instrument("never", [total(10**9)])])])
    for n in [5, 1, 4, 0, 3, 2]:
        shop.decide(cart([line(amount=5_000)], receipt_id=f"r{n}", occurred_at=NOON + n * MINUTE))
    wanted = draft(instrument("ten", [total(5_000)], max_redemptions=3))
    report = await backtest(evaluator, shop, wanted)
    [cap] = report.caps
    assert (cap.used, cap.left, cap.refused) == (3, 0, 3)
    assert cap.full_at == NOON + 2 * MINUTE
    assert report.discount == 1_500


async def test_what_a_full_cap_leaves_goes_to_the_next_instrument(evaluator: str) -> None:
    """Two of a draft's instruments of which the best applies: the second is there once the first is full."""
    shop = Recorder([])
    for n in range(8):
        at = NOON + n * MINUTE
        shop.decide(cart([line(amount=1_000)], receipt_id=f"r{n}", occurred_at=at))
    best: dict[str, Any] = {"stacking": "best_of", "best_of": "one"}
    wanted = draft(
        instrument("much", benefit=percent_off(5_000), max_redemptions=2, **best),
        instrument("some", benefit=percent_off(2_000), max_redemptions=3, **best),
        instrument("less", benefit=percent_off(1_000), **best),
    )
    report = await backtest(evaluator, shop, wanted)
    given = {one.instrument_id: (one.receipts, one.discount) for one in report.instruments}
    assert given == {"much": (2, 1_000), "some": (3, 600), "less": (3, 300)}
    assert report == await backtest(evaluator, shop, wanted, workers=1)


async def test_limits_of_money_customers_and_windows(evaluator: str) -> None:
    """Each customer once a week, and 10.00 in all, which is paid whole or not at all."""
    shop = Recorder([])
    for n, (customer, day) in enumerate([("a", 0), ("a", 3), ("b", 3), ("a", 7), ("b", 8)]):
        at = NOON + timedelta(days=day)
        shop.decide(
            cart([line(amount=4_000)], receipt_id=f"r{n}", occurred_at=at, customer_id=customer)
        )
    rules = (LimitRule(per=("customer",), redemptions=1),)
    wanted = draft(
        instrument("ten", limits=rules, processing_period=Rolling(days=7)),
        limits=(LimitRule(money=1_000),),
    )
    report = await backtest(evaluator, shop, wanted)
    caps = {cap.name: cap for cap in report.caps}
    assert (report.granted, report.discount) == (2, 800)
    assert caps["draft/~money"].left == 200
    assert caps["draft/ten/~customer"].counters == 2


async def test_history_is_what_was_bought_before_each_receipt(evaluator: str) -> None:
    """The third purchase and later ones; no live campaign had asked for history."""
    shop = Recorder([])
    for n in range(5):
        at = NOON + n * MINUTE
        shop.decide(cart(receipt_id=f"r{n}", occurred_at=at, customer_id="c"))
    wanted = draft(instrument("third", [PurchaseCount(compare=compare(2))]))
    report = await backtest(evaluator, shop, wanted)
    assert (report.granted, report.customers) == (3, 1)


async def test_a_request_that_cannot_be_run_names_the_field(evaluator: str) -> None:
    """Before any receipt is read."""
    with pytest.raises(InvalidMessageError, match=r"campaign\.first_day"):
        await backtest(
            evaluator, Recorder([]), draft(last_day=date(2026, 1, 2), first_day=date(2026, 1, 1))
        )


async def test_over_http_and_on_the_command_line(stack: Stack, tmp_path: Path) -> None:
    """What a till sent through Kafka is backtested by the running evaluator, and by the command."""
    [store] = await open_store(stack)
    async with open_tills(stack) as tills:
        for n, amount in enumerate([6_000, 4_000]):
            await tills.ask(a_cart(store, amount, n))
    today = clock.now().date()
    body: dict[str, Any] = {
        "campaign": {
            "campaign_id": "draft",
            "name": "Draft",
            "time_zone": "UTC",
            "first_day": str(today - timedelta(days=1)),
            "last_day": str(today + timedelta(days=1)),
            "stores": [store],
            "instruments": [
                {
                    "instrument_id": "ten",
                    "name": "Ten off",
                    "conditions": [
                        {"kind": "receipt_total", "compare": {"op": ">=", "value": 5_000}}
                    ],
                    "benefit": {"kind": "percent_off", "percent": 1_000},
                }
            ],
        },
        "from": str(today - timedelta(days=1)),
        "to": str(today + timedelta(days=2)),
    }
    async with client(stack, "evaluator") as http:
        accepted = await http.post("/v1/backtests", json=body)
        assert accepted.status_code == HTTPStatus.ACCEPTED, accepted.text
        shown: dict[str, Any] = {}

        async def done() -> bool:
            nonlocal shown
            shown = (await http.get(accepted.headers["location"])).json()
            return bool(shown["status"] != "running")

        await until(done, what="the backtest is done")
        wrong = await http.post("/v1/backtests", json={**body, "to": body["from"]})
    assert (shown["status"], shown["fraction"]) == ("done", 1)
    assert (shown["report"]["granted"], shown["report"]["granted_discount"]) == (1, 600)
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert wrong.json()["errors"] == [{"field": "to", "message": "must be after from"}]

    path, result = tmp_path / "draft.json", tmp_path / "report.json"
    path.write_text(json.dumps(body["campaign"]))
    options = ["--from", body["from"], "--to", body["to"], "--json", str(result)]
    command = [sys.executable, "-m", "deploy.cli", "backtest", str(path), *options]
    environment = {**os.environ, "TILLSTREAM_STATE": str(stack.state), "COLUMNS": "140"}
    ran = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(result.read_text())["granted"] == 1
    assert "would have got it" in ran.stdout
    assert "Changed demand" in ran.stdout
