"""What an emission may ask for, and the codes that are made for it."""

import secrets
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.emission.codes import (
    ALPHABET,
    DEFAULT_PATTERN,
    GUESSES_PER_CODE,
    MAX_CODES,
    NewEmission,
    fewest_random,
    generate,
    widened,
)
from shared.codec import InvalidMessageError, decode
from shared.codes import digest, normalise

KEY = b"k" * 32


def _asked(**fields: Any) -> NewEmission:
    return NewEmission(**({"emission_id": "e1", "name": "E"} | fields))


def test_no_character_of_the_alphabet_is_taken_for_another() -> None:
    assert not set("0O1IL") & set(ALPHABET)
    assert len({normalise(character) for character in ALPHABET}) == len(ALPHABET)
    assert normalise(ALPHABET) == ALPHABET


def test_codes_are_different_follow_the_pattern_and_are_known_by_their_digests() -> None:
    codes = generate("spring-######-X", 1_000, KEY, secrets.token_bytes)
    assert len(codes) == len(set(codes.values())) == 1_000
    for known_by, code in codes.items():
        assert known_by == digest(code, KEY) == digest(code.lower().replace("-", " "), KEY)
        word, characters, end = code.split("-")
        assert (word, len(characters), end) == ("SPRING", 6, "X")
        assert set(characters) <= set(ALPHABET)


def test_codes_that_come_out_twice_are_made_again() -> None:
    repeated = iter([bytes(200), bytes(range(200)), *(secrets.token_bytes(500) for _ in range(50))])
    codes = generate("####", 20, KEY, lambda _: next(repeated))
    assert len(set(codes.values())) == 20


def test_every_character_is_as_likely_as_any_other() -> None:
    """Of every byte once, each character comes as often; what would be too much is dropped."""
    (code,) = generate("#" * 243, 1, KEY, lambda _: bytes(range(256))).values()
    assert Counter(code) == dict.fromkeys(ALPHABET, 9)


@given(st.integers(1, MAX_CODES))
def test_a_guess_is_hopeless_whatever_the_count(count: int) -> None:
    assert len(ALPHABET) ** fewest_random(count) >= GUESSES_PER_CODE * count


def test_a_million_codes_fit_eight_characters() -> None:
    asked = _asked(kind="personal", count=1_000_000, pattern="SPRING-########")
    assert asked.code_pattern == "SPRING-########"
    assert asked.size == 1_000_000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "mass"}, "word"),
        ({"kind": "mass", "word": "A"}, "word"),
        ({"kind": "mass", "word": "A" * 41}, "word"),
        ({"kind": "mass", "word": "FREE!"}, "word"),
        ({"kind": "mass", "word": " - - "}, "word"),
        ({"kind": "mass", "word": "FRI\x00DAY"}, "word"),
        ({"kind": "mass", "word": "FRIDAY", "count": 2}, "count"),
        ({"kind": "mass", "word": "FRIDAY", "pattern": "########"}, "pattern"),
        ({"kind": "mass", "word": "FRIDAY", "single_use": True}, "single_use"),
        ({"kind": "mass", "word": "FRIDAY", "customers": ("a1",)}, "customers"),
        ({"kind": "personal"}, "count"),
        ({"kind": "personal", "customers": ("a1", "a2", "a3"), "count": 2}, "count"),
        ({"kind": "personal", "customers": ("a1", "a2", "a3", "a1")}, r"customers\.3"),
        ({"kind": "personal", "customers": ("a1", "a1"), "count": 5}, r"customers\.1"),
        ({"kind": "personal", "customers": ("a1", "tillstream:nobody")}, r"customers\.1"),
        ({"kind": "personal", "count": 10, "word": "FRIDAY"}, "word"),
        ({"kind": "personal", "count": 10, "pattern": "SPRING"}, "pattern"),
        ({"kind": "personal", "count": 10, "pattern": "#####"}, "pattern"),
        ({"kind": "personal", "count": 1_000_000, "pattern": "#######"}, "pattern"),
        ({"kind": "personal", "count": 10, "pattern": "-########"}, "pattern"),
        ({"kind": "personal", "count": 10, "pattern": "=########"}, "pattern"),
        ({"kind": "personal", "count": 10, "pattern": "%s########"}, "pattern"),
        ({"kind": "personal", "count": 10, "pattern": "А########"}, "pattern"),
    ],
)
def test_what_does_not_fit_names_its_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=rf"\b{field}: "):
        _asked(**fields)


