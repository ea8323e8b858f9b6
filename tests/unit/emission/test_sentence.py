"""Instruments in plain words: the cases of ``sentences.yaml``, in both languages."""

import json
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml
from babel import Locale

from services.emission.examples import BENEFITS, CONDITIONS, INSTRUMENTS
from services.emission.language import as_json
from services.emission.sentence import Language, Names, english, sentence, ukrainian, writer
from shared.codec import decode
from shared.events.promotion import Instrument
from shared.wording import Vocabulary

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text())
LANGUAGES: tuple[Language, ...] = ("en", "uk")
NAMES = Names(
    emissions={"e1": "WELCOME", "e2": "Spring leaflets"},
    groups={"g1": "Regulars", "g2": "Our staff"},
    stores={"s1": "Khreshchatyk 1", "s2": "Lviv"},
    products={"482": "Bounty 57 g", "mug": "Mug"},
)


def instrument_of(case: dict[str, Any]) -> Instrument:
    body = {"instrument_id": "i", "name": "n"} | case["instrument"]
    return decode(Instrument, json.dumps(body).encode())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_an_instrument_is_a_sentence(case: dict[str, Any], language: Language) -> None:
    assert sentence(instrument_of(case), NAMES, language) == case[language]


def test_there_is_a_case_of_every_example() -> None:
    parts = [as_json(one.part) for one in (*CONDITIONS, *BENEFITS)]
    shown = [case["instrument"] for case in CASES if case["case"].startswith("example: ")]
    found = [[*one.get("conditions", []), one["benefit"]] for one in shown]
    assert [part for part in parts if not any(part in one for one in found)] == []
    assert len(shown) == len(parts) + len(INSTRUMENTS)


def test_every_phrase_of_a_language_is_in_some_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that none is there, in either language, that nobody has read in a sentence."""
    said: set[str] = set()

    class Heard(dict[str, Any]):
        def __getitem__(self, phrase: str) -> Any:
            said.add(phrase)
            return super().__getitem__(phrase)

    heard = Vocabulary(Heard(english.PHRASES), Heard(english.COUNTED))
    monkeypatch.setitem(writer.VOCABULARIES, "en", heard)
    for case in CASES:
        sentence(instrument_of(case), NAMES, "en")
    assert {*english.PHRASES, *english.COUNTED} - said == set()


def test_both_languages_have_the_same_phrases() -> None:
    assert english.PHRASES.keys() == ukrainian.PHRASES.keys()
    assert english.COUNTED.keys() == ukrainian.COUNTED.keys()


def forms_used(language: str) -> set[str]:
    """The plural forms of whole numbers; what a language has no word for, it takes from ``other``."""
    return {Locale(language).plural_form(n) for n in range(1_000)}


@pytest.mark.parametrize(
    ("language", "counted"), [("en", english.COUNTED), ("uk", ukrainian.COUNTED)]
)
def test_what_is_counted_has_every_plural_form(
    language: str, counted: dict[str, dict[str, str]]
) -> None:
    needed = forms_used(language) - {"many"} | {"other"}
    assert [noun for noun, forms in counted.items() if needed - forms.keys()] == []


def words_of(template: str) -> Iterator[str]:
    return (name for _, name, _, _ in Formatter().parse(template) if name)


@pytest.mark.parametrize("phrase", english.PHRASES)
def test_neither_language_leaves_out_what_the_other_says(phrase: str) -> None:
    """But for goods that are declined."""
    alike = {"of": "goods"}
    both = [
        {alike.get(word, word) for word in words_of(language.PHRASES[phrase])}
        for language in (english, ukrainian)
    ]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("currency", "amount"),
    [(None, "300.00"), ("UAH", "300.00"), ("JPY", "30,000"), ("KWD", "30.000")],
)
def test_money_has_the_digits_of_its_currency(currency: str | None, amount: str) -> None:
    [case] = [case for case in CASES if case["case"] == "example: Receipt total"]
    words = sentence(instrument_of(case), Names(currency=currency), "en")
    assert words == f"10% off the receipt from {amount}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_has_no_name_is_called_by_its_id(language: Language) -> None:
    [case] = [case for case in CASES if case["case"] == "stores"]
    words = sentence(instrument_of(case), Names(), language)
    assert "s1" in words
    assert "s2" in words
