"""Debian's caddy with our settings on a real systemd: taken into use, held through trouble, taken away."""
import re
from collections.abc import Iterator

import pytest
from the_box import ROOT, Box, booted

pytestmark = pytest.mark.box

NAME = "ada.example.org"
CALL = ("cd / && PYTHONPATH=/opt/devdigest/current/deploy:/opt/devdigest/current python3 -P -c "
        "'from installer import front; from installer.answers import Answers; "
        "from installer.layout import Layout; print(front.{})'")
AUTHORITY = "/var/lib/caddy/.local/share/caddy/pki/authorities/local/root.crt"
ASK = f"curl -s -i -m 20 --cacert {AUTHORITY} --connect-to ::127.0.0.1: "


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with booted("front") as box:
        box.push(ROOT, "/opt/devdigest/current")
        box.run("apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q "
                "--no-install-recommends caddy curl </dev/null && sync")
        box.run("cp -a /etc/caddy /root/before")
        box.run(CALL.format(f'write(Layout(), Answers(name="{NAME}", owner="ada@example.org"))'))
        # its own authority, as a test must not ask a real one
        box.run("sed -i -e '0,/^{/s//{\\n\\tlocal_certs\\n\\tskip_install_trust/' -e '/^\\ttls /d' "
                "/etc/devdigest/Caddyfile")
        serve(box)
        box.run("systemctl daemon-reload && systemctl reload-or-restart caddy && sleep 2 && sync")
        yield box


def serve(box: Box) -> None:
    box.run("systemd-run -q --unit=site "
            "python3 -m http.server 8080 --bind 127.0.0.1 --directory /usr/share/caddy; sleep 1")


def status(box: Box, url: str, *options: str) -> int:
    """0 where nobody answers."""
    said = box.try_to(f"{ASK} {' '.join(options)} {url}").stdout
    found = re.match(r"HTTP/[\d.]+ (\d+)", said)
    return int(found[1]) if found else 0


def test_the_site_is_served_by_its_name_alone(box: Box) -> None:
    assert status(box, f"https://{NAME}/") == 200
    assert status(box, f"http://{NAME}/") == 308
    assert status(box, "http://192.0.2.7/") == 421
    assert status(box, "https://bob.example.org/") == 0


def test_its_own_settings_are_those_that_it_reloads(box: Box) -> None:
    box.run("systemctl reload caddy")
    assert "unchanged" in box.run(CALL.format(
        f'write(Layout(), Answers(name="{NAME}", owner="ada@example.org"))') + " && echo unchanged")
    box.run("sed -i -e '0,/^{/s//{\\n\\tlocal_certs\\n\\tskip_install_trust/' -e '/^\\ttls /d' "
            "/etc/devdigest/Caddyfile && systemctl reload caddy")
    assert status(box, f"https://{NAME}/") == 200


def test_a_caddy_that_died_comes_back(box: Box) -> None:
    box.run("systemctl kill -s KILL caddy && sleep 8 && systemctl is-active caddy")
    assert status(box, f"https://{NAME}/") == 200


def test_while_the_site_is_away_visitors_read_that_and_the_journal_keeps_no_token(box: Box) -> None:
    box.run("systemctl stop site")
    assert status(box, f"https://{NAME}/u/t0ken-of-a-reader") == 503
    assert "t0ken-of-a-reader" not in box.journal("caddy")
    serve(box)
    assert status(box, f"https://{NAME}/") == 200


def test_the_certificate_lives_through_a_power_cut(box: Box) -> None:
    made = box.run(f"sha256sum {AUTHORITY} && sync")
    box.cut()
    serve(box)
    box.run("systemctl is-active caddy")
    assert status(box, f"https://{NAME}/") == 200
    assert box.run(f"sha256sum {AUTHORITY}") == made


def test_caddy_is_as_it_was_before_us_and_keeps_its_certificates(box: Box) -> None:
    box.run(CALL.format("remove(Layout())"))
    box.run("systemctl daemon-reload && systemctl reload caddy")
    assert not box.run("diff -r /etc/caddy /root/before")
    assert not box.run("ls -d /etc/devdigest/* /etc/systemd/system/caddy.service.d 2>/dev/null || true")
    assert status(box, "http://127.0.0.1/") == 200, "Debian's welcome page"
    box.run(f"test -e {AUTHORITY}")
