"""Codes on paper: what a sheet shows of each, and the QR code that a till scans. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import segno
from babel.dates import format_date
from pydantic import AfterValidator, StringConstraints

from services.emission.sentence import Language

MOST = 480
"""Codes on one sheet: twenty pages of paper."""
_QUIET_ZONE = 4  # modules, as ISO/IEC 18004 asks for
_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "both": "Valid from {first} to {last}",
        "until": "Valid until {last}",
        "from": "Valid from {first}",
        "of": "Codes {first}–{last} of {all}",
        "print": "Print with the browser, on A4.",
    },
    "uk": {
        "both": "Діє з {first} до {last}",
        "until": "Діє до {last}",
        "from": "Діє з {first}",
        "of": "Коди {first}–{last} із {all}",
        "print": "Друкуйте з браузера, на А4.",
    },
}


def _is_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = "must be a web address, as https://shop.example/"
        raise ValueError(message)
    return value


Address = Annotated[
    str,
    StringConstraints(max_length=500, pattern=r"^[!-~]+$"),
    AfterValidator(_is_address),
]
"""Where a QR code leads: the code is appended as ``code=``."""


@dataclass(frozen=True)
class Card:
    """A code as text and as a picture (SVG)."""

    code: str
    picture: str


def card(code: str, address: str | None) -> Card:
    """The code, and its QR: of the code itself, or of an address that has it."""
    text = code if address is None else _with_code(address, code)
    picture = segno.make(text, error="m", micro=False)
    return Card(code, picture.svg_inline(omitsize=True, border=_QUIET_ZONE, lineclass=None))


def _with_code(address: str, code: str) -> str:
    parts = urlsplit(address)
    others = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name.lower() != "code"
    ]
    return urlunsplit(parts._replace(query=urlencode([*others, ("code", code)])))


def validity(
    valid_from: datetime | None, valid_until: datetime | None, zone: ZoneInfo, language: Language
) -> str:
    """The days on which codes are valid, the last one included; nothing if they always are."""
    known: dict[str, str] = {}
    if valid_from is not None:
        known["first"] = _day(valid_from, zone, language)
    if valid_until is not None:
        # It is the first moment when they are not.
        known["last"] = _day(valid_until - timedelta(microseconds=1), zone, language)
    phrase = {("first",): "from", ("last",): "until", ("first", "last"): "both"}.get((*known,))
    return _WORDS[language][phrase].format(**known) if phrase else ""


def _day(at: datetime, zone: ZoneInfo, language: Language) -> str:
    return str(format_date(at.astimezone(zone), "long", locale=language))


def heading(first: int, last: int, of: int, language: Language) -> str:
    """Which of the codes are on the sheet."""
    return _WORDS[language]["of"].format(first=first, last=last, all=of)


def advice(language: Language) -> str:
    """How to print it: not printed itself."""
    return _WORDS[language]["print"]
