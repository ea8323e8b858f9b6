"""What changes keep of emissions, instruments and campaigns, and how two of them differ. Pure.

Neither codes and words nor lists of customers are in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from services.emission.campaigns import CampaignState
from services.emission.codes import NewEmission
from shared.codec import encode
from shared.events.promotion import Instrument

Body = dict[str, Any]


@dataclass(frozen=True)
class Authored:
    """Who wrote something and who changed it last; None: from before this was kept."""

    created_at: datetime | None = None
    created_by: str | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True)
class Difference:
    """A field (a dotted path) before and after a change; None: it was not there, or is no more."""

    field: str
    before: Any
    after: Any


def body_of_emission(asked: NewEmission, status: str, bound: int, requested_codes: int = 0) -> Body:
    """An emission without its word and its customers; how many codes were made on request, if any were."""
    known = asked.spelled_out().model_copy(update={"word": None})
    body = _body(encode(known)) | {"count": asked.size, "status": status, "bound": bound}
    return body | ({"requested_codes": requested_codes} if requested_codes else {})


def body_of_instrument(instrument: Instrument) -> Body:
    """An instrument, whole."""
    return _body(encode(instrument))


def body_of_campaign(state: CampaignState) -> Body:
    """A campaign: its plan, where it stands, and the version that was published last."""
    return _body(encode(state.plan)) | {"status": state.status, "version": state.version}


def _body(encoded: bytes) -> Body:
    body: Body = orjson.loads(encoded)
    return body


def differences(before: Body | None, after: Body | None) -> list[Difference]:
    """What a change changed, field by field; of what is not kept, nothing."""
    return [] if after is None else list(_differences("", before or {}, after))


def _differences(field: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    for name, one, other in _parts(before, after):
        yield from _differences(f"{field}.{name}" if field else name, one, other)
    if not _is_alike(before, after):
        yield Difference(field, before, after)


def _parts(before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The parts of both, one beside the other; none where they cannot be set beside each other."""
    if not _is_alike(before, after):
        return
    if isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield name, before.get(name), after.get(name)
    else:
        for n, (one, other) in enumerate(zip(before, after, strict=True)):
            yield str(n), one, other


def _is_alike(before: Any, after: Any) -> bool:
    """Whether they are compared part by part: of one kind, or lists of as many that have parts."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.get("kind") == after.get("kind") or not before
    return (
        isinstance(before, list)
        and isinstance(after, list)
        and len(before) == len(after)
        and all(isinstance(one, Mapping) for one in (*before, *after))
    )
