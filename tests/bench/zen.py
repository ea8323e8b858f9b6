"""The same campaigns as a decision table of zen-engine (JSON decision model, hit policy collect).

A row is a campaign of one instrument, a column a kind of condition, in the order of the language's
description. A cell that compares one fact is of a column with that fact (zen compiles those to less);
others are expressions over the facts. Of goods they look at the lines, as one writes a rule over a
cart; or (``looks_up``) at sums by sku, group, brand and attribute that were worked out beforehand for
every value, which makes them as cheap as the table allows.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import zen

from services.evaluator.promotion.basket import Basket
from services.evaluator.promotion.conditions.circumstances import distance_m
from services.evaluator.promotion.history import within
from shared.events.checkout import CartLine
from shared.events.values import Location
from tests.bench.campaigns import POINTS, STARTS, Json, group

Of = Callable[[str, Json], str | None]
"""The expression for a fact of selected products; None: of all of them."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FACTS = {
    "receipt_total": "total",
    "receipt_quantity": "quantity",
    "line_count": "line_count",
    "purchase_count": "purchases_of_30_days",
    "purchase_sum": "spent_this_month",
    "days_since_purchase": "days_since_purchase",
    "channel": "channel",
    "device": "device",
    "weekday": "weekday",
    "currency": "currency",
    "store": "store",
    "region": "region",
    "customer_known": "known",
    "first_purchase": "first",
}
"""Columns that compare one fact."""
_COLUMNS = (
    *("from", "until"),
    *("receipt_total", "receipt_quantity", "line_count", "payment_method", "channel", "device"),
    *("time_of_day", "weekday", "currency"),
    *("product_quantity", "product_sum", "product_presence", "product_mix", "promo_code"),
    *("customer_group", "customer_segment", "customer_known", "first_purchase", "birthday"),
    *("purchase_count", "purchase_sum", "product_purchases", "days_since_purchase"),
    *("store", "region", "near", "all", "any", "not", "tiers"),
)


def matcher(campaigns: Sequence[Json], *, looks_up: bool) -> Callable[[Basket], set[str]]:
    """From a basket to the campaigns that are met; the table is compiled once."""
    decision = _table(campaigns, _summed_up if looks_up else _over_lines)

    def met(basket: Basket) -> set[str]:
        result = decision.evaluate(_facts(basket, looks_up=looks_up))["result"]
        return {row["campaign"] for row in result}

    return met


def _table(campaigns: Sequence[Json], of: Of) -> Any:
    columns = [_column(name) for name in _COLUMNS]
    content = {
        "hitPolicy": "collect",
        "inputs": columns,
        "outputs": [{"id": "campaign", "name": "campaign", "field": "campaign"}],
        "rules": [_row(n, campaign, of) for n, campaign in enumerate(campaigns)],
    }
    at = {"position": {"x": 0, "y": 0}}
    model = {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [
            {"id": "cart", "name": "cart", "type": "inputNode", **at},
            {"id": "met", "name": "met", "type": "decisionTableNode", "content": content, **at},
            {"id": "answer", "name": "answer", "type": "outputNode", **at},
        ],
        "edges": [
            {"id": "in", "sourceId": "cart", "targetId": "met", "type": "edge"},
            {"id": "out", "sourceId": "met", "targetId": "answer", "type": "edge"},
        ],
    }
    return zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps(model)))


def _column(name: str) -> dict[str, str]:
    field = {"from": "now", "until": "now"}.get(name) or _FACTS.get(name)
    return {"id": name, "name": name, **({"field": field} if field else {})}


def _row(number: int, campaign: Json, of: Of) -> dict[str, str]:
    [instrument] = campaign["instruments"]
    row = {
        "_id": str(number),
        "from": f">= {_seconds(campaign['starts_at'])}",
        "until": f"< {_seconds(campaign['ends_at'])}",
        "campaign": json.dumps(campaign["campaign_id"]),
    }
    benefit = instrument["benefit"]
    if benefit["kind"] == "bonuses":
        row["customer_known"] = "true"
    if benefit["kind"] == "tiers":
        least = min(tier["at_least"] for tier in benefit["tiers"])
        row["tiers"] = f"{of('sums', benefit['products']) or 'total'} >= {least}"
    for condition in instrument["conditions"]:
        kind = condition["kind"]
        row[kind] = _cell(condition) if kind in _FACTS else _expression(condition, of)
    return row


