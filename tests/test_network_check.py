"""The way out, by which address the world knows us, and whether that address is ours alone."""
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from feed_server import FeedServer
from machines import a_machine, udp
from name_servers import SILENT, FakeNameServer
from relay import free_port

from devdigest.config import Config
from devdigest.finding import NOT_ASKED, OK, RED, WARN
from devdigest.machine import Machine
from devdigest.name_server import NameServer
from devdigest.network_check import Network, public_name


@pytest.fixture
def server() -> Iterator[FakeNameServer]:
    with FakeNameServer({"A relay.example.org": ["198.51.100.1"]}) as one:
        yield one


def a_network(config: Config, server: FakeNameServer, machine: Machine, *told: str) -> Network:
    """With these who tell our address."""
    return Network(replace(config, check=replace(config.check, own_address=told)),
                   NameServer(server.server_address, each_seconds=0.5), machine)


def wan(address: str) -> bytes:
    return bytes((0, 128, 0, 0, 0, 0, 0, 9, *map(int, address.split("."))))


@pytest.mark.parametrize(("url", "name"), [
    ("https://digest.example.org", "digest.example.org"), ("http://my.duckdns.org:8080", "my.duckdns.org"),
    ("http://127.0.0.1:8080", ""), ("http://192.168.0.23", ""), ("http://raspberrypi.local", ""),
    ("http://raspberrypi", ""), ("http://[2001:db8::1]", "")])
def test_a_name_in_the_lan_is_not_public(config: Config, url: str, name: str) -> None:
    assert public_name(replace(config, site=replace(config.site, url=url))) == name


def test_a_network_that_works_names_its_router(config: Config, server: FakeNameServer,
                                               tmp_path: Path) -> None:
    by_relay = replace(config, mail=replace(config.mail, transport="smtp", host="relay.example.org"))
    network = a_network(by_relay, server, a_machine(tmp_path))
    route = network.route()
    assert (route.state, route.fact, network.router) == (
        OK, "router 127.0.0.1, names are looked up", "127.0.0.1")
    server.records["A relay.example.org"] = SILENT
    assert a_network(by_relay, server, a_machine(tmp_path)).route().state == RED
    del server.records["A relay.example.org"]
    assert a_network(by_relay, server, a_machine(tmp_path)).route().state == WARN


def test_without_a_way_out_the_network_is_red(config: Config, server: FakeNameServer, tmp_path: Path) -> None:
    unplugged = a_machine(tmp_path, {"proc/self/net/route": ""})
    assert a_network(config, server, unplugged).route().state == RED
    assert server.asked == []
    (unplugged.root / "proc/self/net/route").unlink()
    assert a_network(config, server, unplugged).route().state == NOT_ASKED


def test_those_who_tell_our_address_must_agree(config: Config, server: FakeNameServer,
                                               tmp_path: Path) -> None:
    with FeedServer() as world:
        world.serve("/one", b"203.0.113.7")
        world.serve("/two", b"203.0.113.7\n")
        world.serve("/vpn", b"198.51.100.9")
        world.answer("/down", 503)
        one, two, vpn, down = map(world.url, ("/one", "/two", "/vpn", "/down"))
        for told, state, own in (((one, two), OK, "203.0.113.7"), ((one, vpn), WARN, ""), ((down, two), OK,
                                 "203.0.113.7"), ((down,), WARN, ""), ((), NOT_ASKED, "")):
            network = a_network(config, server, a_machine(tmp_path), *told)
            assert (network.address().state, network.own) == (state, own), told


@pytest.mark.parametrize(("address", "state", "words"), [
    ("203.0.113.7", OK, "the router has 203.0.113.7, as the world sees it"),
    ("198.51.100.9", RED, "the router has 198.51.100.9, the world sees 203.0.113.7"),
    ("100.64.0.1", RED, "the provider shares one address among many"),
    ("100.127.255.254", RED, "the provider shares one address among many"),
    ("100.128.0.1", RED, "the world sees 203.0.113.7"),
    ("10.0.0.2", RED, "behind another one"), ("172.31.0.2", RED, "behind another one"),
    ("192.168.1.2", RED, "behind another one"), ("192.0.0.2", RED, "behind another one")])
def test_an_address_that_is_not_ours_alone_is_red(config: Config, server: FakeNameServer, tmp_path: Path,
                                                  address: str, state: str, words: str) -> None:
    with FeedServer() as world, udp(wan(address)) as (port, _):
        world.serve("/ip", b"203.0.113.7")
        network = a_network(config, server, replace(a_machine(tmp_path), nat_pmp_port=port), world.url("/ip"))
        network.route()
        network.address()
        cgnat = network.cgnat()
    assert (cgnat.state, words in cgnat.fact, bool(cgnat.cure)) == (state, True, state != OK)


def test_a_router_that_says_nothing_is_no_fault(config: Config, server: FakeNameServer,
                                                tmp_path: Path) -> None:
    network = a_network(config, server, a_machine(tmp_path))
    network.route()
    cgnat = network.cgnat()
    assert (cgnat.state, "router 127.0.0.1 does not tell" in cgnat.fact) == (NOT_ASKED, True)


def test_a_router_is_asked_by_upnp_where_it_does_not_speak_the_other(
        config: Config, server: FakeNameServer, tmp_path: Path) -> None:
    nobody = f"HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:{free_port()}/\r\n\r\n".encode()
    with udp(nobody) as (port, heard):
        network = a_network(config, server, replace(a_machine(tmp_path), ssdp=("127.0.0.1", port)))
        network.route()
        assert network.cgnat().state == NOT_ASKED
    assert len(heard) == 1
