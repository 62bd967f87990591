"""What a name server says, does not say, and takes too long to say."""
import time
from collections.abc import Iterator

import pytest
from name_servers import BROKEN, SILENT, FakeNameServer, text
from relay import free_port

from devdigest.name_server import NameServer, NameServerError


@pytest.fixture
def server() -> Iterator[FakeNameServer]:
    with FakeNameServer() as one:
        yield one


@pytest.fixture
def names(server: FakeNameServer) -> NameServer:
    return NameServer(server.server_address, each_seconds=0.5)


def test_a_long_text_is_put_together_again(server: FakeNameServer, names: NameServer) -> None:
    long = "v=DKIM1; p=" + "A" * 390
    server.records["TXT s1._domainkey.example.org"] = [text(long)]
    assert names.texts("s1._domainkey.example.org") == [long]


def test_mail_servers_come_with_the_preferred_first(server: FakeNameServer, names: NameServer) -> None:
    server.records["MX example.org"] = ["20 second.example.org.", "5 first.example.org."]
    server.records["MX example.net"] = ["0 ."]
    assert names.mail_servers("example.org") == ["first.example.org", "second.example.org"]
    assert names.mail_servers("example.net") == [""]


@pytest.mark.parametrize("name", ["nobody.example.org", "empty.example.org", f"{'x' * 64}.example.org",
                                  "a..b", f"{'x.' * 200}org"])
def test_a_name_without_records_has_none(server: FakeNameServer, names: NameServer, name: str) -> None:
    server.records["TXT empty.example.org"] = []
    assert names.texts(name) == []


@pytest.mark.parametrize("trouble", [SILENT, BROKEN])
def test_a_server_that_does_not_tell_is_no_answer(server: FakeNameServer, names: NameServer,
                                                  trouble: str) -> None:
    server.records["TXT example.org"] = trouble
    with pytest.raises(NameServerError, match=r"^example\.org: "):
        names.texts("example.org")


def test_a_server_that_is_not_there_is_no_answer() -> None:
    with pytest.raises(NameServerError, match="example"):
        NameServer(("127.0.0.1", free_port()), each_seconds=0.2).texts("example.org")


def test_after_all_its_time_nothing_more_is_asked(server: FakeNameServer) -> None:
    server.records["TXT slow.example.org"] = SILENT
    server.records["TXT example.org"] = ['"fine"']
    names = NameServer(server.server_address, each_seconds=5, all_seconds=0.2)
    begun = time.monotonic()
    for name in ("slow.example.org", "example.org"):
        with pytest.raises(NameServerError):
            names.texts(name)
    assert time.monotonic() - begun < 2
    assert "TXT example.org" not in server.asked


# addresses

OWN = {"NS example.org": ["ns1.example.net."], "A ns1.example.net": ["127.0.0.1"]}


def test_addresses_are_asked_of_the_zones_own_servers(server: FakeNameServer, names: NameServer) -> None:
    server.records |= OWN | {"A digest.example.org": ["203.0.113.7"],
                             "AAAA digest.example.org": ["2001:db8::7"]}
    assert names.addresses("digest.example.org") == ["203.0.113.7", "2001:db8::7"]
    assert server.asked == ["NS digest.example.org", "NS example.org", "A ns1.example.net",
                            "A digest.example.org", "AAAA digest.example.org"]


def test_a_name_that_its_zone_does_not_know_has_no_address(server: FakeNameServer, names: NameServer) -> None:
    server.records |= OWN
    assert names.addresses("digest.example.org") == []
    assert names.addresses("digest.example.com") == []      # of a zone that nobody serves


def test_whether_a_name_is_known_is_told(server: FakeNameServer, names: NameServer) -> None:
    server.records["A relay.example.org"] = ["198.51.100.1"]
    assert (names.known("relay.example.org"), names.known("none.example.org")) == (True, False)
