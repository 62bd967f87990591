"""How much of a certificate's life is left, and why there is no newer one."""
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import NOW
from machines import a_machine, says

from devdigest.certificate_check import certificate
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.front_door import Seen
from devdigest.machine import Machine


def good_for(days: float, of: float = 90) -> Seen:
    return Seen(status=200, begins=NOW + timedelta(days=days - of), ends=NOW + timedelta(days=days),
                issuer="Let's Encrypt")


def as_json(level: str, logger: str, **told: str) -> str:
    return json.dumps({"level": level, "logger": logger, "msg": "will retry", **told})


def on_a_console(level: str, logger: str, **told: str) -> str:
    """As Caddy 2.6 writes where the log is `format filter { wrap console }`."""
    coloured = f"\x1b[31m{level.upper()}\x1b[0m"
    return "\t".join(("2026/11/23 01:50:51.940", coloured, logger, "will retry", json.dumps(told)))


def caddy(folder: Path, write: Callable[..., str], *errors: str) -> Machine:
    """With a log of Caddy that ends with these."""
    lines = ["2026/11/23 01:50:51.422\t\x1b[34mINFO\x1b[0m\tserving initial configuration",
             *(write("error", "tls.obtain", error=error) for error in errors),
             write("info", "tls.obtain", error="none"), write("error", "http.log.error", error="of a page"),
             "Started caddy.service - Caddy.", "[1]"]
    return a_machine(folder, tools={"journalctl": says("\n".join(lines))})


@pytest.mark.parametrize(("days", "of", "state"), [
    (60, 90, OK), (23, 90, OK), (22, 90, WARN), (12, 90, WARN), (11, 90, RED), (12, 45, OK), (11, 45, WARN),
    (5, 45, RED)])
def test_a_certificate_is_judged_by_the_share_of_its_life_that_is_left(tmp_path: Path, days: int, of: int,
                                                                       state: str) -> None:
    finding = certificate(good_for(days, of), NOW, a_machine(tmp_path))
    assert finding.state == state
    assert finding.fact.startswith(f"good until {NOW + timedelta(days=days):%Y-%m-%d}, by Let's Encrypt")
    assert bool(finding.cure) == (state != OK)


@pytest.mark.parametrize(("error", "meaning", "cure"), [
    ("HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching http://digest.example.org/.well-"
     "known/acme-challenge/x: Timeout during connect (likely firewall problem)", "silence on port",
     "forward"),
    ("HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching http://…: Connection refused",
     "lead to another machine", "forward"),
    ("HTTP 400 urn:ietf:params:acme:error:dns - DNS problem: NXDOMAIN looking up A", "was not found", "name"),
    ("HTTP 429 urn:ietf:params:acme:error:rateLimited - too many certificates (50) already issued for "
     '"mooo.com" in the last 168h', "too many", "wait until"),
    ("HTTP 403 urn:ietf:params:acme:error:unauthorized - Invalid response from http://…: 404",
     "machine answered", "forward"),
    ("[digest.example.org] Obtain: registering account: performing request: Get …/directory: dial tcp "
     "127.0.0.1:1: connect: connection refused", "cannot be reached from here", "network"),
    ("a word nobody knows", "a word nobody knows", "journalctl -u caddy")])
@pytest.mark.parametrize("write", [as_json, on_a_console])
def test_the_last_word_of_the_authority_is_translated(tmp_path: Path, error: str, meaning: str, cure: str,
                                                      write: Callable[..., str]) -> None:
    finding = certificate(good_for(5), NOW, caddy(tmp_path, write, "an older one", error))
    assert (finding.state, meaning in finding.fact, cure in finding.cure) == (RED, True, True)


def test_a_certificate_that_browsers_do_not_trust_is_red(tmp_path: Path) -> None:
    seen = Seen(trouble="certificate", words="certificate has expired")
    assert certificate(seen, NOW, a_machine(tmp_path)) == Finding(
        "certificate", RED, "browsers warn of it: certificate has expired", "journalctl -u caddy -n 50")


@pytest.mark.parametrize("trouble", ["refused", "silent"])
def test_where_nothing_takes_visitors_caddy_is_begun_again(tmp_path: Path, trouble: str) -> None:
    finding = certificate(Seen(trouble=trouble, words="no answer"), NOW, a_machine(tmp_path))
    assert (finding.state, finding.cure) == (RED, "sudo systemctl restart caddy")
