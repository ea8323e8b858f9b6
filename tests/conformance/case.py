"""A case as it is written, and what the engine is given for it: cart, campaigns, codes, uses."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from services.evaluator.promotion.allocation import round_half_up
from services.evaluator.promotion.basket import Basket, PresentedCode
from services.evaluator.promotion.blocks import Blocks, Span, Subject
from services.evaluator.promotion.history import Purchase, ordered
from services.evaluator.promotion.limits import Limit
from services.evaluator.promotion.ruleset import Ruleset
from services.evaluator.purchases import PaidReceipt, paid_receipt
from services.evaluator.returns import Returned
from shared.codes import normalise
from shared.events.checkout import Cart, CartLine, SoldLine
from shared.events.conditions import PromoCode, walk
from shared.events.promotion import Campaign
from shared.events.values import Location
from tests.builders import cart, given, sale
from tests.conformance.notation import (
    LIMITS,
    PERIODS,
    Json,
    benefit,
    condition,
    formed,
    full,
    money,
    plain,
    quantity,
)

HERE = Path(__file__).parent
_ALONE = "campaign"
_MOST_BYTES = 64


@dataclass(frozen=True)
class Case:
    """One case: ``subject`` is its file, ``written`` what stands there."""

    subject: str
    written: Json

    @property
    def says(self) -> str:
        """Its title."""
        return str(self.written["says"])

    @property
    def name(self) -> str:
        """What tells it apart."""
        return f"{self.subject}: {self.says}"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The store's clock, and the campaigns' unless they have their own."""
        return ZoneInfo(self.written.get("zone", "Europe/Kyiv"))

    @cached_property
    def lines(self) -> tuple[CartLine, ...]:
        """The cart."""
        return tuple(cart_lines(self.written["cart"]))

    @cached_property
    def customer(self) -> Json:
        """Who buys; ``id`` is missing if nobody knows."""
        who = self.written.get("customer", {})
        return {"id": who} if isinstance(who, str) else who

    @cached_property
    def purchases(self) -> tuple[Purchase, ...]:
        """What the customer bought before, by time."""
        return ordered(self._purchases())

    def basket(self) -> Basket:
        """The cart with its circumstances."""
        written, customer = self.written, self.customer
        return Basket(
            store_id=written.get("store", "store-1"),
            occurred_at=instant(written.get("at", "2026-12-10 12:00"), self.zone),
            lines=self.lines,
            receipt_id="this-receipt",
            currency=written.get("currency", "UAH"),
            region=written.get("region", "Kyiv"),
            time_zone=self.zone.key,
            location=_location(written["place"]) if "place" in written else None,
            channel=written.get("channel", "till"),
            device=written.get("device", "till"),
            payment_methods=frozenset(written.get("paid by", ())),
            customer_id=customer.get("id"),
            customer_groups=frozenset(customer.get("groups", ())),
            segments=frozenset(customer.get("segments", ())),
            birthday=customer.get("birthday"),
            purchases=self.purchases,
            codes=tuple(self._presented()),
            blocked=self.blocks().on(self._sent()),
        )

    def blocks(self) -> Blocks:
        """From whom promotions are withheld: since when, and until when if that is written."""
        spans = {}
        for name, written in self.written.get("blocks", {}).items():
            since, _, until = written.partition(" until ")
            kind, _, whose = name.partition(" ")
            ends = instant(until, self.zone) if until else None
            spans[Subject(kind, whose)] = Span(instant(since, self.zone), ends)
        return Blocks(spans)

    def _sent(self) -> Cart:
        """What blocks look at of the cart."""
        return cart(
            store_id=self.written.get("store", "store-1"),
            occurred_at=instant(self.written.get("at", "2026-12-10 12:00"), self.zone),
            customer_id=self.customer.get("id"),
            device_id=self.written.get("device id"),
            cashier_id=self.written.get("cashier"),
        )

    def ruleset(self) -> Ruleset:
        """Its campaigns, with all codes of their emissions there."""
        earlier = [{_ALONE: version} for version in self.written.get("earlier", ())]
        ruleset = Ruleset.empty()
        held: dict[str, int] = {}
        for number, written in enumerate(
            [*earlier, self.written.get("campaigns", {_ALONE: {}})], 1
        ):
            campaigns = [self.campaign(name, one) for name, one in written.items()]
            held |= {e.emission_id: e.posted_codes for c in campaigns for e in c.emissions}
            ruleset = ruleset.with_campaigns(campaigns, number)
        return ruleset.with_codes(held)

    def free(self, limit: Limit) -> int:
        """What others have left of a limit."""
        used: Mapping[str, str] = self.written.get("used", {})
        for name, taken in used.items():
            if limit.limit_id in _limit_ids(name):
                return limit.cap - (money(taken) if limit.money else int(taken))
        return limit.cap

    def campaign(self, campaign_id: str, more: Json) -> Campaign:
        """A campaign of these settings, besides what all of the case's have."""
        written = {**self.written.get("campaign", {}), **more}
        zone = ZoneInfo(written.pop("zone", self.zone.key))
        starts, ends = written.pop("from", "2026-12-05"), written.pop("until", "2027-01-01")
        instruments = written.pop("instruments", None) or self.written["instruments"]
        limits = [formed(one, LIMITS) for one in written.pop("limits", ())]
        draft = {
            "campaign_id": campaign_id,
            "version": 1,
            "name": campaign_id,
            "status": "running",
            "time_zone": zone.key,
            "starts_at": instant(starts, zone).isoformat(),
            "ends_at": instant(ends, zone).isoformat(),
            "instruments": [_instrument(name, one) for name, one in instruments.items()],
            "limits": limits,
            **full(written),
        }
        campaign = Campaign.model_validate_json(json.dumps(draft))
        conditions = [c for i in campaign.instruments for _, c, _ in walk(i.conditions)]
        needed = sorted({c.emission_id for c in conditions if isinstance(c, PromoCode)})
        emissions = [self._emission(emission_id, zone) for emission_id in needed]
        return Campaign.model_validate_json(json.dumps({**draft, "emissions": emissions}))

    def _emission(self, emission_id: str, zone: ZoneInfo) -> Json:
        written = self.written.get("emissions", {}).get(emission_id, {})
        kind = written.get("kind", "mass")
        single_use = plain(written.get("single use", "true" if kind == "personal" else "false"))
        dates = {name: instant(written[name[6:]], zone) for name in ("valid_from", "valid_until") if name[6:] in written}  # fmt: skip
        return {
            "emission_id": emission_id,
            "kind": kind,
            "single_use": single_use,
            "posted_codes": len(written.get("codes", [emission_id])),
            **{name: at.isoformat() for name, at in dates.items()},
        }

    def _presented(self) -> Iterator[PresentedCode]:
        """The codes as they are recognised: what an emission has is compared as typed codes are."""
        known: dict[str, tuple[str, str | None, datetime | None]] = {}
        for emission_id, written in self.written.get("emissions", {}).items():
            for one in written.get("codes", [emission_id]):
                whose, _, until = one.partition(" until ")
                word, _, holder = whose.partition(" for ")
                ends = instant(until, self.zone) if until else None
                known[normalise(word)] = (emission_id, holder or None, ends)
        described = self.written.get("emissions", {})
        for emission in self.ruleset()._held:
            if emission not in described:
                known[normalise(emission)] = (emission, None, None)
        for position, word in enumerate(self.written.get("codes", ())):
            emission_id, holder, ends = known.get(normalise(word), (None, None, None))
            yield PresentedCode(position, digest(word), emission_id, holder, ends)

    def _purchases(self) -> Iterator[Purchase]:
        for n, bought in enumerate(self.written.get("history", ())):
            [(at, lines)] = bought.items()
            yield paid(f"receipt-{n}", instant(at, self.zone), lines).purchase


