"""What a relay's reply means: every row of the table, without a socket."""
import pytest
from relay import REPLIES

from devdigest.replies import Outcome, Reply, Stage, check_envelope, enhanced, judge


@pytest.mark.parametrize(("stage", "said", "outcome"), REPLIES)
def test_a_reply_means_what_the_table_says(stage, said, outcome):
    code, _, text = said.partition(" ")
    assert judge(stage, int(code), text) is outcome


@pytest.mark.parametrize("stage", Stage)
def test_success_is_success_at_every_stage(stage):
    assert judge(stage, 250, "OK, daily limit not reached") is Outcome.ACCEPTED


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("text", ["", "5.1.1", "4.2.2", "5.7.1 x", "5.9.9"])
def test_no_refusal_is_taken_for_success_and_none_is_left_unjudged(stage, text):
    assert Outcome.ACCEPTED not in [judge(stage, code, text) for code in range(300, 600)]


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.TLS, Stage.LOGIN, Stage.MAIL])
@pytest.mark.parametrize("text", ["5.1.1 no such user", "5.2.2 mailbox full", "no such user"])
def test_no_reader_is_blamed_before_one_is_named(stage, text):
    assert judge(stage, 550, text) not in (Outcome.REFUSED, Outcome.DEFERRED)


def test_a_status_that_contradicts_its_code_is_not_believed():
    assert judge(Stage.RCPT, 450, "5.1.1 no such user") is Outcome.DEFERRED


@pytest.mark.parametrize(("text", "status"), [
    ("5.1.1 no such user", "5.1.1"),
    ("5.1.10 <ada@example.org>: not found", "5.1.10"),
    ("Blocked (5.7.511). See also 5.1.1", "5.7.511"),
    ("2.0.0 OK\n2.0.0 queued", "2.0.0"),
    ("no such user", ""),
    ("your host 5.9.1.2 is blocked", ""),
    ("your host 192.5.1.1 is blocked", ""),
    ("version 3.1.1", ""),
    ("", ""),
])
def test_the_enhanced_status_is_found_wherever_it_stands(text, status):
    assert enhanced(text) == status


@pytest.mark.parametrize(("text", "line"), [
    ("5.1.1 no such user", "550 5.1.1 no such user"),
    ("5.1.1 no such user\n5.1.1 see https://example.org/", "550 5.1.1 no such user 5.1.1 see https://example.org/"),
    ("\x1b[31mred\x07\ttext\u202e", "550 [31mred text"),
    ("없는 메일함", "550 없는 메일함"),
    ("", "550"),
])
def test_a_reply_is_shown_as_one_printable_line(text, line):
    assert str(Reply(Stage.RCPT, 550, text)) == line


def test_a_reply_is_shown_with_an_end():
    assert len(str(Reply(Stage.RCPT, 550, "x" * 10_000))) == 300


@pytest.mark.parametrize("address", ["ada@example.org", "ada+digest@example.org", "o'hara@xn--bj0bj06e.kr"])
def test_a_plain_address_fits_an_envelope(address):
    check_envelope("digest@example.org", address)
    check_envelope(address, "ada@example.org")


@pytest.mark.parametrize("address", [
    "", "ada", "에이다@example.org", "ada@한글.kr", "ada@example.org\n",
    "ada@example.org\r\nRCPT TO:<b@example.org>", "ada@example.org> SIZE=1", "ada bob@example.org",
    "ada\0@example.org", "a" * 250 + "@example.org",
])
def test_what_is_no_plain_address_fits_none(address):
    with pytest.raises(ValueError, match="recipient: not an ASCII address"):
        check_envelope("digest@example.org", address)
    with pytest.raises(ValueError, match="sender: not an ASCII address"):
        check_envelope(address, "ada@example.org")
