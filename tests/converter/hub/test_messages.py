"""Secrets and control characters in text that messages quote."""

from __future__ import annotations

import pytest

from converter.hub.messages import describe_exception, hide_secrets


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Bearer abc.def is no good", "Bearer *** is no good"),
        ("the token hf_aBc123456 of me", "the token *** of me"),
        ("http://me:s3cret@host/x", "http://***host/x"),
        ("sesame, twice: sesame", "***, twice: ***"),
        ("nothing here", "nothing here"),
    ],
)
def test_tokens_and_passwords_are_hidden(text: str, hidden: str) -> None:
    assert hide_secrets(text, "sesame") == hidden


def test_half_of_a_secret_at_the_cut_is_hidden_too() -> None:
    token = "sesame-open-sesame-open"
    text = describe_exception(ValueError("x" * 190 + token), token)
    assert text == "x" * 190 + "***"


def test_a_signature_and_control_characters_are_not_shown() -> None:
    said = "no: https://store/x?X-Signature=abc \x1b[2J 'it's' \"so\""
    assert describe_exception(ValueError(said)) == "no: https://store/x \\x1b[2J 'it's' \"so\""
