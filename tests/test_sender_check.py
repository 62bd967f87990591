"""What stands in DNS for the sender's domain, and the record to paste where it is wrong."""
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from name_servers import BROKEN, SILENT, FakeNameServer, text

from devdigest import sender_check
from devdigest.config import Bounces, Config
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.name_server import NameServer


@cache
def dkim(bits: int) -> str:
    private = subprocess.run(["openssl", "genrsa", str(bits)], check=True, capture_output=True).stdout
    key = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER"], input=private, check=True,
                         capture_output=True).stdout
    return f"v=DKIM1; k=rsa; p={b64encode(key).decode()}"


@pytest.fixture
def server() -> Iterator[FakeNameServer]:
    """With all that a domain that sends through Google's relay needs."""
    ours = [text("site-verification=x"), text(f"v=spf1 include:{GOOGLE} -all")]
    with FakeNameServer({"TXT example.org": ours, f"TXT {GOOGLE}": [text("v=spf1 ip4:192.0.2.0/24 ~all")],
                         "TXT s1._domainkey.example.org": [text(dkim(2048))],
                         "TXT _dmarc.example.org": [text("v=DMARC1; p=quarantine")],
                         "MX example.org": ["10 mx.example.org."]}) as one:
        yield one


GOOGLE = "_spf.google.com"
SES = "email-smtp.ap-northeast-2.amazonaws.com"


@pytest.fixture
def config() -> Config:
    return by("smtp-relay.gmail.com", dkim_selector="s1")


def by(host: str, **mail: str) -> Config:
    given = Config()
    return replace(given, mail=replace(given.mail, **{"transport": "smtp", "host": host,
                                                      "sender": "digest@example.org"} | mail))


def told(server: FakeNameServer, config: Config, seconds: float = 5) -> dict[str, Finding]:
    names = NameServer(server.server_address, each_seconds=seconds)
    return {finding.name: finding for finding in sender_check.findings(config, names)}


def test_where_all_is_right_each_says_so(server: FakeNameServer, config: Config) -> None:
    assert list(told(server, config).values()) == [
        Finding("spf", OK, "v=spf1 include:_spf.google.com -all, 1 of 10 lookups"),
        Finding("dkim", OK, "s1._domainkey.example.org, 2048 bits"),
        Finding("dmarc", OK, "p=quarantine; aligned by SPF and DKIM"),
        Finding("mx", OK, "mx.example.org")]


def test_where_nothing_stands_each_names_the_record_to_paste(server: FakeNameServer, config: Config) -> None:
    server.records = {}
    found = told(server, config)
    assert [one.state for one in found.values()] == [RED, RED, RED, WARN]
    assert found["spf"].cure == 'example.org. TXT "v=spf1 include:_spf.google.com ~all"'
    assert found["dmarc"].cure == '_dmarc.example.org. TXT "v=DMARC1; p=none"'
    assert all(one.cure for one in found.values())


def test_what_cannot_be_asked_is_not_known_and_not_red(server: FakeNameServer, config: Config) -> None:
    for name in ("TXT example.org", "TXT s1._domainkey.example.org", "TXT _dmarc.example.org"):
        server.records[name] = BROKEN
    server.records["MX example.org"] = SILENT
    found = told(server, config, seconds=0.2)
    assert {one.state for one in found.values()} == {WARN}
    assert all(one.fact.startswith("not known: ") for one in found.values())


# SPF

@pytest.mark.parametrize(("host", "record", "state", "words", "cure"), [
    ("smtp-relay.gmail.com", "v=spf1 mx -all", WARN, "does not take in _spf.google.com",
     "v=spf1 mx include:_spf.google.com -all"),
    ("smtp.gmail.com", "v=spf1 mx ~all", WARN, "does not take in", "v=spf1 mx include:_spf.google.com ~all"),
    (SES, "v=spf1 mx -all", OK, "1 of 10", ""),             # its envelope sender is not ours
    ("relay.example.net", "v=spf1 mx -all", OK, "1 of 10", ""),
    ("relay.example.net", "v=spf1 mx +all", WARN, "lets everyone", "v=spf1 mx ~all"),
    ("relay.example.net", "v=spf1 mx include:gone.example -all", RED, "takes in gone.example", "take out"),
    ("relay.example.net", "v=spf1" + " a" * 11, RED, "more than 10 lookups", "take out")])
def test_an_spf_record_is_judged_by_the_relay(server: FakeNameServer, host: str, record: str, state: str,
                                              words: str, cure: str) -> None:
    server.records["TXT example.org"] = [text(record)]
    found = told(server, by(host))["spf"]
    assert (found.state, words in found.fact, cure in found.cure) == (state, True, True), found


def test_of_two_spf_records_one_is_made(server: FakeNameServer, config: Config) -> None:
    server.records["TXT example.org"] = [text("v=spf1 mx -all"), text(f"v=spf1 include:{GOOGLE} ~all")]
    found = told(server, config)["spf"]
    assert (found.state, "2 SPF records" in found.fact) == (RED, True)
    assert found.cure.endswith('example.org. TXT "v=spf1 include:_spf.google.com mx ~all"')


