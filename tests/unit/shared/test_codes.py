"""How codes are compared."""

import pytest

from shared import codes

KEY = b"k" * 32


@pytest.mark.parametrize(
    "typed",
    [
        "WELCOME",
        "welcome",
        " wel-come ",
        "Ｗｅｌｃｏｍｅ",
        "WELСOМЕ",
        "wel\u2011come",
        "https://shop.example/go?src=qr&code=wel-come",
        "HTTPS://SHOP.EXAMPLE/?CODE=WELCOME#top",
    ],
)
def test_the_same_code_however_it_is_typed(typed: str) -> None:
    """Lower case, spaces and hyphens, full width, Cyrillic С, М, Е, the address of a QR."""
    assert codes.normalise(typed) == "WELCOME"
    assert codes.digest(typed, KEY) == codes.digest("WELCOME", KEY)


def test_another_key_gives_another_digest() -> None:
    assert codes.digest("WELCOME", KEY) != codes.digest("WELCOME", b"j" * 32)


def test_digests_travel_packed() -> None:
    digests = [codes.digest(f"CODE{n}", KEY) for n in range(3)]
    assert codes.unpack(codes.pack(digests)) == digests


def test_a_torn_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="whole number of digests"):
        codes.unpack("AAAA")
