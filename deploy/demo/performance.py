"""The demo from beginning to end: a fresh stack, campaigns, the replay, the reconciliation."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console
from rich.markup import escape

from deploy.comparison import differences
from deploy.demo import books, dataset, progress, reconcile, topics
from deploy.demo.authoring import (
    Api,
    AuthoringError,
    author,
    running,
    token_for,
    until,
    wait_active,
)
from deploy.demo.campaigns import WELCOME_ID, Plan, customer, plan
from deploy.demo.mapping import CURRENCY
from deploy.demo.receipts import Opening
from deploy.demo.till import NoAnswerError, Shop
from deploy.local import stack as local
from deploy.local.errors import StackError
from deploy.local.state import StateDirectory
from deploy.verification import profiles
from shared import clock
from shared.topics import CAMPAIGNS, CODES, CUSTOMERS, RECEIPTS, STORES

_WELCOME = ("welcome", WELCOME_ID)
_LIMIT = f"welcome/{WELCOME_ID}/code"
_CAUGHT_UP_WITHIN_S = 120.0
_PLAIN_WIDTH = 130


def run(baskets: int | None, state: Path | None) -> int:
    """See ``deploy.demo.run``."""
    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    if baskets is not None and baskets < 1:
        console.print("[bold red]The demo needs at least one basket.[/]")
        return 1
    directory = StateDirectory(state).demo
    try:
        folder = dataset.folder()
        _wipe(directory)
        try:
            with console.status("Starting Kafka, PostgreSQL and the services …") as status:
                stack = local.up(state=directory, report=status.update)
            return uvloop.run(_perform(stack, folder, baskets, console))
        except BaseExceptionGroup as group:
            return _failed(console, _first(group))
        finally:
            local.down(state=directory)
    except (dataset.DataSetMissingError, StackError, AuthoringError, NoAnswerError) as error:
        return _failed(console, error)


def _failed(console: Console, error: BaseException) -> int:
    console.print(f"[bold red]The demo failed:[/] {type(error).__name__}: {escape(str(error))}")
    return 1


def _first(error: BaseException) -> BaseException:
    """The first cause in a group: hundreds of tills fail for the same reason."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _wipe(directory: Path) -> None:
    """End what a previous demo left running, and forget its data."""
    if directory.exists():
        local.down(state=directory, delete=True)


async def _perform(stack: local.Stack, folder: Path, baskets: int | None, console: Console) -> int:
    begun = clock.monotonic()
    with console.status("Reading the data set …"):
        year = await asyncio.to_thread(dataset.read, folder, baskets)
    shift = dataset.whole_weeks(year.last, clock.now())
    authored = plan(year, shift)
    _introduce(console, year, authored, shift)
    token = await token_for(stack.url("emission"), stack.secrets.admin_key)
    with console.status("Authoring the campaigns over the public API …"):
        await _author(stack, token, authored, year)
    authored_s = clock.monotonic() - begun
    console.print(
        f"Live dashboard: {stack.url('analytics')}/dashboard – sign in as [bold]admin[/] with"
        f" [bold]{escape(stack.secrets.admin_password)}[/]",
        soft_wrap=True,
    )
    shop = Shop(stack.kafka, Opening(year, authored, shift))
    started = clock.monotonic()
    await _replay(stack, console, shop, year)
    elapsed_s = clock.monotonic() - started
    with console.status("Waiting for the rollups …"):
        await _catch_up(stack, console, shop)
    rows = reconcile.table_rows(await _sources(stack, token, shop, authored))
    console.print(reconcile.as_table(rows))
    for row in differences(rows):
        console.print(f"[bold red]Does not reconcile:[/] {row.what}: {dict(row.cells)}")
    verified = await _profiles(stack, console)
    console.print(
        f"{verified.customers:,} customers' profiles made again from the log: "
        + (f"[bold red]{verified.differing:,} differ[/]" if verified.differing else "all the same")
    )
    summary = reconcile.summary(rows, elapsed_s, len(year.baskets))
    summary["profiles"] = verified.customers
    summary["reconciled"] = summary["reconciled"] and not verified.differing
    summary["reading_and_authoring_s"] = round(authored_s, 1)
    summary["after_start_s"] = round(clock.monotonic() - begun, 1)
    if console.is_terminal:  # the table says it better
        del summary["figures"]
    console.print(json.dumps(summary), soft_wrap=True, highlight=False, markup=False)
    return 0 if summary["reconciled"] else 1


def _introduce(console: Console, year: dataset.Year, authored: Plan, shift: timedelta) -> None:
    presented = sum(len(coupons) for coupons in year.presented.values())
    console.print(
        f"{len(year.baskets):,} baskets of the year 2017 from {year.baskets[0].at:%-d %B},"
        f" {len(authored.stores)} stores, all dates moved by {shift.days // 7} weeks.\n"
        f"{len(year.campaigns)} of the data set's campaigns with {len(authored.words)} coupons;"
        f" {presented:,} recorded redemptions are presented again, {year.unmatched} met no"
        " couponed basket of their household and day (or one with nine codes).\n"
        "Devices and regions are assigned by a stable hash: the data has none."
    )