def _seconds(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp())


def _cell(condition: Json) -> str:
    """A cell of a column that has a fact."""
    match condition["kind"]:
        case "customer_known" | "first_purchase":
            return "true"
        case "channel" | "device" | "weekday" | "currency" | "store" | "region" as kind:
            return ", ".join(_quoted(one) for one in _named(condition, kind))
        case _:
            return f">= {condition['compare']['value']}"


def _named(condition: Json, kind: str) -> Sequence[str]:
    fields = {"weekday": "days", "currency": "currencies"}
    names: Sequence[str] = condition[fields.get(kind, f"{kind}s")]
    return names


def _quoted(name: str) -> str:
    return f"'{name}'"


def _expression(condition: Json, of: Of) -> str:  # noqa: C901, PLR0911 - one for each kind
    """The condition as an expression over the facts."""
    match condition["kind"]:
        case "receipt_total" | "receipt_quantity" | "line_count" as kind:
            return f"{_FACTS[kind]} >= {condition['compare']['value']}"
        case "channel":
            return f"channel in [{_cell(condition)}]"
        case "product_quantity":
            return f"{of('quantities', condition['products'])} >= {condition['compare']['value']}"
        case "product_sum":
            return f"{of('sums', condition['products'])} >= {condition['compare']['value']}"
        case "product_purchases":
            return f"{of('bought', condition['products'])} >= {condition['compare']['value']}"
        case "product_presence":
            return f"{of('counts', condition['products'])} >= 1"
        case "product_mix":
            return _mix(condition["parts"], of)
        case "promo_code":
            name = "own_codes" if condition.get("own") else "codes"
            return f"{_quoted(condition['emission_id'])} in {name}"
        case "customer_group":
            return " or ".join(f"{_quoted(one)} in groups" for one in condition["groups"])
        case "customer_segment":
            return " or ".join(f"{_quoted(one)} in segments" for one in condition["segments"])
        case _:
            return _other(condition, of)


def _other(condition: Json, of: Of) -> str:  # noqa: PLR0911 - one for each kind
    match condition["kind"]:
        case "payment_method":
            listed = ", ".join(_quoted(one) for one in condition["methods"])
            return f"len(paid) > 0 and all(paid, # in [{listed}])"
        case "time_of_day":
            starts, ends = (int(condition[end][:2]) * 3_600 for end in ("starts", "ends"))
            return f"time >= {starts} and time < {ends}"
        case "birthday":
            before, after = condition["days_before"], condition["days_after"]
            return f"known and birthday_in >= {-after} and birthday_in <= {before}"
        case "near":
            point = f"p{condition['latitude_e6']}"
            return f"distances.{point} <= {condition['radius_m']}"
        case "all":
            return " and ".join(f"({_expression(one, of)})" for one in condition["conditions"])
        case "any":
            return " or ".join(f"({_expression(one, of)})" for one in condition["conditions"])
        case "not":
            return f"not ({_expression(condition['condition'], of)})"
        case kind:
            raise ValueError(kind)


def _mix(parts: Sequence[Json], of: Of) -> str:
    """One of a product and one of a group: what the product has does not count for its group."""
    sku, others = parts
    [name], [group_name] = sku["products"]["skus"], others["products"]["groups"]
    there = of("quantities", sku["products"])
    rest = of("quantities", others["products"])
    if group(int(name.removeprefix("sku-"))) == group_name:
        rest = f"({rest}) - ({there})"
    return f"{there} >= {sku['quantity']} and {rest} >= {others['quantity']}"


def _summed_up(fact: str, products: Json) -> str | None:
    """A fact of products that no two selectors share, less the excluded, looked up by value."""
    names = [value for values in _selected(products).values() for value in values]
    if not names:
        return None
    found = " + ".join(f"({fact}['{name}'] ?? 0)" for name in names)
    if "exclude" in products:
        found += f" - ({_summed_up(fact, products['exclude'])})"
    return found