def _limit_ids(name: str) -> set[str]:
    """What ``ten``, ``ten per day=2026-12-10``, ``ten in money`` or ``code VIP-1`` may be called."""
    if name.startswith("code "):
        return {f"code:{digest(name[5:]).hex()}"}
    name = re.sub(r"(?<=code=)\S+", lambda word: digest(word[0]).hex(), name)
    limit_id = name.replace(" per ", "/~").replace(" in money", "/~money").replace(" in all", "/~")
    return {limit_id, f"{_ALONE}/{limit_id}"}


def digest(word: str) -> bytes:
    """The code itself in place of its keyed digest: the smallest is the first by the alphabet."""
    return normalise(word).encode()[:_MOST_BYTES]


def instant(text: str, zone: ZoneInfo) -> datetime:
    """A local time, or one with an offset ("2026-10-25 03:30+02:00")."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=zone)


def paid(receipt_id: str, at: datetime, lines: list[str]) -> PaidReceipt:
    """A paid receipt of lines with ``; discount`` and ``; returned``."""
    sold = [SoldLine(**_line(n, text, {"discount": money})) for n, text in enumerate(lines, 1)]
    returned = {n: quantity(_options(text)["returned"]) for n, text in enumerate(lines, 1) if "returned" in _options(text)}  # fmt: skip
    discount = sum(line.discount for line in sold)
    made = sale(sold, [given(discount=discount)], receipt_id=receipt_id, occurred_at=at)
    return paid_receipt(made).after({n: Returned(back, 0) for n, back in returned.items()})


def cart_lines(written: list[str]) -> Iterator[CartLine]:
    """``bounty sweets 1.250 × 80.00 = 100.00; brand Bounty; no promo``."""
    for number, text in enumerate(written, 1):
        yield CartLine(**_line(number, text, {}))


def _options(text: str) -> dict[str, str]:
    found = {}
    for option in text.split("; ")[1:]:
        name, _, value = ("no promo", "", "yes") if option == "no promo" else option.rpartition(" ")
        found[name] = value
    return found


_KNOWN: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "brand": ("brand", str),
    "floor": ("min_line_amount", money),
    "unit floor": ("min_unit_price", money),
    "line": ("line", int),
    "no promo": ("no_promo", bool),
    "list": ("list_price", money),
}
_DISCOUNTS = ("staff", "markdown", "manual", "loyalty", "other")


def _line(number: int, text: str, more: Mapping[str, Callable[[str], Any]]) -> Json:
    goods, _, worth = text.partition("; ")[0].partition(" × ")
    *names, amount = goods.split(" ")
    price, _, total = worth.partition(" = ")
    values: Json = {
        "line": number,
        "sku": names[0],
        "group": names[1] if len(names) > 1 else None,
        "quantity": quantity(amount),
        "list_price": money(price),
        "price": money(price),
        "amount": money(total) if total else round_half_up(money(price) * quantity(amount), 1000),
    }
    attributes: dict[str, str] = {}
    for name, value in _options(text).items():
        if name in _DISCOUNTS:
            values["discounts"] = ({"kind": name, "amount": money(value)},)
        elif name in _KNOWN:
            field, read = _KNOWN[name]
            values[field] = read(value)
        elif name in more:
            values[name] = more[name](value)
        elif not name:
            attribute, _, of_it = value.partition("=")
            attributes[attribute] = of_it
        else:
            assert name == "returned", f"not understood: {text}"
    return {**values, "attributes": attributes}


def _location(text: str) -> Location:
    north, east = (int(part.replace(".", "")) for part in text.split(", "))
    return Location(latitude_e6=north, longitude_e6=east)


def _instrument(name: str, written: Json) -> Json:
    rest = {
        key: value
        for key, value in written.items()
        if key not in {"when", "gives", "limits", "period", "repeat", "stacking"}
    }
    stacking, _, group = written.get("stacking", "combinable").partition(" of ")
    repeat = written.get("repeat")
    period = written.get("period", "campaign")
    return {
        "instrument_id": name,
        "name": name,
        "conditions": [condition(one) for one in written.get("when", ())],
        "benefit": benefit(written["gives"]),
        "processing_period": period if period == "campaign" else formed(period, PERIODS),
        "stacking": "best_of" if group else stacking,
        "best_of": group or None,
        "repeat": None
        if repeat is None
        else {"max_times": None if repeat == "yes" else int(repeat)},
        "limits": [formed(one, LIMITS) for one in written.get("limits", ())],
        **full(rest),
    }


def cases() -> Iterator[Case]:
    """Every case of every file; those of one setting ("cases") each with what they share."""
    for path in sorted(HERE.glob("*.yaml")):
        for written in yaml.load(path.read_text(), Loader=yaml.BaseLoader):  # noqa: S506 - texts only
            shared = {key: value for key, value in written.items() if key != "cases"}
            for one in written.get("cases", ({},)):
                says = " - ".join([x["says"] for x in (written, one) if "says" in x])
                yield Case(path.stem, {**shared, **one, "says": says})
