"""Codes at rest."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet

from services.emission.cipher import CodeCipher

CIPHER = CodeCipher.of(Fernet.generate_key().decode())
CODES = ["SPRING-ABCD", "SPRING-EFGH"]


def test_codes_come_back_and_their_ciphertext_does_not_show_them() -> None:
    ciphertext = CIPHER.encrypt(CODES, "e1", 1)
    assert CIPHER.decrypt(ciphertext, "e1", 1) == CODES
    assert b"SPRING" not in ciphertext


def test_the_same_codes_are_encrypted_differently_each_time() -> None:
    assert CIPHER.encrypt(CODES, "e1", 1) != CIPHER.encrypt(CODES, "e1", 1)


@pytest.mark.parametrize(("emission_id", "chunk"), [("e2", 1), ("e1", 2)])
def test_a_ciphertext_moved_elsewhere_does_not_decrypt(emission_id: str, chunk: int) -> None:
    with pytest.raises(InvalidTag):
        CIPHER.decrypt(CIPHER.encrypt(CODES, "e1", 1), emission_id, chunk)


@pytest.mark.parametrize("key", ["", "c2hvcnQ=", "not base64 at all"])
def test_a_key_of_another_size_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|padding|base64"):
        CodeCipher.of(key)