def _over_lines(fact: str, products: Json) -> str | None:
    """A fact of products, gathered from the lines."""
    selected = _selected(products)
    if not selected:
        return None
    test = " or ".join(_line_has(*one) for one in selected.items())
    if "exclude" in products:
        out = " or ".join(_line_has(*one) for one in _selected(products["exclude"]).items())
        test = f"({test}) and not ({out})"
    match fact:
        case "counts":
            return f"len(filter(lines, {test}))"
        case "bought":
            return f"sum(map(filter(past, {test}), #.quantity))"
        case _:
            return f"sum(map(filter(lines, {test}), #.{_FIELDS[fact]}))"


_FIELDS = {"quantities": "quantity", "sums": "amount"}


def _selected(products: Json) -> dict[str, Sequence[str]]:
    """Values by the field of a line."""
    fields = {"sku": "skus", "group": "groups", "brand": "brands"}
    found = {one: products[many] for one, many in fields.items() if products.get(many)}
    for attribute in products.get("attributes", ()):
        found[f"attributes.{attribute['name']}"] = attribute["values"]
    return found


def _line_has(field: str, values: Sequence[str]) -> str:
    return " or ".join(f"#.{field} == {_quoted(value)}" for value in values)


def _facts(basket: Basket, *, looks_up: bool) -> dict[str, Any]:
    """What the table's cells ask for. A fact that there is not is left out: nothing compares with it."""
    lines = [x for x in basket.lines if not x.no_promo and not any(d.amount for d in x.discounts)]
    local = basket.occurred_at.astimezone(ZoneInfo(basket.time_zone))
    found: dict[str, Any] = {
        "now": int(basket.occurred_at.timestamp()),
        "total": sum(x.amount for x in lines),
        "quantity": sum(x.quantity for x in lines),
        "line_count": len(lines),
        "paid": list(basket.payment_methods),
        "channel": basket.channel,
        "device": basket.device,
        "time": local.hour * 3600 + local.minute * 60 + local.second,
        "weekday": _DAYS[local.weekday()],
        "currency": basket.currency,
        "codes": [c.emission_id for c in basket.codes if c.emission_id],
        "own_codes": [
            c.emission_id for c in basket.codes if c.holder and c.holder == basket.customer_id
        ],
        "groups": list(basket.customer_groups),
        "segments": list(basket.segments),
        "known": basket.customer_id is not None,
        "past": [],
        "store": basket.store_id,
        "region": basket.region,
        "distances": _distances(basket.location),
    }
    if basket.customer_id:
        found |= _history(basket, local)
    if looks_up:
        by_key = [(key, line) for line in lines for key in _keys(line)]
        found["quantities"] = _summed((key, x.quantity) for key, x in by_key)
        found["sums"] = _summed((key, x.amount) for key, x in by_key)
        found["counts"] = _summed((key, 1) for key, _ in by_key)
        found["bought"] = _summed((x["sku"], x["quantity"]) for x in found.pop("past"))
    else:
        found["lines"] = [
            {
                "sku": x.sku,
                "group": x.group,
                "brand": x.brand,
                "attributes": x.attributes,
                "quantity": x.quantity,
                "amount": x.amount,
            }
            for x in lines
        ]
    return found


def _keys(line: CartLine) -> tuple[str, ...]:
    return (line.sku, line.group or "", line.brand or "", *line.attributes.values())


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in pairs:
        found[key] = found.get(key, 0) + value
    return found


def _distances(place: Location | None) -> Mapping[str, int]:
    if place is None:
        return {}
    return {
        f"p{latitude}": distance_m(Location(latitude_e6=latitude, longitude_e6=longitude), place)
        for latitude, longitude in POINTS
    }


def _history(basket: Basket, local: datetime) -> dict[str, Any]:
    at, purchases = basket.occurred_at, basket.purchases
    month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    recent = within(purchases, at - timedelta(days=30), at)
    since_start = within(purchases, STARTS, at)
    found: dict[str, Any] = {
        "purchases_of_30_days": len(recent),
        "spent_this_month": sum(x.amount for p in within(purchases, month, at) for x in p.lines),
        "past": [{"sku": x.sku, "quantity": x.quantity} for p in recent for x in p.lines],
        "first": not purchases,
    }
    if basket.birthday:
        day = local.replace(month=int(basket.birthday[:2]), day=int(basket.birthday[3:]))
        found["birthday_in"] = (day.date() - local.date()).days
    if since_start:
        found["days_since_purchase"] = (at - since_start[-1].occurred_at) // timedelta(days=1)
    return found
