"""The bounce mailbox at a real server, and at servers that hang, drop and lie."""
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailboxes import DROP, PASSWORD, STALL, Dovecot, ScriptedMailbox, inside, owner, put

from devdigest.config import Bounces
from devdigest.imap import FOLDER, Mailbox, MailboxError, Place

MAIL = b"From: <>\r\nTo: bounces@example.org\r\nSubject: %d\r\n\r\ntext\r\n"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with Dovecot() as server:
        yield server


@pytest.fixture
def settings(dovecot: Dovecot) -> Bounces:
    return dovecot.mailbox()


def mails(*numbers: int) -> list[bytes]:
    return [MAIL % number for number in numbers]


START = Place()


def read(settings: Bounces, since: Place = START, move: tuple[int, ...] = ()) -> tuple[list[bytes], Place]:
    """(the new mails, the place reached); those at the indexes `move` are put away."""
    found, reached = [], since
    with Mailbox(settings, PASSWORD) as mailbox:
        for reached, mail in mailbox.new(since):
            if len(found) in move:
                mailbox.put_away(reached)
            found.append(mail)
    return found, reached


def test_new_mails_come_in_their_order_and_each_once(settings: Bounces) -> None:
    assert read(settings) == ([], Place())
    put(settings, *mails(1, 2))
    found, place = read(settings)
    assert found == mails(1, 2)
    assert read(settings, place) == ([], place)
    put(settings, *mails(3))
    assert read(settings, place)[0] == mails(3)


def test_what_is_handled_is_moved_and_the_rest_left_unread_where_it_is(settings: Bounces) -> None:
    put(settings, *mails(1, 2, 3))
    found, place = read(settings, move=(0, 2))
    assert found == mails(1, 2, 3)
    assert (inside(settings), inside(settings, f"INBOX.{FOLDER}")) == (mails(2), mails(1, 3))
    with owner(settings) as line:
        [flags] = line.uid("FETCH", "1:*", "(FLAGS)")[1]
    assert b"Seen" not in flags
    assert read(settings, place)[0] == []


def test_what_others_have_marked_as_deleted_stays(settings: Bounces) -> None:
    put(settings, *mails(1, 2))
    with owner(settings) as line:
        line.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
    read(settings, move=(1,))
    assert inside(settings) == mails(1)


@pytest.mark.parametrize(("capabilities", "left"), [("IMAP4rev1 NAMESPACE UIDPLUS AUTH=PLAIN", 1),
                                                    ("IMAP4rev1 NAMESPACE AUTH=PLAIN", 2)])
def test_a_server_that_cannot_move_is_asked_to_copy_or_left_alone(capabilities: str, left: int) -> None:
    with Dovecot(f"imap_capability = {capabilities}") as old:
        settings = old.mailbox()
        put(settings, *mails(1, 2))
        read(settings, move=(0,))
        assert inside(settings) == mails(1, 2)[-left:]
        assert inside(settings, f"INBOX.{FOLDER}") == mails(1, 2)[:2 - left]


def test_of_a_big_mail_only_the_beginning_is_read(settings: Bounces) -> None:
    put(settings, MAIL % 1 + b"x" * 998 * 1_000)
    [mail] = read(settings)[0]
    assert (len(mail), mail[:20]) == (262_144, (MAIL % 1)[:20])


def test_after_the_mailbox_was_made_anew_it_is_read_from_the_beginning(settings: Bounces) -> None:
    put(settings, *mails(1))
    _, place = read(settings)
    assert read(settings, Place(place.validity + 1, 900))[0] == mails(1)


def test_a_wrong_password_is_known_as_one(settings: Bounces) -> None:
    with pytest.raises(MailboxError, match=r"login refused: .*Authentication failed") as error:
        Mailbox(settings, "wrong")
    assert error.value.locked_out


def test_a_certificate_that_nobody_vouches_for_gets_no_password(tmp_path: Path) -> None:
    with ScriptedMailbox(tmp_path, {}) as server:
        strange = Bounces(imap="127.0.0.1", port=server.settings.port, user="user")
        with pytest.raises(MailboxError, match="certificate verify failed"):
            Mailbox(strange, PASSWORD)
        assert server.commands == []


def test_a_server_that_is_not_there_is_told_with_its_name(tmp_path: Path) -> None:
    with ScriptedMailbox(tmp_path, {}) as server:
        settings = server.settings
    with pytest.raises(MailboxError, match=f"127.0.0.1:{settings.port}: .*refused") as error:
        Mailbox(settings, PASSWORD)
    assert not error.value.locked_out


def scripted(folder: Path, patience: float = 5, longest: float = 60, **script: bytes) -> list[bytes]:
    """What is read from a server with this script; the mails are put away."""
    with (ScriptedMailbox(folder, script) as server,
          Mailbox(server.settings, "secret", patience, longest) as mailbox):
        found = []
        for place, mail in mailbox.new(Place()):
            mailbox.put_away(place)
            found.append(mail)
        return found


