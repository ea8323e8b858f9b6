"""The short notation of conditions and benefits, turned into the language's own JSON.

A form is a pattern and what its parts mean. A mapping with a ``kind`` is the language itself, with
amounts as they are written in the short forms: 12.50, 10%, quantities as 3 or 1.250.
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

Json = dict[str, Any]
Form = tuple[str, Callable[..., Json]]
_QUANTITIES = {"buy", "get", "max_units", "units", "quantity"}
_OP = r"(>=|<=|>|<|=|between) (.+)"
_ON = r"(?: (.+))?"


def money(text: str) -> int:
    """12.50 as minor units."""
    return _scaled(text, 100)


def quantity(text: str) -> int:
    """3 or 1.250 as thousandths."""
    return _scaled(text, 1000)


def percent(text: str) -> int:
    """10% or 12.5% as basis points."""
    return _scaled(text.removesuffix("%"), 100)


def _scaled(text: str, scale: int) -> int:
    number = Decimal(text) * scale
    assert number == int(number), f"{text}: has too many decimals"
    return int(number)


def products(text: str | None) -> Json:
    """``sweets|brand:Mars|season:winter except sku:box``: a group, unless another kind is named."""
    chosen, _, excluded = (text or "everything").partition(" except ")
    found = {} if chosen == "everything" else _selectors(chosen)
    return {**found, "exclude": _selectors(excluded)} if excluded else found


def _selectors(text: str) -> Json:
    found: Json = {}
    for one in text.split("|"):
        kind, _, value = one.rpartition(":")
        if kind in {"", "group", "sku", "brand"}:
            found.setdefault(f"{kind or 'group'}s", []).append(value)
        else:
            found.setdefault("attributes", []).append({"name": kind, "values": [value]})
    return found


def _compared(unit: Callable[[str], int], op: str, value: str) -> Json:
    values = [unit(part) for part in value.split(" and ")]
    return {"op": op, "value": values[0], **({"upper": values[1]} if len(values) > 1 else {})}


def _amount(kind: str, unit: Callable[[str], int]) -> Callable[..., Json]:
    return lambda op, value: {"kind": kind, "compare": _compared(unit, op, value)}


def _of(kind: str, unit: Callable[[str], int], **more: str) -> Callable[..., Json]:
    return lambda selection, op, value: {
        "kind": kind,
        "products": products(selection),
        "compare": _compared(unit, op, value),
        **more,
    }


def _names(kind: str, field: str) -> Callable[..., Json]:
    return lambda names: {"kind": kind, field: names.split(" or ")}


def _parts(text: str) -> list[tuple[str, str]]:
    """``2 of A + B`` as quantities and names."""
    found = [part.rpartition(" of ") for part in text.split(" + ")]
    return [(amount or "1", name) for amount, _, name in found]


CONDITIONS: Sequence[Form] = (
    (rf"total {_OP}", _amount("receipt_total", money)),
    (rf"quantity {_OP}", _amount("receipt_quantity", quantity)),
    (rf"lines {_OP}", _amount("line_count", int)),
    (rf"quantity of (.+?) {_OP}", _of("product_quantity", quantity)),
    (rf"sum of (.+?) {_OP}", _of("product_sum", money)),
    (r"has (.+)", lambda text: {"kind": "product_presence", "products": products(text)}),
    (r"mix (.+)", lambda text: {"kind": "product_mix", "parts": [
        {"quantity": quantity(n), "products": products(x)} for n, x in _parts(text)]}),
    (r"(own )?code (\S+?)(?: as (\S+))?(?: up to (\d+))?", lambda own, emission, name, cap: {
        "kind": "promo_code", "emission_id": emission, "own": bool(own),
        **({"condition_id": name} if name else {}), **({"cap": int(cap)} if cap else {})}),
    (r"group (.+)", _names("customer_group", "groups")),
    (r"segment (.+)", _names("customer_segment", "segments")),
    (r"customer (known|unknown)", lambda x: {"kind": "customer_known", "known": x == "known"}),
    (r"first purchase", lambda: {"kind": "first_purchase"}),
    (r"birthday(?: −(\d+))?(?: \+(\d+))?", lambda before, after: {
        "kind": "birthday", "days_before": int(before or 0), "days_after": int(after or 0)}),
    (rf"purchases {_OP}", _amount("purchase_count", int)),
    (rf"spent {_OP}", _amount("purchase_sum", money)),
    (rf"bought quantity of (.+?) {_OP}", _of("product_purchases", quantity, measure="quantity")),
    (rf"bought sum of (.+?) {_OP}", _of("product_purchases", money, measure="sum")),
    (rf"receipts with (.+?) {_OP}", _of("product_purchases", int, measure="receipts")),
    (rf"days since purchase {_OP}", _amount("days_since_purchase", int)),
    (r"store (.+)", _names("store", "stores")),
    (r"region (.+)", _names("region", "regions")),
    (r"within (\d+) m of (\S+), (\S+)", lambda radius, north, east: {
        "kind": "near", "radius_m": int(radius),
        "latitude_e6": _scaled(north, 10**6), "longitude_e6": _scaled(east, 10**6)}),
    (r"paid by (.+)", _names("payment_method", "methods")),
    (r"channel (.+)", _names("channel", "channels")),
    (r"device (.+)", _names("device", "devices")),
    (r"currency (.+)", _names("currency", "currencies")),
    (r"from (\S+) to (\S+)", lambda x, y: {"kind": "time_of_day", "starts": x, "ends": y}),
    (r"on (.+)", _names("weekday", "days")),
)  # fmt: skip


def _off(kind: str, **values: Any) -> Json:
    selection = values.pop("on", None)
    return {"kind": kind, **values, **({"products": products(selection)} if selection else {})}


def _gifts(text: str) -> list[Json]:
    return [{"sku": sku, "quantity": quantity(n)} for n, sku in _parts(text)]


BENEFITS: Sequence[Form] = (
    (rf"(\S+%) off{_ON}", lambda x, on: _off("percent_off", percent=percent(x), on=on)),
    (rf"(\S+) off each{_ON}", lambda x, on: _off("amount_off", amount=money(x), per_unit=True, on=on)),
    (rf"(\S+) off{_ON}", lambda x, on: _off("amount_off", amount=money(x), on=on)),
    (r"(.+) at (\S+) each", lambda on, x: _off("fixed_price", price=money(x), on=on)),
    (r"(\S+) (\S+) for (\S+)", lambda n, on, x:
        _off("fixed_price", units=quantity(n), price=money(x), on=on)),
    (r"buy (\S+) of (.+) get (\S+) of (.+)", lambda n, on, m, rewards:
        _off("buy_get", buy=quantity(n), get=quantity(m), on=on, rewards=products(rewards))),
    (r"buy (\S+) get (\S+)(?: of (.+))?", lambda n, m, on:
        _off("buy_get", buy=quantity(n), get=quantity(m), on=on)),
    (rf"cheapest of (\d+){_ON}", lambda n, on: _off("cheapest_free", of=quantity(n), on=on)),
    (r"(\S+%) bonuses(?: on (.+))?", lambda x, on: _off("bonuses", percent=percent(x), on=on)),
    (r"(\d+) bonuses(?: on (.+))?", lambda x, on: _off("bonuses", fixed=int(x), on=on)),
    (r"gift (.+)", lambda text: {"kind": "gift_goods", "gifts": _gifts(text)}),
    (r"choose (\d+) of (.+)", lambda n, text:
        {"kind": "gift_goods", "choose": int(n), "gifts": _gifts(text)}),
)  # fmt: skip
OPTIONS: Sequence[Form] = (
    (r"up to (\d+\.\d\d)", lambda x: {"max_discount": money(x)}),
    (r"up to (\d+) points", lambda x: {"max_points": int(x)}),
    (r"of the original", lambda: {"of": "original"}),
    (r"(\S+) units", lambda n: {"max_units": quantity(n)}),
    (r"(\S+) (cheapest|dearest)", lambda n, pick: {"max_units": quantity(n), "pick": pick}),
    (r"at most (\d+) times", lambda n: {"max_times": int(n)}),
    (r"at (\S+%) off", lambda x: {"percent": percent(x)}),
    (r"and (\d+) bonuses", lambda x: {"fixed": int(x)}),
)
LIMITS: Sequence[Form] = (
    (r"(\d+) in all", lambda n: {"redemptions": int(n)}),
    (r"(\S+) in all", lambda x: {"money": money(x)}),
    (r"(\d+) per (.+)", lambda n, per: {"redemptions": int(n), "per": per.split("+")}),
    (r"(\S+) per (.+)", lambda x, per: {"money": money(x), "per": per.split("+")}),
)
PERIODS: Sequence[Form] = (
    (r"last (\d+) days", lambda n: {"kind": "rolling", "days": int(n)}),
    (r"calendar (day|week|month)", lambda unit: {"kind": "calendar", "unit": unit}),
    (r"every (\d+) days", lambda n: {"kind": "consecutive", "days": int(n)}),
)


def formed(text: str, forms: Sequence[Form]) -> Json:
    """The meaning of a text by the first form that it has."""
    for pattern, meaning in forms:
        if found := re.fullmatch(pattern, text):
            meant: Json = meaning(*found.groups())
            return meant
    message = f"not understood: {text}"
    raise ValueError(message)


def condition(written: Any) -> Json:
    """A condition: a short form; ``all``, ``any`` or ``not`` of others; or the language itself."""
    if isinstance(written, str):
        return formed(written, CONDITIONS)
    if "not" in written:
        return {"kind": "not", "condition": condition(written["not"])}
    for kind in ("all", "any"):
        if kind in written:
            return {"kind": kind, "conditions": [condition(one) for one in written[kind]]}
    return full(written)


def benefit(written: Any) -> Json:
    """A benefit: a short form with options; tiers as ``from: benefit``; or the language itself."""
    if isinstance(written, str):
        first, *options = written.split(", ")
        found = formed(first, BENEFITS)
        for option in options:
            found |= formed(option, OPTIONS)
        return found
    return full(written) if "kind" in written else _tiers(written)


def _tiers(written: Json) -> Json:
    by, _, selection = written.get("by", "sum").partition(" of ")
    unit = money if by == "sum" else quantity
    tiers = []
    for bounds, given in [(key, value) for key, value in written.items() if key != "by"]:
        least, _, below = bounds.partition(" – ")
        tier = {"at_least": unit(least), "benefit": benefit(given)}
        tiers.append({**tier, "below": unit(below)} if below else tier)
    return _off("tiers", by=by, tiers=tiers, on=selection or None)


def full(written: Json) -> Json:
    """The language's own JSON, its amounts written for people."""
    return {name: plain(value, name) for name, value in written.items()}


def plain(written: Any, field: str = "") -> Any:
    """The value of a field: 12.50, 10%, 1.250 and 3 as the whole numbers that they stand for."""
    if isinstance(written, dict):
        return full(written)
    if isinstance(written, list):
        return [plain(one, field) for one in written]
    forms: tuple[tuple[str, Callable[[str], Any]], ...] = (
        (r"[\d.]+%", percent),
        (r"\d+(\.\d{3})?" if field in _QUANTITIES else r"\d+\.\d{3}", quantity),
        (r"\d+\.\d\d", money),
        (r"-?\d+", int),
        (r"true|false", lambda text: text == "true"),
    )
    for pattern, read in forms:
        if re.fullmatch(pattern, written):
            return read(written)
    return written
