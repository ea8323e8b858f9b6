"""Messages to and from bytes: JSON bodies, CloudEvents attributes as Kafka headers (binary mode)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from shared.events.values import Event

Headers = Sequence[tuple[str, bytes | None]]
E = TypeVar("E", bound=Event)
# What a part of a path looks like that is a field of ours, or may be the misspelling of one. Other
# names come from the message, as keys of a mapping do, and may be personal data.
_LONGEST_MESSAGE = 200
# What the field's description helps with: its unit, or how it is written.
_EXPLAINED = {"int_type", "int_from_float", "less_than_equal", "string_pattern_mismatch"}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class FieldError:
    """What is wrong with which field. Holds no value from the message: it may be personal data."""

    field: str
    message: str
    code: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class InvalidMessageError(ValueError):
    """A body that is not what its contract says."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(str(error) for error in errors[:5]))
        self.errors = tuple(errors)

    @property
    def reason(self) -> str:
        """A word for counting: ``invalid_json`` or ``invalid_field``."""
        return "invalid_json" if self.errors[0].code == "json_invalid" else "invalid_field"


def encode(event: Event) -> bytes:
    """The event as JSON, without fields that are null."""
    return event.model_dump_json(exclude_none=True).encode()


def decode(model: type[E], body: bytes, *, ignore_unknown: bool = False) -> E:
    """The event in ``body``; raises ``InvalidMessageError`` naming every bad field."""
    try:
        return model.model_validate_json(body, extra="ignore" if ignore_unknown else "forbid")
    except ValidationError as error:
        raise InvalidMessageError(_field_errors(model, error, body)) from None


def _field_errors(
    model: type[Event], error: ValidationError, body: bytes
) -> tuple[FieldError, ...]:
    """Pydantic's errors by the path in the body, without the values that caused them.

    What is only said because something below it is wrong is left out: an item that is refused is
    missing from its list, too.
    """
    items = error.errors(include_url=False, include_input=False, include_context=False)
    document = None if items[0]["type"] == "json_invalid" else from_json(body)
    paths = [_path(item["loc"], document) for item in items]
    wrong_below = {path[:n] for path in paths for n in range(1, len(path))}
    return tuple(
        FieldError(
            field=".".join(_shown(part) for part in path),
            message=_message(model, item),
            code=item["type"],
        )
        for item, path in zip(items, paths, strict=True)
        if path not in wrong_below
    )


def _message(model: type[Event], item: Any) -> str:
    """What pydantic says, with the unit of the field, and without what was sent as a kind."""
    said = str(item["msg"]).removeprefix("Value error, ")
    if item["type"] == "union_tag_invalid":
        said = f"no such kind: must be one of {said.rpartition('expected tags: ')[2]}"
        if len(said) > _LONGEST_MESSAGE:
            said = said[: said.rindex(",", 0, _LONGEST_MESSAGE - 2)] + ", …"
    if item["type"] in _EXPLAINED:
        schema = _schema(model)
        location = [part for part in item["loc"] if "[" not in str(part)]
        described = _description(schema, schema.get("$defs", {}), location)
        said = f"{said}: {described}" if described else said
    return said


@cache
def _schema(model: type[Event]) -> dict[str, Any]:
    return model.model_json_schema()


def _description(schema: Any, named: Any, location: Sequence[int | str]) -> str:
    """How the field at the location, as pydantic gives it, is described; empty: it is not."""
    schema = named.get(schema.get("$ref", "").rpartition("/")[2], schema)
    branches = schema.get("anyOf", ())
    if not location:
        there = (_description(one, named, ()) for one in branches)
        return str(schema.get("description", "")) or next(filter(None, there), "")
    part, rest = location[0], location[1:]
    kinds = schema.get("discriminator", {}).get("mapping", {})
    if part in kinds:
        return _description({"$ref": kinds[part]}, named, rest)
    if isinstance(part, int) and "items" in schema:
        return _description(schema["items"], named, rest)
    if part in schema.get("properties", {}):
        return _description(schema["properties"][part], named, rest)
    there = (_description(one, named, location) for one in branches)
    return next(filter(None, there), "")


def _path(location: Sequence[int | str], document: Any) -> tuple[int | str, ...]:
    """Where in the document: pydantic also names the kinds of unions that it chose on the way."""
    path: list[int | str] = []
    here, kind = document, _kind(document)
    for part in location:
        if part == kind:
            kind = None  # it is named once, before the fields: "tiers" has a field "tiers"
            continue
        there = isinstance(here, dict) and part in here
        if not there and isinstance(part, str) and "[" in part:
            continue  # "tagged-union[…]"
        if there or (isinstance(here, list) and isinstance(part, int) and part < len(here)):
            here = here[part]
        else:
            here = None
        kind = _kind(here)
        path.append(part)
    return tuple(path)


def _kind(document: Any) -> Any:
    return document.get("kind") if isinstance(document, dict) else None


def _shown(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else "…"


def cloud_event_headers(
    event_id: str, event_type: str, source: str, time: datetime
) -> list[tuple[str, bytes]]:
    """The CloudEvents 1.0 attributes of an event, Kafka binary mode."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_type", event_type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", time.isoformat().encode()),
        ("content-type", b"application/json"),
    ]


def header(headers: Headers, name: str) -> str | None:
    """The first header of that name, or None (also when it is not text)."""
    for key, value in headers:
        if key == name and value is not None:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None
