"""What the relay offers, and one real mail to try it."""
import email
from dataclasses import replace
from email.policy import SMTP
from pathlib import Path

import pytest
from conftest import NOW
from relay import CHUNKED, FakeRelay, ScriptedRelay, certificate, free_port, settings

from devdigest import mail_check, suppressions
from devdigest.config import Config
from devdigest.finding import OK, RED, WARN
from devdigest.mail_check import trial

pytestmark = pytest.mark.usefixtures("records")


# the relay

def test_what_a_relay_offers_is_told(relay: FakeRelay) -> None:
    finding = mail_check.relay(settings(relay), "")
    assert (finding.state, finding.fact) == (
        OK, f"127.0.0.1:{relay.port} in the clear, 8BITMIME, SIZE 33 MB, no login")
    with ScriptedRelay({"EHLO": CHUNKED}) as scripted:
        assert mail_check.relay(settings(scripted), "").fact.endswith(
            " in the clear, PIPELINING, CHUNKING, 8BITMIME, no login")


def test_the_version_of_tls_is_told_and_the_login(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with FakeRelay(certificate=pem, user="ada", password="right") as relay:
        mail = settings(relay, security="tls", ca_file=str(pem), user="ada")
        finding = mail_check.relay(mail, "right")
    assert finding.fact == f"127.0.0.1:{relay.port} TLSv1.3, 8BITMIME, SIZE 33 MB, logged in as ada"
    assert relay.messages == []


def test_a_relay_that_is_down_is_red(relay: FakeRelay) -> None:
    finding = mail_check.relay(settings(relay, port=free_port()), "")
    assert (finding.state, "connection refused" in finding.fact) == (RED, True)


def test_a_relay_that_refuses_the_login_is_red_with_its_words() -> None:
    script = {"EHLO": "250-relay\n250 AUTH PLAIN",
              "AUTH": "535-5.7.8 Username and Password not accepted.\n535 5.7.8 see https://example.org/help"}
    with ScriptedRelay(script) as relay:
        finding = mail_check.relay(settings(relay, user="ada"), "wrong")
    assert finding.state == RED
    assert "535 5.7.8 Username and Password not accepted. 5.7.8 see https://example.org/help" in finding.fact
    assert "wrong" not in finding.fact


def test_a_folder_does_for_a_relay_where_it_can_be_written(config: Config, tmp_path: Path) -> None:
    assert mail_check.relay(config.mail, "").state == OK
    (tmp_path / "mail").write_text("a file where a folder belongs")
    assert mail_check.relay(config.mail, "").state == RED


# one mail

def test_one_mail_goes_to_the_address_and_the_reply_is_told(by_relay: Config, relay: FakeRelay) -> None:
    named = replace(by_relay, site=replace(by_relay.site, name="기술블로그"))
    finding = trial(named, "", "owner@example.org", NOW)
    assert finding.state == OK
    assert finding.fact.startswith("to owner@example.org: 250 2.0.0 queued as 1, after 0.")
    [(sender, recipient, message)] = relay.messages
    assert (sender, recipient) == ("digest@example.org", "owner@example.org")
    mail = email.message_from_bytes(message, policy=SMTP)
    assert (str(mail["From"]), mail["To"]) == ("기술블로그 <digest@example.org>", "owner@example.org")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@example.org>")
    assert "check --mail" in mail.get_content()


def test_two_of_them_are_two_mails(config: Config, tmp_path: Path) -> None:
    for _ in range(2):
        assert "250 2.0.0 stored" in trial(config, "", "owner@example.org", NOW).fact
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 2


@pytest.mark.parametrize(("to", "words"), [
    ("gone@example.org", "550 5.1.1 no such user"), ("full@example.org", "452 4.2.2 mailbox full"),
    ("spam@example.org", "554 5.7.1 looks like spam")])
def test_a_refusal_is_red_in_the_relays_words(by_relay: Config, to: str, words: str) -> None:
    finding = trial(by_relay, "", to, NOW)
    assert (finding.state, words in finding.fact, bool(finding.cure)) == (RED, True, True)


def test_a_relay_that_is_gone_is_red(by_relay: Config) -> None:
    gone = replace(by_relay, mail=replace(by_relay.mail, port=free_port()))
    assert "connection refused" in trial(gone, "", "owner@example.org", NOW).fact


def test_no_such_mail_goes_to_who_is_suppressed(by_relay: Config, relay: FakeRelay) -> None:
    suppressions.keep_out("owner@example.org", NOW)
    finding = trial(by_relay, "", "owner@example.org", NOW)
    assert (finding.state, "suppressed" in finding.fact, relay.messages) == (WARN, True, [])
