"""What a refusal means for an address: the codes of RFC 3463 and hosts' own words, and never too much."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devdigest.bounce_words import from_code, meaning, status_in
from devdigest.feedback import NO_FAULT_OF_THE_READER, REASONS, Kind


@pytest.mark.parametrize(("status", "kind", "reason"), [
    ("5.0.0", Kind.HARD, "rejected"),
    ("5.1.0", Kind.HARD, "user-unknown"),
    ("5.1.1", Kind.HARD, "user-unknown"),
    ("5.1.2", Kind.HARD, "host-unknown"),
    ("5.1.3", Kind.HARD, "user-unknown"),       # bad syntax of the mailbox
    ("5.1.4", Kind.HARD, "user-unknown"),       # ambiguous
    ("5.1.6", Kind.HARD, "user-unknown"),       # moved, and nobody says where to
    ("5.1.7", Kind.SOFT, "policy"),             # of the sender
    ("5.1.8", Kind.SOFT, "policy"),
    ("5.1.10", Kind.HARD, "user-unknown"),      # null MX
    ("5.2.1", Kind.SOFT, "disabled"),
    ("5.2.2", Kind.SOFT, "mailbox-full"),
    ("5.2.3", Kind.SOFT, "too-big"),
    ("5.3.4", Kind.SOFT, "too-big"),
    ("5.3.0", Kind.SOFT, "undetermined"),
    ("5.4.1", Kind.SOFT, "undetermined"),
    ("5.4.4", Kind.HARD, "host-unknown"),
    ("5.4.6", Kind.SOFT, "undetermined"),
    ("5.5.0", Kind.SOFT, "undetermined"),
    ("5.6.0", Kind.SOFT, "policy"),
    ("5.7.1", Kind.SOFT, "policy"),
    ("5.7.26", Kind.SOFT, "auth-failure"),
    ("5.7.515", Kind.SOFT, "auth-failure"),
    ("4.1.1", Kind.SOFT, "expired"),
    ("4.2.2", Kind.SOFT, "mailbox-full"),
    ("4.4.7", Kind.SOFT, "expired"),
    ("4.7.0", Kind.SOFT, "throttled"),
    ("", Kind.SOFT, "undetermined"),
])
def test_a_bare_status_means_what_rfc_3463_says(status, kind, reason):
    assert meaning(status, "") == (kind, reason)
    assert meaning("", f"550 {status}" if status else "") == (kind, reason)


@pytest.mark.parametrize(("said", "kind", "reason"), [
    ("550 Requested action not taken: mailbox unavailable", Kind.HARD, "rejected"),
    ("551", Kind.HARD, "rejected"),
    ("552 Requested mail action aborted", Kind.SOFT, "mailbox-full"),
    ("554 Transaction failed", Kind.SOFT, "undetermined"),
    ("554 delivery error: This user doesn't have a yahoo.com account", Kind.HARD, "user-unknown"),
    ("550 No such person at this address", Kind.HARD, "user-unknown"),
    ("The email address you entered couldn't be found", Kind.HARD, "user-unknown"),
    ("550 unrouteable address", Kind.HARD, "user-unknown"),
    ("Domain example.org does not exist", Kind.HARD, "host-unknown"),
    ("550 5.1.1 user unknown, see https://example.org/spam-policy", Kind.HARD, "user-unknown"),
    ("550 5.1.1 <policy-quota@example.org> user unknown", Kind.HARD, "user-unknown"),
    ("550 unknown user, connect to 5.7.1.9", Kind.HARD, "user-unknown"),
    ("450 4.2.1 The user is receiving mail at a rate that prevents delivery", Kind.SOFT, "throttled"),
    ("550 5.4.5 Daily user sending quota exceeded", Kind.SOFT, "throttled"),
    ("450 4.1.1 user unknown: greylisted", Kind.SOFT, "throttled"),
    ("550 sender address rejected: user unknown", Kind.SOFT, "policy"),
    ("554 relay access denied", Kind.SOFT, "policy"),
    ("550 5.2.1 account suspended, user unknown", Kind.SOFT, "disabled"),
    ("552 5.3.4 message size exceeds fixed maximum", Kind.SOFT, "too-big"),
    ("550 5.1.1 on the suppression list for your account", Kind.SOFT, "provider-suppressed"),
])
def test_words_say_more_than_a_bare_code(said, kind, reason):
    assert meaning("", said) == (kind, reason)


STATUS = st.just("") | st.builds("{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 9),
                                 st.integers(0, 600))
SAID = st.sampled_from(["user unknown", "no such host", "mailbox full", "spam", "존재하지 않는 사용자", "550",
                        "5.1.1", "5.0.0", "recipient address rejected", ":", "a"])
WORDS = st.lists(SAID | st.text(), max_size=6).map(" ".join)


@given(STATUS, WORDS)
def test_every_refusal_has_a_meaning(status, said):
    kind, reason = meaning(status, said)
    assert kind in (Kind.HARD, Kind.SOFT)
    assert reason in REASONS


@given(st.integers(0, 999), WORDS, st.booleans())
def test_policy_kills_no_address_whatever_else_is_said(detail, said, in_words):
    status, words = ("", f"550 5.7.{detail} {said}") if in_words else (f"5.7.{detail}", said)
    assert meaning(status, words)[0] is Kind.SOFT


@given(STATUS, WORDS)
def test_what_is_no_fault_of_the_reader_is_never_hard(status, said):
    kind, reason = meaning(status, said)
    assert kind is Kind.SOFT or reason not in NO_FAULT_OF_THE_READER


@pytest.mark.parametrize(("said", "status"), [
    ("550 #5.1.0 x", "5.1.0"), ("(#5.5.0)", "5.5.0"), ("10.5.1.1", ""), ("5.1.1.", "5.1.1"), ("", "")])
def test_a_status_is_found_in_words(said, status):
    assert status_in(said) == status


@pytest.mark.parametrize(("said", "kept"), [
    ("host mx.example.net said: 550 5.1.1 gone", "550 5.1.1 gone"),
    ("retry timeout exceeded", "retry timeout exceeded"),
    ("192.0.2.550 does not like you", "192.0.2.550 does not like you")])
def test_what_is_kept_begins_with_the_hosts_reply(said, kept):
    assert from_code(said) == kept
