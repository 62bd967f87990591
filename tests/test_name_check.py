"""Whether the name leads here, and who keeps it so."""
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from machines import a_machine
from name_servers import BROKEN, FakeNameServer

from devdigest.finding import NOT_ASKED, OK, RED, WARN
from devdigest.name_check import Name, drifted
from devdigest.name_server import NameServer

NAME, OWN, OURS = "digest.example.org", "203.0.113.7", "2001:2d8:0:1::23"
IF_INET6 = ("200102d8000000010000000000000023 02 40 00 80     eth0\n"
            "200102d80000000100000000000000aa 02 40 00 01     eth0\n")
UNIT = "etc/systemd/system/devdigest-ddns.service"


@pytest.fixture
def server() -> Iterator[FakeNameServer]:
    with FakeNameServer({"NS example.org": ["ns1.example.org."], "A ns1.example.org": ["127.0.0.1"],
                         f"A {NAME}": [OWN]}) as one:
        yield one


def a_name(server: FakeNameServer, folder: Path, files: dict[str, str] | None = None) -> Name:
    return Name(NAME, NameServer(server.server_address, each_seconds=0.5),
                a_machine(folder, {"proc/self/net/if_inet6": IF_INET6, **(files or {})}))


@pytest.mark.parametrize(("found", "own", "words"), [
    ([OWN], OWN, ""), ([OWN, OURS], OWN, ""), ([OWN], "", ""), ([], OWN, "has no IPv4 address"),
    ([OURS], OWN, "has no IPv4 address"), (["198.51.100.1"], OWN, f"leads to 198.51.100.1, and we are {OWN}"),
    ([OWN, "198.51.100.1"], OWN, f"leads to {OWN}, 198.51.100.1, of which only {OWN} is ours")])
def test_a_name_drifts_from_our_address(found: list[str], own: str, words: str) -> None:
    assert drifted(found, own) == words


def test_a_name_that_leads_here_is_well(server: FakeNameServer, tmp_path: Path) -> None:
    name = a_name(server, tmp_path)
    finding = name.name(OWN)
    assert (finding.state, finding.fact, name.ipv4) == (OK, f"{NAME} is {OWN}", OWN)
    assert "not compared" in name.name("").fact


def test_a_name_that_leads_elsewhere_is_red_and_its_updater_is_begun_again(server: FakeNameServer,
                                                                           tmp_path: Path) -> None:
    server.records[f"A {NAME}"] = ["198.51.100.1"]
    assert "DDNS in the router's menu" in a_name(server, tmp_path).name(OWN).cure
    finding = a_name(server, tmp_path, {UNIT: ""}).name(OWN)
    assert (finding.state, finding.cure) == (RED, "sudo systemctl restart devdigest-ddns")


def test_a_name_that_is_only_known_at_home_is_red(server: FakeNameServer, tmp_path: Path) -> None:
    server.records[f"A {NAME}"] = ["192.168.0.23"]
    assert "only known at home" in a_name(server, tmp_path).name("").fact


@pytest.mark.parametrize(("address", "state"), [
    (OURS, OK), ("2001:2d8:0:1::aa", WARN), ("2001:2d8:9::1", RED)])
def test_an_ipv6_address_must_be_ours_and_stay(server: FakeNameServer, tmp_path: Path, address: str,
                                               state: str) -> None:
    server.records[f"AAAA {NAME}"] = [address]
    finding = a_name(server, tmp_path).name(OWN)
    assert (finding.state, address in finding.fact, "AAAA" in finding.cure) == (state, True, state != OK)


def test_a_name_that_cannot_be_looked_up_is_not_known(server: FakeNameServer, tmp_path: Path) -> None:
    server.records[f"A {NAME}"] = BROKEN
    assert a_name(server, tmp_path).name(OWN).state == WARN


@pytest.mark.parametrize(("told", "state", "words"), [
    ({"verdict": "good", "words": "good 203.0.113.7", "blind": ""}, OK, "says: good 203.0.113.7"),
    ({"verdict": "later", "words": "911"}, WARN, "911"), ({"verdict": "refused", "words": "badauth"}, RED,
                                                          "badauth"),
    ({"verdict": "good", "words": "good", "blind": "no answer"}, WARN, "our own address is not known"),
    ("garbage", WARN, "has not run yet"), (None, WARN, "has not run yet")])
def test_what_the_provider_said_last_is_told(server: FakeNameServer, tmp_path: Path, told: dict | str | None,
                                             state: str, words: str) -> None:
    files = {UNIT: ""}
    if told is not None:
        files["run/devdigest-ddns.json"] = told if isinstance(told, str) else json.dumps(told)
    finding = a_name(server, tmp_path, files).updater()
    assert (finding.state, words in finding.fact) == (state, True)


def test_without_an_updater_there_is_nothing_to_tell(server: FakeNameServer, tmp_path: Path) -> None:
    assert a_name(server, tmp_path).updater().state == NOT_ASKED