@pytest.mark.parametrize(("host", "term"), [
    (SES, "include:amazonses.com"), ("smtp.eu.mailgun.org", "include:mailgun.org"),
    ("smtp-relay.brevo.com", "include:spf.brevo.com"), ("SMTP.sendgrid.net", "include:sendgrid.net"),
    ("smtp-broadcasts.postmarkapp.com", "include:spf.mtasv.net"), ("mail.example.org", "a:mail.example.org")])
def test_the_record_to_paste_is_that_of_the_relay(server: FakeNameServer, host: str, term: str) -> None:
    server.records = {}
    assert f'"v=spf1 {term} ~all"' in told(server, by(host))["spf"].cure


# DKIM

@pytest.mark.parametrize(("records", "state", "words"), [
    ([1024], OK, "1024 bits; 2048 are advised"),
    ([768], RED, "768 bits, too few"),
    (["v=DKIM1; p="], RED, "withdrawn"),
    (["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="], OK, "ed25519"),
    (["v=DKIM1; p=MIIBIjANBgkqhkiG9w0BAQ"], RED, "is no key"),
    (["v=DKIM1; p=no key at all!"], RED, "is no key"),
    (["v=spf1 -all"], RED, "no DKIM keys"),
    ([1024, 2048], RED, "2 DKIM keys")])
def test_a_dkim_key_is_judged_by_its_length(server: FakeNameServer, config: Config, records: list[int | str],
                                            state: str, words: str) -> None:
    server.records["TXT s1._domainkey.example.org"] = [
        text(dkim(record) if isinstance(record, int) else record) for record in records]
    found = told(server, config)["dkim"]
    assert (found.state, words in found.fact) == (state, True), found


def test_a_selector_that_is_not_told_is_asked_for(server: FakeNameServer) -> None:
    found = told(server, by("smtp-relay.gmail.com"))["dkim"]
    assert (found.state, "[mail] dkim_selector" in found.cure) == (WARN, True)
    assert not [name for name in server.asked if "_domainkey" in name]


# DMARC

@pytest.mark.parametrize(("host", "selector", "record", "verp", "expected"), [
    ("relay.example.net", "", "v=DMARC1; p=none", "", (OK, "p=none; aligned by SPF")),
    (SES, "s1", "v=DMARC1; p=reject", "", (OK, "p=reject; aligned by DKIM")),
    (SES, "", "v=DMARC1; p=none", "", (WARN, "p=none; nothing is known to be aligned with example.org")),
    ("relay.example.net", "s1", "v=DMARC1; p=none", "b@back.example.org",
     (OK, "p=none; aligned by SPF and DKIM")),
    ("relay.example.net", "s1", "v=DMARC1; p=none; aspf=s", "b@back.example.org",
     (OK, "p=none; aligned by DKIM")),
    ("relay.example.net", "s1", "v=DMARC1; p=none", "b@example.com", (OK, "p=none; aligned by DKIM")),
    ("relay.example.net", "s1", "v=DMARC1; p=never", "",
     (RED, "the DMARC record of example.org has no policy"))])
def test_dmarc_is_told_with_what_is_aligned(server: FakeNameServer, host: str, selector: str, record: str,
                                            verp: str, expected: tuple[str, str]) -> None:
    server.records["TXT _dmarc.example.org"] = [text(record)]
    config = replace(by(host, dkim_selector=selector), bounces=Bounces(address=verp, verp=bool(verp)))
    found = told(server, config)["dmarc"]
    assert (found.state, found.fact) == expected


@pytest.mark.parametrize(("record", "policy"), [("v=DMARC1; p=reject", "reject"),
                                                ("v=DMARC1; p=reject; sp=none", "none")])
def test_the_domain_above_speaks_for_one_that_says_nothing(server: FakeNameServer, record: str,
                                                           policy: str) -> None:
    server.records["TXT _dmarc.example.org"] = [text(record)]
    found = told(server, by("relay.example.net", sender="digest@daily.example.org"))["dmarc"]
    assert found.fact == f"p={policy}, by example.org; aligned by SPF"
    assert "TXT _dmarc.org" not in server.asked


def test_two_dmarc_records_are_none(server: FakeNameServer, config: Config) -> None:
    server.records["TXT _dmarc.example.org"] = [text("v=DMARC1; p=none"), text("v=DMARC1; p=reject")]
    assert told(server, config)["dmarc"].state == RED


def test_reports_are_asked_for_where_they_would_come(server: FakeNameServer, config: Config) -> None:
    server.records = {}
    for owner, wanted in (("me@example.org", "; rua=mailto:me@example.org"), ("me@gmail.com", "")):
        asked = replace(config, site=replace(config.site, owner=owner))
        assert told(server, asked)["dmarc"].cure == f'_dmarc.example.org. TXT "v=DMARC1; p=none{wanted}"'


# MX

@pytest.mark.parametrize("records", [[], ["0 ."]])
def test_a_domain_that_takes_no_mail_is_worth_a_word(server: FakeNameServer, config: Config,
                                                     records: list[str]) -> None:
    server.records["MX example.org"] = records
    assert told(server, config)["mx"].state == WARN
