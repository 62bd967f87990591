"""A link for the owner's phone, good once, and only from outside."""
import re
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from conftest import NOW, begun
from web_site import served

from devdigest import phone
from devdigest.config import Config

pytestmark = pytest.mark.usefixtures("records")

HOME = "192.168.0.40"


def test_who_comes_from_outside_is_the_proof_and_the_link_is_used_up() -> None:
    token = phone.begin()
    assert (phone.is_wanted(), phone.seen()) == (True, None)
    assert phone.arrived(token, "8.8.4.4", NOW) is True
    assert (phone.is_wanted(), phone.seen()) == (False, NOW)
    assert phone.arrived(token, "8.8.4.4", NOW + timedelta(hours=1)) is None
    assert phone.seen() == NOW


def test_who_comes_by_the_network_at_home_may_come_again() -> None:
    token = phone.begin()
    assert phone.arrived(token, HOME, NOW) is False
    assert (phone.is_wanted(), phone.was_nearby(), phone.seen()) == (True, True, None)
    assert phone.arrived(token, "8.8.4.4", NOW) is True


def test_a_strange_link_proves_nothing_and_an_older_one_neither() -> None:
    assert phone.arrived("", "8.8.4.4", NOW) is None
    old = phone.begin()
    phone.begin()
    assert (phone.arrived(old, "8.8.4.4", NOW), phone.arrived("x", "8.8.4.4", NOW)) == (None, None)
    phone.give_up()
    assert not phone.is_wanted()


def test_the_page_knows_the_visitor_by_the_word_of_the_web_server_in_front(config: Config) -> None:
    behind = replace(config, web=replace(config.web, proxy="127.0.0.1"))
    with served(behind) as url:
        link = f"{url}/phone/{phone.begin()}"
        assert "Switch off the Wi-Fi" in requests.get(link, timeout=5).text
        told = requests.get(link, headers={"X-Forwarded-For": "8.8.4.4"}, timeout=5)
        assert (told.status_code, "reached from outside" in told.text) == (200, True)
        assert requests.get(link, headers={"X-Forwarded-For": "8.8.4.4"}, timeout=5).status_code == 404
    assert phone.seen()


def test_the_owner_is_told_as_soon_as_somebody_came(config: Config, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    settings.write_text(f'[site]\nurl = "https://digest.example.org"\nclock = "trust"\n'
                        f'[database]\npath = "{config.database.path}"\n')
    with begun(settings, "check", "--phone", stderr=None) as check:
        end = threading.Timer(60, check.kill)
        end.start()
        lines = iter(check.stdout.readline, "")
        link = next(found[1] for line in lines if (found := re.search(r"org/phone/(\S+)", line)))
        assert phone.arrived(link, "8.8.4.4", NOW)
        rest = "".join(lines)
        end.cancel()
    assert (check.returncode, "open to the world" in rest) == (0, True)
