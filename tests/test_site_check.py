"""Whether readers reach the site: here, and from outside as far as that can be told from inside."""
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW
from feed_server import FeedServer, behind
from machines import a_machine, silent
from relay import certificate, free_port
from web_site import served

from devdigest import phone, site_check, tokens
from devdigest.config import Config
from devdigest.finding import OK, RED, WARN
from devdigest.front_door import Seen
from devdigest.memory import LINK_KEY, Setting
from devdigest.site_check import Front

pytestmark = pytest.mark.usefixtures("records")

NAME = "digest.example.org"


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificate(tmp_path, f"DNS:{NAME}")


@pytest.fixture
def site(pem: Path) -> Iterator[FeedServer]:
    """Ours, behind a certificate."""
    with behind(pem) as one:
        ours = {"installation": tokens.sign(Setting.read(LINK_KEY), "health", 0)}
        one.serve("/health", json.dumps(ours).encode())
        yield one


def port_of(server: FeedServer) -> int:
    return int(server.url().rstrip("/").rpartition(":")[2])


def a_front(config: Config, folder: Path, port: int, ca_file: Path | str = "", tls: bool = True) -> Front:
    url = f"{'https' if tls else 'http'}://{NAME}:{port}"
    machine = a_machine(folder, ca_file=str(ca_file))
    return Front(replace(config, site=replace(config.site, url=url)), NAME, machine, seconds=0.5)


def outside(front: Front, days: float | None = None) -> tuple[str, str, str]:
    """State, fact and cure, for a certificate of so many days ago."""
    if days is not None:
        front.local = Seen(begins=NOW - timedelta(days=days), ends=NOW + timedelta(days=9),
                           issuer="An authority")
    finding = front.outside("127.0.0.1", "127.0.0.1", NOW)
    return finding.state, finding.fact, finding.cure


def test_our_own_pages_are_known_by_their_installation(config: Config) -> None:
    with served(config) as url:
        here = replace(config, web=replace(config.web, listen=url.removeprefix("http://")))
        finding = site_check.web(here)
        assert (finding.state, finding.fact) == (OK, f"answers at {here.web.listen}")
        Setting.write(LINK_KEY, tokens.new_key())       # as another installation has it
        assert site_check.web(here).state == OK         # both look it up
    assert site_check.web(here).state == WARN           # mails go into a folder
    by_smtp = replace(here, mail=replace(config.mail, transport="smtp"))
    assert (site_check.web(by_smtp).state, "refused" in site_check.web(by_smtp).fact) == (RED, True)


def test_something_else_on_our_port_is_red(config: Config) -> None:
    with FeedServer() as stranger:
        stranger.serve("/health", b'{"status": "ok"}')
        port = port_of(stranger)
        finding = site_check.web(replace(config, web=replace(config.web, listen=f"127.0.0.1:{port}")))
    assert (finding.state, f"sport = :{port}" in finding.cure) == (RED, True)


def test_the_site_behind_its_certificate_is_met_here_and_by_its_name(config: Config, tmp_path: Path,
                                                                     site: FeedServer, pem: Path) -> None:
    front = a_front(config, tmp_path, port_of(site), pem)
    assert front.inside("127.0.0.1").issuer == "a relay for tests"
    assert outside(front)[:2] == (OK, f"{NAME} leads to this machine, tried over the router")


def test_another_certificate_may_be_the_routers_own_page(config: Config, tmp_path: Path,
                                                         site: FeedServer) -> None:
    front = a_front(config, tmp_path, port_of(site))
    state, fact, cure = outside(front)
    assert (state, "the router's own page?" in fact) == (RED, True)
    assert cure == f"router 127.0.0.1: forward TCP 80 and {port_of(site)} to 127.0.0.1"


def test_another_page_may_be_the_routers_own(config: Config, tmp_path: Path) -> None:
    with FeedServer() as router:
        router.serve("/health", b"<title>ipTIME</title>")
        state, fact, _ = outside(a_front(config, tmp_path, port_of(router), tls=False))
    assert (state, "shows another page: the router's own?" in fact) == (RED, True)


def test_refusal_and_silence_are_told_apart(config: Config, tmp_path: Path) -> None:
    assert "no forward in the router" in outside(a_front(config, tmp_path, free_port()))[1]
    with silent() as (_, port):
        front = a_front(config, tmp_path, port)
        state, fact, _ = outside(front)
        assert (state, "a router without loop-back" in fact) == (RED, True)
        state, _, cure = outside(front, days=80)        # it was open once, and may be still
        assert (state, "check --phone" in cure) == (WARN, True)


def test_a_young_certificate_proves_that_the_way_was_open(config: Config, tmp_path: Path) -> None:
    front = a_front(config, tmp_path, free_port())
    state, fact, _ = outside(front, days=20)
    assert (state, fact.startswith("open on 2026-11-01, when An authority came in")) == (OK, True)
    assert outside(front, days=80)[0] == RED


def test_a_phone_that_came_from_outside_proves_it_too(config: Config, tmp_path: Path) -> None:
    front = a_front(config, tmp_path, free_port())
    assert phone.arrived(phone.begin(), "8.8.4.4", NOW - timedelta(days=3))
    assert outside(front)[:2] == (OK, "reached by a phone on 2026-11-18; from inside 127.0.0.1 refuses port "
                                  f"{front._port}: no forward in the router")
    assert phone.arrived(phone.begin(), "8.8.4.4", NOW - timedelta(days=61))
    assert outside(front)[0] == RED


@pytest.mark.parametrize(("url", "state"), [
    ("https://digest.example.org", OK), ("http://digest.example.org", WARN), ("http://127.0.0.1:8080", WARN)])
def test_the_address_in_mails_is_judged(config: Config, url: str, state: str) -> None:
    assert site_check.url(replace(config, site=replace(config.site, url=url))).state == state
