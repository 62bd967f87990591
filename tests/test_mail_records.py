"""Records of SPF, DKIM and DMARC as they stand in DNS, good and bad."""
import subprocess

import pytest

from devdigest.mail_records import dmarc_records, merged, openness, rsa_bits, spf_records, survey, tags


def asked_of(zone: dict[str, str], record: str):
    asked = []

    def ask(name: str) -> list[str]:
        asked.append(name)
        return [zone[name]] if name in zone else []
    return survey(record, ask), asked


@pytest.mark.parametrize(("text", "is_one"), [
    ("v=spf1", True), ("v=spf1 -all", True), ("V=SPF1 -all", True), ("v=spf10 -all", False),
    ("v=spf2.0/mfrom -all", False), ("spf1 -all", False), ("google-site-verification=x", False)])
def test_only_version_1_is_an_spf_record(text: str, is_one: bool) -> None:
    assert bool(spf_records([text])) == is_one


@pytest.mark.parametrize(("record", "lookups"), [
    ("v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all", 0),
    ("v=spf1 a mx ptr exists:%{i}.example.org ?all", 4),
    ("v=spf1 a:mail.example.org/24 ~mx:example.net a/24 -all", 3),
    ("v=spf1 include:one.example -all", 3),             # itself, and two inside
    ("v=spf1 redirect=one.example", 3),
    ("v=spf1 redirect=one.example -all", 0),            # `all` has the last word
    ("v=spf1 include:%{d}.example -all", 1),
    ("v=spf1 exp=why.example -all", 0)])
def test_lookups_are_counted_as_receivers_count(record: str, lookups: int) -> None:
    found, _ = asked_of({"one.example": "v=spf1 a include:two.example -all",
                         "two.example": "v=spf1 ip4:192.0.2.0/24 -all"}, record)
    assert (found.lookups, found.fault) == (lookups, "")


def test_names_that_are_taken_in_are_told_however_deep() -> None:
    found, _ = asked_of({"one.example": "v=spf1 include:Two.example. -all", "two.example": "v=spf1 -all"},
                        "v=spf1 +include:one.example -all")
    assert found.names == {"one.example", "two.example"}


def test_a_circle_ends_with_the_tenth_lookup() -> None:
    found, asked = asked_of({"one.example": "v=spf1 include:one.example -all"},
                            "v=spf1 include:one.example -all")
    assert "more than 10 lookups" in found.fault
    assert len(asked) <= 11


def test_ten_lookups_are_still_allowed() -> None:
    assert asked_of({}, "v=spf1" + " a" * 10 + " -all")[0].fault == ""
    assert "more than 10" in asked_of({}, "v=spf1" + " a" * 11 + " -all")[0].fault


def test_a_record_that_takes_in_nothing_counts_for_nothing() -> None:
    assert asked_of({}, "v=spf1 include:gone.example -all")[0].fault == (
        "takes in gone.example, which has no SPF records")


@pytest.mark.parametrize(("record", "said"), [
    ("v=spf1 -all", "-"), ("v=spf1 ~all", "~"), ("v=spf1 all", "+"), ("v=spf1 a", None)])
def test_what_holds_of_everyone_else_is_read(record: str, said: str | None) -> None:
    assert openness(record) == said


def test_several_records_are_made_one() -> None:
    assert merged(["v=spf1 a mx ~all", "v=spf1 mx include:x.example -all"], "include:y.example") == (
        "v=spf1 a mx include:x.example include:y.example ~all")
    assert merged(["v=spf1 a -all"], "a") == "v=spf1 a -all"
    assert merged([], "a:relay.example.org") == "v=spf1 a:relay.example.org ~all"


def test_tags_are_read_with_all_their_spaces() -> None:
    assert tags(" v=DKIM1 ; K = rsa;p=AA==; ;") == {"v": "DKIM1", "k": "rsa", "p": "AA=="}


@pytest.mark.parametrize(("text", "is_one"), [
    ("v=DMARC1; p=none", True), ("v = DMARC1;p=reject", True), ("v=DMARC1", True),
    ("v=DMARC12; p=none", False), ("p=none; v=DMARC1", False), ("v=spf1 -all", False)])
def test_a_dmarc_record_begins_with_its_version(text: str, is_one: bool) -> None:
    assert bool(dmarc_records([text])) == is_one


@pytest.mark.parametrize("bits", [768, 1024, 2048])
@pytest.mark.parametrize("bare", [[], ["-RSAPublicKey_out"]], ids=["with its algorithm", "bare"])
def test_the_length_of_a_key_is_read(bits: int, bare: list[str]) -> None:
    private = subprocess.run(["openssl", "genrsa", str(bits)], check=True, capture_output=True).stdout
    key = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "DER", *bare], input=private, check=True,
                         capture_output=True).stdout
    assert rsa_bits(key) == bits
    for end in (0, 1, 5, len(key) // 2, len(key) - 1):
        with pytest.raises(ValueError, match=r"cut off|no RSA key"):
            rsa_bits(key[:end])


@pytest.mark.parametrize("octets", [b"\x30\x84\xff\xff\xff\xff", b"hello, world", b"\x30\x02\x04\x00",
                                    b"\x30" * 5000])
def test_what_is_no_key_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut off|no RSA key"):
        rsa_bits(octets)
