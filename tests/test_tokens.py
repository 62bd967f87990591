"""Link tokens: each opens one thing for one subscriber, and nothing else opens it."""
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devdigest import tokens

KEY, OTHER_KEY = "5a" * 32, "a5" * 32       # names of cases carry tokens: the same in every process
TOKEN = tokens.sign(KEY, "link", 17)


def test_a_token_names_its_subscriber() -> None:
    assert tokens.verify(KEY, "link", TOKEN) == 17


def test_a_token_is_short_and_needs_no_quoting_in_a_link() -> None:
    assert TOKEN.startswith("17-")
    assert set(TOKEN) <= set(string.ascii_lowercase + string.digits + "-")
    assert len(TOKEN) < 30


def test_a_token_of_one_purpose_is_no_token_of_another() -> None:
    assert tokens.verify(KEY, "hold", TOKEN) is None


def test_a_token_made_with_another_key_is_none() -> None:
    assert tokens.verify(OTHER_KEY, "link", TOKEN) is None


def test_no_letter_of_a_token_can_be_changed() -> None:
    for place in range(len(TOKEN)):
        changed = TOKEN[:place] + ("b" if TOKEN[place] != "b" else "c") + TOKEN[place + 1:]
        assert tokens.verify(KEY, "link", changed) is None, changed


@pytest.mark.parametrize("token", [
    "", "-", "17", "17-", TOKEN[:-1], TOKEN + "a", "18" + TOKEN[2:], TOKEN.upper(), " " + TOKEN, TOKEN + "\n",
    "-" + TOKEN, "²-" + TOKEN[3:], "١٧-" + TOKEN[3:], "9" * 5000 + "-" + TOKEN[3:], "17-\ud800", "17-\x00"])
def test_what_only_looks_like_a_token_is_none(token: str) -> None:
    assert tokens.verify(KEY, "link", token) is None


@given(st.text(st.characters()) | st.from_regex(r"\d+-.*"))
def test_odd_input_never_raises(token: str) -> None:
    assert tokens.verify(KEY, "link", token) is None
    assert len(tokens.hashed(token)) == 64


@given(st.integers(0, 10**18 - 1))
def test_every_signed_token_has_the_shape_by_which_it_is_found(number: int) -> None:
    assert re.fullmatch(tokens.SHAPE, tokens.sign(KEY, "link", number))


def test_a_random_token_is_known_by_its_hash_alone() -> None:
    token, digest = tokens.random_token()
    assert tokens.hashed(token) == digest
    assert token not in digest
    assert tokens.random_token()[0] != token


def test_an_address_is_known_by_its_hash_in_any_case_and_only_with_the_key() -> None:
    assert tokens.address_hash(KEY, "Ada@Example.org") == tokens.address_hash(KEY, "ada@example.org")
    assert tokens.address_hash(KEY, "ada@example.org") != tokens.address_hash(OTHER_KEY, "ada@example.org")
    assert tokens.address_hash(KEY, "ada@example.org") != tokens.address_hash(KEY, "bob@example.org")