def test_the_script_of_these_tests_is_one_of_a_server_that_works(tmp_path: Path) -> None:
    assert scripted(tmp_path) == [b"hello"]


@pytest.mark.parametrize("command", ["greeting", "CAPABILITY", "LOGIN", "SELECT", "SEARCH", "FETCH", "MOVE"])
@pytest.mark.parametrize("fault", [DROP, STALL], ids=["drop", "stall"])
def test_a_server_that_ends_or_hangs_is_a_fault_and_no_refused_login(tmp_path: Path, command: str,
                                                                    fault: bytes) -> None:
    with pytest.raises(MailboxError) as error:
        scripted(tmp_path, patience=0.1, **{command: fault})
    assert not error.value.locked_out


@pytest.mark.parametrize(("said", "words"), [
    (b"* 1 FETCH (UID 3 BODY[]<0> {9000000000}\r\nhelloCUT", "announces 9,000,000,000 bytes"),
    (b"* 1 FETCH (UID 3 BODY[]<0> {500}\r\nhelloCUT", "the line broke"),
    (b"* 1 FETCH (UID 3 BODY[]<0> {5}\r\nheCUT", "the line broke"),
    (b"* 1 FETCH (UID 3 " + b"x" * 1_000_100, "1000000"),
    (b"X NO [SERVERBUG] not now", "SERVERBUG"),
    (b"X BAD what?", "what?"),
    (b"\x00\xff garbage", "garbage"),
], ids=["a size of GB", "cut in a literal", "shorter than said", "endless line", "NO", "BAD", "garbage"])
def test_a_server_that_lies_about_a_mail_is_a_fault(tmp_path: Path, said: bytes, words: str) -> None:
    with pytest.raises(MailboxError, match=re.escape(words)):
        scripted(tmp_path, FETCH=said)


@pytest.mark.parametrize("said", [b"* 1 FETCH (UID 3 FLAGS ())", b"", b"* 1 FETCH (UID 3 BODY[]<0> NIL)"],
                         ids=["only flags", "nothing", "NIL"])
def test_a_mail_that_is_gone_by_its_turn_is_left_out(tmp_path: Path, said: bytes) -> None:
    assert scripted(tmp_path, FETCH=said) == []


def test_of_a_server_that_sends_more_than_was_asked_for_no_more_is_taken(tmp_path: Path) -> None:
    literal = b"* 1 FETCH (UID 3 BODY[] {300000}\r\n" + b"x" * 300_000 + b")"
    assert scripted(tmp_path, FETCH=literal) == [b"x" * 262_144]


def test_a_server_that_gives_a_byte_now_and_then_is_left_in_the_end(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(MailboxError):
        scripted(tmp_path, patience=30, longest=0.3, SEARCH=STALL)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("said", "locked_out"), [
    (b"X NO [AUTHENTICATIONFAILED] wrong", True), (b"X NO wrong", True), (b"X NO [UNAVAILABLE] later", False),
    (b"X NO [INUSE] later", False)])
def test_a_login_that_may_do_in_a_moment_is_told_from_a_wrong_one(tmp_path: Path, said: bytes,
                                                                 locked_out: bool) -> None:
    with pytest.raises(MailboxError, match="login refused: ") as error:
        scripted(tmp_path, LOGIN=said)
    assert error.value.locked_out is locked_out


def test_the_folder_is_made_where_it_is_missing_and_a_full_mailbox_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="OVERQUOTA"):
        scripted(tmp_path, MOVE=b"X NO [OVERQUOTA] full")
    with ScriptedMailbox(tmp_path, {"MOVE": b"X NO [TRYCREATE] no such folder"}) as server:
        with pytest.raises(MailboxError, match="TRYCREATE"), Mailbox(server.settings, "secret") as mailbox:
            mailbox.put_away(Place(7, 3))
        assert f"CREATE {FOLDER}" in server.commands


def test_a_folder_of_very_many_is_asked_for_in_portions(tmp_path: Path) -> None:
    many = b"* 12000 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 90000] ok"
    with ScriptedMailbox(tmp_path, {"SELECT": many}) as server:
        with Mailbox(server.settings, "secret") as mailbox:
            assert [place.last for place, _ in mailbox.new(Place(7, 2))] == [3]
        asked = [command for command in server.commands if "SEARCH" in command]
    assert asked == ["UID SEARCH 1:5000 UID 3:*", "UID SEARCH 5001:10000 UID 3:*",
                     "UID SEARCH 10001:12000 UID 3:*"]


def test_nothing_is_asked_where_nothing_came_since(tmp_path: Path) -> None:
    with ScriptedMailbox(tmp_path, {}) as server:
        with Mailbox(server.settings, "secret") as mailbox:
            assert list(mailbox.new(Place(7, 3))) == []
        assert not any("SEARCH" in command for command in server.commands)
