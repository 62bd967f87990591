"""The way out, as the kernel has it."""
from pathlib import Path

import pytest
from machines import a_machine, route

from devdigest import routes

OURS = "2001:2d8:0:1::23"
IF_INET6 = ("200102d8000000010000000000000023 02 40 00 80     eth0\n"
            "200102d80000000100000000000000aa 02 40 00 01     eth0\n"
            "fe800000000000000000000000000001 02 40 20 80     eth0\n"
            "00000000000000000000000000000001 01 80 10 80       lo\n")


@pytest.mark.parametrize("router", ["192.168.0.1", ""])
def test_the_router_is_that_of_the_default_route(tmp_path: Path, router: str) -> None:
    assert routes.router(a_machine(tmp_path, {"proc/self/net/route": route(router)})) == router


def test_without_a_default_route_there_is_no_way_out(tmp_path: Path) -> None:
    lines = route("192.168.0.1").splitlines()
    assert routes.router(a_machine(tmp_path, {"proc/self/net/route": "\n".join(lines[:-1])})) is None
    assert routes.router(a_machine(tmp_path, {"proc/self/net/route": ""})) is None


def test_our_address_on_the_side_of_the_router_is_known() -> None:
    assert (routes.here("127.0.0.1"), routes.here("no address")) == ("127.0.0.1", "")


def test_of_our_global_addresses_it_is_known_which_stay(tmp_path: Path) -> None:
    machine = a_machine(tmp_path, {"proc/self/net/if_inet6": IF_INET6})
    assert routes.own_ipv6(machine) == {OURS: True, "2001:2d8:0:1::aa": False}
