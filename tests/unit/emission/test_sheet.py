"""Codes on paper: what a scanner reads of them, and until when they say that they are valid."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
import segno
from pydantic import TypeAdapter, ValidationError

from services.emission.sentence import Language
from services.emission.sheet import Address, card, validity
from shared.codes import normalise

KYIV = ZoneInfo("Europe/Kyiv")


def picture_of(text: str) -> str:
    """The QR that says so."""
    return segno.make(text, error="m", micro=False).svg_inline(
        omitsize=True, border=4, lineclass=None
    )


def test_a_picture_holds_the_code_itself() -> None:
    assert card("AB-CD", None).picture == picture_of("AB-CD")


@pytest.mark.parametrize(
    ("address", "holds"),
    [
        ("https://shop.example", "https://shop.example?code=AB-CD"),
        ("https://shop.example/a?b=c&d=", "https://shop.example/a?b=c&d=&code=AB-CD"),
        ("https://shop.example/?Code=old#top", "https://shop.example/?code=AB-CD#top"),
    ],
)
def test_or_an_address_that_tills_read_the_code_of(address: str, holds: str) -> None:
    assert card("AB-CD", address).picture == picture_of(holds)
    assert normalise(holds) == "ABCD"
    assert parse_qs(urlsplit(holds).query)["code"] == ["AB-CD"]


def test_a_picture_is_drawn_without_styles_that_the_policy_would_refuse() -> None:
    picture = card("AB-CD", None).picture
    assert set(re.findall(r"([a-z-]+)=", picture, re.IGNORECASE)) == {
        "viewBox",
        "class",
        "stroke",
        "d",
    }
    assert "<style" not in picture


@pytest.mark.parametrize(
    "address",
    ["shop.example", "javascript:alert(1)", "https://", "https://a b", "ftp://x", "http://[x"],
)
def test_an_address_is_one_of_the_web(address: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Address).validate_python(address)


@pytest.mark.parametrize(
    ("since", "until", "language", "says"),
    [
        (None, None, "en", ""),
        # Until midnight in Kyiv: the 31st is the last day.
        (None, datetime(2026, 12, 31, 22, tzinfo=UTC), "en", "Valid until December 31, 2026"),
        (datetime(2026, 12, 4, 22, tzinfo=UTC), None, "uk", "Діє з 5 грудня 2026\u202fр."),
        (
            datetime(2026, 12, 4, 22, tzinfo=UTC),
            datetime(2026, 12, 31, 22, tzinfo=UTC),
            "uk",
            "Діє з 5 грудня 2026\u202fр. до 31 грудня 2026\u202fр.",
        ),
    ],
)
def test_validity_is_said_in_days_of_the_place(
    since: datetime | None, until: datetime | None, language: Language, says: str
) -> None:
    assert validity(since, until, KYIV, language) == says
