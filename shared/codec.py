"""Messages to and from bytes: JSON bodies, CloudEvents attributes as Kafka headers (binary mode)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from shared.events.values import Event

Headers = Sequence[tuple[str, bytes | None]]
E = TypeVar("E", bound=Event)
# What a part of a path looks like that is a field of ours, or may be the misspelling of one. Other
# names come from the message, as keys of a mapping do, and may be personal data.
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
        raise InvalidMessageError(field_errors(error)) from None


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Pydantic's errors without the values that caused them."""
    return tuple(
        FieldError(
            field=".".join(_shown(part) for part in item["loc"]),
            message=item["msg"].removeprefix("Value error, "),
            code=item["type"],
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    )


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
