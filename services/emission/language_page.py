"""``docs/language.md``: the promotion language for people, from the schema and the examples."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from services.emission.examples import BENEFITS, CONDITIONS, INSTRUMENTS, Example
from services.emission.language import as_json, description, schema
from shared.events.values import Event

_PARTS = ("Comparison", "Products", "Selectors", "Attribute", "Tier", "Gift")
_RULES = ("LimitRule", "Repeat", "Rolling", "Calendar", "Consecutive")
_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
_FEW = 10


def page() -> str:
    """``docs/language.md``: every kind with its example, and the fields of all parts."""
    return (
        "\n".join(
            [
                "# The promotion language",
                "",
                "Generated from the models and their examples (`make contracts`); each example is run by",
                "a test. The same, with a JSON Schema, is at `GET /v1/language` of emission. Money is in",
                "minor units (30000 = 300.00), quantities in thousandths (1000 = a piece or a kilogram),",
                "percentages in basis points (1000 = 10%).",
                "",
                "## Instruments",
                "",
                "Conditions, all of which must be met, and a benefit.",
                "",
                *_fields_of(["Instrument", *_RULES]),
                *(line for says, one in INSTRUMENTS for line in (says, "", *_shown(one))),
                "## Conditions",
                "",
                *(line for one in CONDITIONS for line in _entry(one)),
                "## Benefits",
                "",
                *(line for one in BENEFITS for line in _entry(one)),
                "## What they are made of",
                "",
                *_fields_of(_PARTS),
            ]
        ).rstrip("\n")
        + "\n"
    )


def _entry(one: Example) -> list[str]:
    return [
        f"### {one.title}: `{one.part.kind}`",
        "",
        description(one.part),
        "",
        *_table(schema()["$defs"][type(one.part).__name__]),
        f"Example: *{one.says}*",
        "",
        *_shown(one.part),
    ]


def _shown(part: Event) -> list[str]:
    text = json.dumps(as_json(part), ensure_ascii=False, indent=2)
    return ["```json", text, "```", ""]


def _fields_of(names: Sequence[str]) -> Iterator[str]:
    document = schema()
    parts = document["$defs"] | {"Instrument": document}
    for name in names:
        yield from (f"### {name}", "", parts[name]["description"], "", *_table(parts[name]))


def _table(part: dict[str, Any]) -> list[str]:
    fields = {name: field for name, field in part["properties"].items() if name != "kind"}
    if not fields:
        return []
    required = part.get("required", [])
    return [
        "| Field | What it is | |",
        "| --- | --- | --- |",
        *(
            f"| `{name}` | {_type_of(field)} | {_presence(field, name in required)} |"
            for name, field in fields.items()
        ),
        "",
    ]


def _presence(field: dict[str, Any], is_required: bool) -> str:
    if is_required:
        return "required"
    default = field.get("default")
    return f"default `{json.dumps(default)}`" if default not in (None, [], {}) else ""


def _type_of(field: dict[str, Any]) -> str:
    """In a few words: names of parts, values of enumerations, bounds and units."""
    if "$ref" in field:
        return str(field["$ref"].rsplit("/", 1)[-1])
    options = [one for one in field.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        return " or ".join(_type_of(one) for one in options)
    if field.get("type") == "array":
        return f"list of {_type_of(field['items'])}"
    values = _values_of(field)
    if values:
        long = "currency (ISO 4217)" if "enum" in field else "condition"
        is_short = len(values) <= _FEW
        return ", ".join(f"`{one}`" for one in values) if is_short else long
    bounds = [f"{sign} {field[key]}" for key, sign in _BOUNDS if key in field]
    return ", ".join([field.get("description", field["type"]), *bounds])


def _values_of(field: dict[str, Any]) -> list[str]:
    if "const" in field:
        return [field["const"]]
    return list(field.get("enum", field.get("discriminator", {}).get("mapping", ())))
