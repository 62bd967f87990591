"""Addresses from the owner's list: who is added, and that nobody is who left or must not be asked."""
import pytest
from conftest import NOW
from desk import SEOUL
from test_subscribers import outbox, state_of, suppress

from devdigest import subscriber_lists, subscribers
from devdigest.readers import Consent, Subscriber
from devdigest.subscriber_lists import Imported, NotACsv

pytestmark = pytest.mark.usefixtures("records")


def import_csv(data: str | bytes, confirmed: bool = False) -> Imported:
    data = data.encode() if isinstance(data, str) else data
    return subscriber_lists.import_csv(data, NOW, SEOUL, confirmed=confirmed, source="old list",
                                       language="ko")


def test_an_import_adds_who_is_new_and_tells_the_end_of_each_row(ada: Subscriber, carol: Subscriber) -> None:
    suppress("dan@example.org")
    done = import_csv("Email,Name\nada@example.org,Ada\ncarol@example.org\ndan@example.org\n"
                      "erin@example.org,en\nnot an address\n\n,\nERIN@example.org\n")
    assert (done.added, done.known) == (["erin@example.org"], ["ada@example.org", "ERIN@example.org"])
    assert done.left_alone == [("carol@example.org", "cancelled"), ("dan@example.org", "suppressed: bounce")]
    assert [given for given, _ in done.refused] == ["not an address"]
    assert (state_of("erin@example.org"), Subscriber.of("erin@example.org").language) == ("pending", "en")
    assert len(outbox()) == 1


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_import_never_revives_who_cancelled_or_is_suppressed(carol: Subscriber, confirmed: bool) -> None:
    suppress("dan@example.org")
    import_csv("CAROL@example.org\ndan@EXAMPLE.org\n", confirmed=confirmed)
    assert (state_of("carol@example.org"), state_of("dan@example.org"), outbox()) == ("cancelled", None, [])


def test_an_import_of_the_confirmed_keeps_where_their_consent_comes_from() -> None:
    import_csv("ada@example.org\n", confirmed=True)
    assert [(row.given, row.source) for row in Consent.select()] == [(NOW, "old list")]
    assert (state_of("ada@example.org"), outbox()) == ("active", [])


@pytest.mark.parametrize("data", [
    b"\xef\xbb\xbfemail\nada@example.org\n",                        # as Excel writes it
    b"e-mail\r\n\"ada@example.org\", ko\r\n",
    b"ADDRESS\rada@example.org",
    b"  ada@example.org  \n",
    b"ada@example.org,\"a note\nof two lines\"\n",
])
def test_an_import_reads_what_spreadsheets_write(data: bytes) -> None:
    assert import_csv(data).added == ["ada@example.org"]


@pytest.mark.parametrize(("data", "words"), [
    ("에이다@example.org\n".encode("euc-kr"), "not UTF-8 text: byte 0"),
    ("ada@example.org\n".encode("utf-16"), "not UTF-8"),
    (b'"ada@example.org\n' + b"x" * 200_000, "quotation mark"),     # never closed
])
def test_what_is_no_csv_is_refused_whole(data: bytes, words: str) -> None:
    with pytest.raises(NotACsv, match=words):
        import_csv(data)
    assert Subscriber.select().count() == 0


def test_a_list_that_is_broken_at_its_end_adds_nobody() -> None:
    data = b"\n".join(b"reader%d@example.org" % number for number in range(250)) + b"\n\xff@example.org"
    with pytest.raises(NotACsv):
        import_csv(data)
    assert (Subscriber.select().count(), outbox()) == (0, [])


def test_who_was_erased_is_not_brought_back_by_an_import(ada: Subscriber) -> None:
    subscribers.forget(ada, NOW, SEOUL)
    done = import_csv(b"ada@example.org\n", confirmed=True)
    assert (done.added, done.left_alone) == ([], [("ada@example.org", "suppressed: erased")])