@pytest.mark.parametrize("word", ["FRIDAY", "welcome", "WEL-COME 10", "ВІТАЮ"])
def test_a_word_is_letters_and_digits_of_any_script(word: str) -> None:
    assert _asked(kind="mass", word=word).size == 1


def test_validity_ends_after_it_begins() -> None:
    day = datetime(2026, 12, 5, tzinfo=UTC)
    with pytest.raises(ValueError, match="valid_until"):
        _asked(kind="mass", word="FRIDAY", valid_from=day, valid_until=day)


def test_personal_codes_are_used_once_unless_the_emission_says_otherwise() -> None:
    assert _asked(kind="personal", count=1).used_once
    assert not _asked(kind="personal", count=1, single_use=False).used_once
    assert not _asked(kind="mass", word="FRIDAY").used_once
    assert _asked(kind="personal", count=1).code_pattern == DEFAULT_PATTERN


def test_there_are_as_many_codes_as_customers_unless_more_are_asked_for() -> None:
    customers = ("a1", "a2", "a3")
    assert _asked(kind="personal", customers=customers).size == 3
    assert _asked(kind="personal", customers=customers, count=3).size == 3
    assert _asked(kind="personal", customers=customers, count=5).size == 5


def test_codes_of_many_customers_need_as_long_a_pattern_as_a_count_does() -> None:
    customers = tuple(f"a{number}" for number in range(200_000))
    assert _asked(kind="personal", customers=customers, pattern="########").size == 200_000
    with pytest.raises(ValueError, match=r"\bpattern: 200000 codes"):
        _asked(kind="personal", customers=customers, pattern="######")


def test_none_are_made_by_an_emission_whose_codes_are_made_on_request() -> None:
    asked = _asked(kind="personal", count=0)
    assert (asked.size, asked.code_pattern, asked.used_once) == (0, DEFAULT_PATTERN, True)
    assert asked.spelled_out().count == 0
    with pytest.raises(ValueError, match=r"\bcount: 1 customers"):
        _asked(kind="personal", count=0, customers=("a1",))
    with pytest.raises(ValueError, match=r"\bpattern: "):
        _asked(kind="personal", count=0, pattern="VIP-#####")


@pytest.mark.parametrize(
    ("pattern", "codes", "wide"),
    [
        ("VIP-######", 1, "VIP-######"),
        ("VIP-######", 3_874, "VIP-######"),
        ("VIP-######", 3_875, "VIP-#######"),
        ("##-####-END", 1_000_000, "##-####-END##"),
        (DEFAULT_PATTERN, MAX_CODES, DEFAULT_PATTERN),
    ],
)
def test_a_pattern_grows_when_more_codes_are_made_than_it_hides(
    pattern: str, codes: int, wide: str
) -> None:
    assert widened(pattern, codes) == wide
    assert len(ALPHABET) ** wide.count("#") >= GUESSES_PER_CODE * codes


def test_customers_are_known_by_their_ids_and_order() -> None:
    def known_by(*customers: str) -> bytes | None:
        return _asked(kind="personal", customers=customers).holders_sha256

    assert known_by("a1", "a2") == known_by("a1", "a2")
    assert len({known_by("a1", "a2"), known_by("a2", "a1"), known_by("a1"), known_by("a1a2")}) == 4
    assert _asked(kind="personal", count=2).holders_sha256 is None


def test_the_same_is_asked_for_with_defaults_spelled_out_or_not() -> None:
    short = _asked(kind="personal", customers=("a1", "a2"))
    long = _asked(kind="personal", count=2, pattern=DEFAULT_PATTERN, single_use=True)
    assert short.spelled_out() == long.spelled_out()
    assert short.spelled_out() != _asked(kind="personal", count=3).spelled_out()
    friday = _asked(kind="mass", word="FRIDAY")
    assert friday.spelled_out() == friday.model_copy(update={"single_use": False}).spelled_out()


@pytest.mark.parametrize("count", ["-1", "10000001", "1.5", '"7"', "true", "null"])
def test_a_count_is_a_whole_number_within_bounds(count: str) -> None:
    body = f'{{"emission_id": "e", "name": "E", "kind": "personal", "count": {count}}}'
    with pytest.raises(InvalidMessageError, match="count"):
        decode(NewEmission, body.encode())
