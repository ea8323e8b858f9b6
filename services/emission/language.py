"""The promotion language, published: its JSON Schema, and an example of every kind."""

from functools import cache
from inspect import getdoc
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from services.emission.examples import BENEFITS, CONDITIONS, INSTRUMENTS, Example
from shared.events.promotion import Instrument
from shared.events.values import Event
from shared.web.auth import require

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class KindView(Event):
    """A kind of condition or benefit; ``says`` puts the example in a marketer's words."""

    kind: str
    title: str
    description: str
    example: dict[str, Any]
    says: str


class InstrumentExample(Event):
    """A whole instrument; ``says`` puts it in a marketer's words."""

    example: dict[str, Any]
    says: str


class LanguageView(Event):
    """The language: ``schema`` is the JSON Schema (2020-12) of an instrument, ``$defs`` its parts."""

    json_schema: Annotated[dict[str, Any], Field(serialization_alias="schema")]
    conditions: list[KindView]
    benefits: list[KindView]
    instruments: list[InstrumentExample]


def as_json(part: Event) -> dict[str, Any]:
    """As an author would write it: what was said, with every kind and operator."""
    written: dict[str, Any] = _written(part)
    return written


def _written(value: Any) -> Any:
    if isinstance(value, Event):
        said = [name for name in type(value).model_fields if _is_said(value, name)]
        return {name: _written(getattr(value, name)) for name in said}
    if isinstance(value, tuple):
        return [_written(one) for one in value]
    return value


def _is_said(part: Event, name: str) -> bool:
    return name in part.model_fields_set or name in ("kind", "op")


@cache
def language() -> LanguageView:
    """All of it; the same for every reader."""
    return LanguageView(
        json_schema=schema(),
        conditions=[_kind(one) for one in CONDITIONS],
        benefits=[_kind(one) for one in BENEFITS],
        instruments=[InstrumentExample(example=as_json(i), says=says) for says, i in INSTRUMENTS],
    )


def language_routes() -> APIRouter:
    """The language."""
    router = APIRouter()

    @router.get("/v1/language", dependencies=[Depends(require("campaigns:read"))])
    async def read() -> LanguageView:
        """The promotion language: a JSON Schema, and an example of every condition and benefit."""
        return language()

    return router


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an instrument; each condition and benefit carries its example."""
    document = Instrument.model_json_schema()
    for part in document["$defs"].values():
        if "kind" in part["properties"]:
            # It has a default in the models only, where the class says it already.
            part["required"] = ["kind", *part.get("required", [])]
            del part["properties"]["kind"]["default"]
    for one in (*CONDITIONS, *BENEFITS):
        document["$defs"][type(one.part).__name__]["examples"] = [as_json(one.part)]
    document["examples"] = [as_json(one) for _, one in INSTRUMENTS]
    return {"$schema": DIALECT, "$id": "urn:tillstream:instrument", **document}


def _kind(one: Example) -> KindView:
    return KindView(
        kind=one.part.kind,
        title=one.title,
        description=description(one.part),
        example=as_json(one.part),
        says=one.says,
    )


def description(part: Event) -> str:
    """What the part's class says of it."""
    return getdoc(type(part)) or ""
