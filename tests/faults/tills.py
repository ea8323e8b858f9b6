"""Tills at work: each sees to one receipt after another, and retries what it hears nothing of."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic_extra_types.currency_code import ISO4217

from shared import clock
from shared.events.checkout import (
    Cart,
    CartLine,
    GivenBenefit,
    Payment,
    Return,
    ReturnedLine,
    Sale,
    SoldLine,
)
from shared.events.outcome import Decision
from tests.faults.answers import Answers
from tests.faults.book import Book, Page, Sent
from tests.faults.errands import Errand, Goods
from tests.faults.leases import Leases
from tests.faults.offers import FIRST_FROM, Offers
from tests.faults.ways import Way
from tests.integration.shop import CURRENCY, sale_of

TILLS = 16
_RECEIPT_SECONDS = 3.0
_FIRST_OFF = 100


@dataclass
class Gate:
    """Lets so many receipts be begun, so that each fault finds the load where its schedule says."""

    limit: int = 0
    begun: int = 0
    _moved: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def enter(self) -> None:
        """Wait until one more may be begun, and begin it."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.begun < self.limit)
            self.begun += 1
            self._moved.notify_all()

    async def open(self, limit: int) -> None:
        """Let so many be begun in all."""
        async with self._moved:
            self.limit = limit
            self._moved.notify_all()

    async def reached(self, count: int) -> None:
        """Wait until so many have been begun."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.begun >= count)


@dataclass
class Till:
    """One terminal. It reaches the product by ``way``, and pays some receipts by the ``other``."""

    number: int
    offers: Offers
    way: Way
    other: Way
    answers: Answers
    book: Book
    leases: Leases

    @property
    def store(self) -> str:
        """Where it stands."""
        return self.offers.stores[self.number % len(self.offers.stores)]

    async def work(self, errands: Sequence[Errand], gate: Gate) -> None:
        """See to one errand after another."""
        for errand in errands:
            await gate.enter()
            await self._see_to(errand)
            await asyncio.sleep(errand.pause_seconds)

    async def _see_to(self, errand: Errand) -> None:
        page = self.book.page(f"{self.offers.run}-{errand.number}")
        if errand.end in ("offline", "cart after"):
            await self._sell(self._offline(errand), errand)
            if errand.end == "cart after":
                await self._ask(self._cart(errand, 0))
        else:
            asked, decision = await self._asked(errand)
            if errand.echo:
                await self.way.ask(page.carts[0])
            if errand.end == "cancel":
                over = asked.model_copy(update=_cancel(asked))
                await self.way.cancel(self._written(over, ["unknown_receipt"]))
            if errand.end in ("cancel", "abandon"):
                return
            if decision is None:
                await self._sell(self._offline(errand), errand)
            else:
                await self._pay(page, errand, asked, decision)
        await self._afterwards(page, errand)

    async def _asked(self, errand: Errand) -> tuple[Cart, Decision | None]:
        """Ask for every revision in turn; the last one, with its decision if one came."""
        asked = self._cart(errand, 0)
        decision = await self._ask(asked)
        for revision in range(1, len(errand.baskets)):
            asked = self._cart(errand, revision)
            decision = await self._ask(asked)
        return asked, decision

    async def _ask(self, cart: Cart) -> Decision | None:
        """Send a cart until it is answered; a till gives up at last, and sells without."""
        decision = await self.way.ask(self._written(cart))
        self.book.counts["not answered"] += decision is None
        return decision

    def _written(self, cart: Cart, may_die: Sequence[str] = ()) -> Sent:
        return self.book.write(f"{cart.receipt_id}-c{cart.revision}", cart, may_die)

    async def _pay(self, page: Page, errand: Errand, asked: Cart, decision: Decision) -> None:
        if errand.end == "late" and decision.expires_at is not None:
            over = decision.expires_at + timedelta(seconds=errand.late_seconds)
            await asyncio.sleep(max(0.0, (over - clock.now()).total_seconds()))
        while True:
            sale = _with_points(sale_of(asked, decision), decision)
            withheld = errand.withholds and bool(sale.given)
            if withheld:
                sale = _with_points(_without_the_last(sale, decision), decision)
            page.followed = decision
            if await self._sell(sale, errand, as_decided=not withheld):
                return
            page.followed = None
            asked = asked.model_copy(update={"revision": asked.revision + 1})
            again = await self._ask(asked)
            if again is None:
                await self._sell(self._offline(errand, asked.revision), errand)
                return
            decision = again

    async def _sell(self, sale: Sale, errand: Errand, *, as_decided: bool = False) -> bool:
        """Pay; False if what was decided is not to be had any more."""
        # Of two events for one sale whichever comes first is recorded; they say the same.
        may_die = ["already_paid"] if errand.again else []
        name = f"{sale.receipt_id}-s{sale.revision}"
        sent = self.book.write(name, sale, [*may_die, *(["hold_expired"] if as_decided else [])])
        way = self.other if errand.switches else self.way
        if await way.pay(sent, as_decided=as_decided):
            return True
        self.book.strike(sent)
        self.book.counts["hold expired"] += 1
        return False

    async def _afterwards(self, page: Page, errand: Errand) -> None:
        sale = page.paid
        if sale is None:
            return
        if errand.again:
            again = self.book.write(f"{sale.receipt_id}-again", sale, ["already_paid"])
            await self.way.pay(again, as_decided=False)
        if errand.echo and page.carts:
            await self.way.ask(page.carts[-1])
        if errand.brings_back == "nothing":
            return
        if not errand.hurries:
            await self.answers.receipt(sale.receipt_id, _RECEIPT_SECONDS)
        numbers = itertools.count()
        for lines in _brought_back(sale, errand):
            event = self._return(sale, errand, lines)
            while True:
                name = f"{sale.receipt_id}-r{next(numbers)}"
                sent = self.book.write(name, event, ["unknown_receipt"])
                if await self.way.take_back(sent):
                    break
                self.book.strike(sent)
                await self.answers.receipt(sale.receipt_id, _RECEIPT_SECONDS)

    def _return(self, sale: Sale, errand: Errand, lines: tuple[ReturnedLine, ...]) -> Return:
        other = self.offers.stores[(self.number + 1) % len(self.offers.stores)]
        return Return(
            intent="return",
            receipt_id=sale.receipt_id,
            store_id=other if errand.hurries else sale.store_id,
            terminal_id="service" if errand.hurries else sale.terminal_id,
            occurred_at=clock.now(),
            lines=lines,
            policy="reprice" if errand.reprices else "proportional",
        )

    def _cart(self, errand: Errand, revision: int) -> Cart:
        customer = errand.customer
        return Cart(
            receipt_id=f"{self.offers.run}-{errand.number}",
            revision=revision,
            store_id=self.store,
            terminal_id=f"t{self.number}",
            occurred_at=clock.now(),
            currency=ISO4217(CURRENCY),
            customer_id=None if customer is None else self.offers.customers[customer],
            codes=tuple(
                self.offers.word if code == "word" else self.offers.codes[int(code)]
                for code in errand.codes
            ),
            pay_bonuses=0 if customer is None else errand.points,
            lines=tuple(map(_line, range(1, 100), errand.baskets[revision])),
        )

    def _offline(self, errand: Errand, revision: int | None = None) -> Sale:
        """The sale of a till that has no decision: it gives what it believes to be right."""
        cart = self._cart(errand, len(errand.baskets) - 1)
        cart = cart.model_copy(update={"revision": cart.revision if revision is None else revision})
        claims = errand.claims and cart.lines[0].amount >= _FIRST_OFF
        off = _FIRST_OFF if claims else 0
        due = sum(line.amount for line in cart.lines) >= FIRST_FROM
        given = GivenBenefit(
            campaign_id=self.offers.campaign_id,
            instrument_id=self.offers.instrument("first"),
            discount=off,
            lease_id=self.leases.take(self.store) if off and due else None,
        )
        return Sale(
            **cart.model_dump(exclude={"lines", "intent", *_ONLY_CARTS}),
            lines=tuple(
                SoldLine(**dict(line), discount=off if line.line == 1 else 0) for line in cart.lines
            ),
            given=(given,) if off else (),
        )


_ONLY_CARTS = ("payment_methods", "price_groups", "pay_bonuses")


def _line(number: int, goods: Goods) -> CartLine:
    return CartLine(
        line=number,
        sku=f"{goods.group}-{goods.price}",
        group=goods.group,
        quantity=goods.pieces * 1_000,
        list_price=goods.price,
        price=goods.price,
        amount=goods.price * goods.pieces,
    )


def _brought_back(sale: Sale, errand: Errand) -> list[tuple[ReturnedLine, ...]]:
    """The lines of each return; none: all of them. A piece and its rest may come in any order."""
    if errand.brings_back == "all":
        return [()]
    first, *others = sale.lines
    rest = [(first.line, first.quantity - 1_000), *((line.line, line.quantity) for line in others)]
    left = tuple(ReturnedLine(line=line, quantity=amount) for line, amount in rest if amount)
    again = [left] if errand.comes_again and left else []
    return [(ReturnedLine(line=first.line, quantity=1_000),), *again]


def _cancel(cart: Cart) -> dict[str, object]:
    return {"intent": "cancel", "revision": cart.revision + 1, "lines": ()}


def _with_points(sale: Sale, decision: Decision) -> Sale:
    """The sale with its payments: the points that are held for it, and cash."""
    due = sum(line.amount - line.discount for line in sale.lines)
    points = Payment(method="bonuses", amount=decision.bonuses_held)
    cash = Payment(method="cash", amount=due - points.amount)
    return sale.model_copy(update={"payments": (points, cash) if points.amount else (cash,)})


def _without_the_last(sale: Sale, decision: Decision) -> Sale:
    """The sale of a till that does not give one of the benefits decided."""
    *kept, left_out = sale.given
    [benefit] = [
        a
        for a in decision.applied
        if (a.campaign_id, a.instrument_id) == (left_out.campaign_id, left_out.instrument_id)
    ]
    shares = {share.line: share.discount for share in benefit.lines}
    lines = tuple(
        line.model_copy(update={"discount": line.discount - shares.get(line.line, 0)})
        for line in sale.lines
    )
    return sale.model_copy(update={"given": tuple(kept), "lines": lines})
