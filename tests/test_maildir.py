"""The folder that takes mail as a relay does."""
import mailbox
import os
import resource

import pytest

from devdigest.maildir import Maildir
from devdigest.replies import Outcome, RelayError

ADA, DIGEST = "ada@example.org", "digest@example.org"


def a_mail(identity="<1.2@example.org>", text="안녕하세요"):
    return (f"From: DevDigest <{DIGEST}>\r\nTo: {ADA}\r\nMessage-ID: {identity}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            f"{text}\r\n").encode()


def test_a_mail_lies_in_the_folder_as_a_mail_program_reads_it(tmp_path):
    reply = Maildir(tmp_path / "mail").send(DIGEST, ADA, a_mail())
    assert reply.outcome is Outcome.ACCEPTED
    [mail] = mailbox.Maildir(tmp_path / "mail")
    assert (mail["Return-Path"], mail["Delivered-To"]) == (f"<{DIGEST}>", ADA)
    assert mail["Message-ID"] == "<1.2@example.org>"
    assert mail.get_payload(decode=True).decode() == "안녕하세요\n"


def test_a_mail_repeated_after_a_crash_lies_there_once(tmp_path):
    Maildir(tmp_path).send(DIGEST, ADA, a_mail())
    Maildir(tmp_path).send(DIGEST, ADA, a_mail())
    assert len(mailbox.Maildir(tmp_path)) == 1


def test_what_a_crash_left_half_written_is_not_a_mail_and_not_in_the_way(tmp_path):
    reply = Maildir(tmp_path).send(DIGEST, ADA, a_mail())
    written = tmp_path / reply.text.split()[-1]
    half = tmp_path / "tmp" / written.name
    written.rename(half)
    half.write_bytes(half.read_bytes()[:40])
    assert len(mailbox.Maildir(tmp_path)) == 0
    Maildir(tmp_path).send(DIGEST, ADA, a_mail())
    [mail] = mailbox.Maildir(tmp_path)
    assert mail["Message-ID"] == "<1.2@example.org>"
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize(("one", "other"), [
    (a_mail("<1.2@example.org>"), a_mail("<1.3@example.org>")),
    (b"Subject: one\r\n\r\nno Message-ID\r\n", b"Subject: two\r\n\r\nno Message-ID\r\n"),
    (b"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n1", b"Subject: x\r\n\r\nMessage-ID: <a@b>\r\n2"),
])
def test_different_mails_lie_there_each(tmp_path, one, other):
    folder = Maildir(tmp_path)
    folder.send(DIGEST, ADA, one)
    folder.send(DIGEST, ADA, other)
    assert len(mailbox.Maildir(tmp_path)) == 2


def test_a_message_id_never_leads_out_of_the_folder(tmp_path):
    Maildir(tmp_path / "mail").send(DIGEST, ADA, a_mail("<../../../outside@example.org>"))
    assert [path.name for path in tmp_path.iterdir()] == ["mail"]
    assert len(mailbox.Maildir(tmp_path / "mail")) == 1


def test_an_address_cannot_add_a_header(tmp_path):
    folder = Maildir(tmp_path)
    with pytest.raises(ValueError, match="recipient"):
        folder.send(DIGEST, "ada@example.org\nBcc: bob@example.org", a_mail())
    assert len(mailbox.Maildir(tmp_path)) == 0


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(RelayError, match=r"/mail: cannot be written: Not a directory; check"):
        Maildir(tmp_path / "mail")


def test_a_folder_that_vanished_is_said_and_blames_nobody(tmp_path):
    folder = Maildir(tmp_path / "mail")
    for part in ("tmp", "new", "cur"):
        (tmp_path / "mail" / part).rmdir()
    with pytest.raises(RelayError, match="No such file") as raised:
        folder.send(DIGEST, ADA, a_mail())
    assert (raised.value.reply, raised.value.outcome) == (None, None)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_said(tmp_path):
    folder = Maildir(tmp_path)
    (tmp_path / "tmp").chmod(0o500)
    with pytest.raises(RelayError, match="Permission denied"):
        folder.send(DIGEST, ADA, a_mail())


def test_a_mail_that_finds_no_room_is_not_there_at_all(tmp_path):
    folder = Maildir(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))      # as a full disk: the write comes up short
    try:
        with pytest.raises(RelayError, match="File too large"):
            folder.send(DIGEST, ADA, a_mail(text="x" * 200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert folder.send(DIGEST, ADA, a_mail()).outcome is Outcome.ACCEPTED