async def _author(stack: local.Stack, token: str, authored: Plan, year: dataset.Year) -> None:
    """Author, and wait until all is active."""
    emission, evaluator = Api(stack.url("emission"), token), Api(stack.url("evaluator"), token)
    try:
        await author(emission, authored)
        await until("evaluator's reading of the reference topics", _reads(stack))
        await wait_active(evaluator, _probes(authored, year))
    finally:
        await emission.close()
        await evaluator.close()


def _reads(stack: local.Stack) -> Any:
    """A condition: emission has sent everything and evaluator has read it."""
    names = [topic.name for topic in (CAMPAIGNS, CODES, STORES, CUSTOMERS)]

    async def done() -> bool:
        return await books.has_sent_all(stack.database("emission")) and await books.has_read_all(
            stack.database("evaluator"), stack.kafka, names
        )

    return done


def _probes(authored: Plan, year: dataset.Year) -> list[tuple[dict[str, Any], str]]:
    """Carts for quotes that each meet an instrument of a campaign."""
    probes = [(_probe(authored, "welcome", ["WELCOME"], "probe"), WELCOME_ID)]
    for one in year.campaigns:
        coupon, goods = next(iter(one.coupons.items()))
        word = authored.words[one.campaign_id, coupon]
        cart = _probe(authored, f"cj-{one.campaign_id}", [word], str(goods[0]))
        cart["customer_id"] = customer(one.households[-1])
        probes.append((cart, f"cj-{one.campaign_id}-{coupon}"))
    return probes


def _probe(authored: Plan, campaign_id: str, codes: list[str], sku: str) -> dict[str, Any]:
    at = authored.campaign(campaign_id).starts_at + timedelta(hours=12)
    line = {"line": 1, "sku": sku, "quantity": 1000, "list_price": 9900, "price": 9900}
    return {
        "receipt_id": f"probe-{campaign_id}",
        "store_id": authored.stores[0].store_id,
        "terminal_id": "probe",
        "occurred_at": at.isoformat(),
        "currency": CURRENCY,
        "intent": "quote",
        "codes": codes,
        "lines": [{**line, "amount": 9900}],
    }


async def _replay(stack: local.Stack, console: Console, shop: Shop, year: dataset.Year) -> None:
    consumer = AIOKafkaConsumer(RECEIPTS.name, bootstrap_servers=stack.kafka)
    partitions = [TopicPartition(RECEIPTS.name, n) for n in range(RECEIPTS.partitions)]

    async def recorded() -> int:
        return sum((await consumer.end_offsets(partitions)).values())

    async with consumer:
        watching = asyncio.create_task(
            progress.watch(console, shop.tally, recorded, len(year.baskets))
        )
        try:
            await shop.replay(year.baskets)
            await asyncio.wait_for(asyncio.shield(watching), _CAUGHT_UP_WITHIN_S)
        except TimeoutError:
            console.print("[yellow]Not every sale was recorded in time; comparing as it is.[/]")
        finally:
            watching.cancel()


async def _catch_up(stack: local.Stack, console: Console, shop: Shop) -> None:
    async def done() -> bool:
        return await books.counted_all(
            stack.database("evaluator"),
            stack.database("analytics"),
            stack.kafka,
            sales=shop.tally.sales,
            returns=shop.tally.returns,
        )

    try:
        await until("the rollups' reading", done, _CAUGHT_UP_WITHIN_S)
    except AuthoringError as error:
        console.print(f"[yellow]{error}; comparing as it is.[/]")


async def _profiles(stack: local.Stack, console: Console) -> profiles.Found:
    """The customers' profiles beside what the log says, once the service has read all of it."""
    database = stack.database("customers")
    with console.status("Making the customers' profiles again from the log …"):
        await until(
            "the customers service's reading",
            lambda: books.has_read_all(database, stack.kafka, list(profiles.FACTS)),
            _CAUGHT_UP_WITHIN_S,
        )
        key = bytes.fromhex(stack.secrets.customers_key)
        return await profiles.verify(database, stack.kafka, key, lambda *_: None)


async def _sources(stack: local.Stack, token: str, shop: Shop, authored: Plan) -> reconcile.Sources:
    statistics, emission = Api(stack.url("analytics"), token), Api(stack.url("emission"), token)
    try:
        return reconcile.Sources(
            tally=shop.tally,
            logged=await topics.read(stack.kafka),
            ledger=await books.ledger(stack.database("evaluator"), _LIMIT),
            rollups=await books.rollups(stack.database("analytics")),
            dashboard=await books.dashboard(statistics),
            cap=authored.cap,
            campaigns=await running(emission, authored),
            welcome=_WELCOME,
        )
    finally:
        await statistics.close()
        await emission.close()
