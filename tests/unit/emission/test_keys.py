"""API keys."""

import pytest

from services.emission.keys import ApiKey

SECRET = "s_" + "x" * 40


def test_a_key_reads_back_as_it_was_shown() -> None:
    key = ApiKey("a1b2", SECRET)
    assert ApiKey.parse(key.text) == key


def test_only_the_secret_whose_digest_is_kept_matches() -> None:
    key = ApiKey("a1b2", SECRET)
    assert key.matches(key.digest)
    assert not ApiKey("a1b2", SECRET + "y").matches(key.digest)
    assert not key.matches(None)


def test_a_key_shows_no_secret_in_logs() -> None:
    assert SECRET not in repr(ApiKey("a1b2", SECRET))
    assert SECRET.encode() not in ApiKey("a1b2", SECRET).digest


def test_a_bootstrap_key_without_an_id_gets_the_same_one_each_time() -> None:
    text = "ts_" + "aB3-" * 10
    first, second = ApiKey.parse(text), ApiKey.parse(text)
    assert first is not None
    assert first == second
    assert first.key_id.startswith("bare-")


@pytest.mark.parametrize(
    "text",
    ["", "ts_", "ts_id_short", "sk_id_" + SECRET, "ts_id_" + "é" * 40, "ts_id_x\x00" + SECRET],
)
def test_what_has_not_the_form_of_a_key_is_none(text: str) -> None:
    assert ApiKey.parse(text) is None
