"""Caddy in front: its files as they come and go, and a real one with them between a visitor and the site."""
import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import CHROMIUM
from installer import front
from installer.answers import Answers
from installer.layout import Layout
from installer.tell import Refused
from relay import free_port
from the_front import CADDY, CURL, NAME, Front, echo, fronted
from web_site import served

from devdigest.config import Config

ANSWERS = Answers(name=NAME, owner="ada@example.org")
WELCOME = "# The Caddyfile is an easy way …\n\n:80 {\n\t# Set this path\n\troot * /usr/share/caddy\n\n" \
          "\t# Enable\n\tfile_server\n}\n"
FOREIGN = "photos.example.org {\n\troot * /srv/photos\n\tfile_server\n}\n"
TOKEN = "t0ken-of-a-reader"

needs_caddy = pytest.mark.skipif(not (CADDY and CURL), reason="caddy or curl is not installed")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    layout.caddyfile.parent.mkdir(parents=True)
    layout.caddyfile.write_text(WELCOME, encoding="utf-8")
    return layout


@pytest.fixture(scope="module")
def caddy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with echo() as site, fronted(front.text(ANSWERS).replace("read_header 5s", "read_header 1s"), site,
                                 tmp_path_factory.mktemp("front")) as running:
        yield running


def test_debians_welcome_gives_way_and_comes_back(layout: Layout) -> None:
    assert front.write(layout, ANSWERS) == ["caddy.service"]
    assert "import /etc/devdigest/Caddyfile" in layout.caddyfile.read_text(encoding="utf-8").splitlines()
    assert front.write(layout, ANSWERS) == [], "nothing changed"
    assert front.remove(layout) == ["caddy.service"]
    assert layout.caddyfile.read_text(encoding="utf-8") == WELCOME
    assert [path for path in layout.root.rglob("*") if path.is_file()] == [layout.caddyfile]
    assert front.remove(layout) == []


def test_the_sites_of_others_stay_and_get_one_line(layout: Layout) -> None:
    layout.caddyfile.write_text(FOREIGN, encoding="utf-8")
    assert front.is_foreign(layout)
    front.write(layout, ANSWERS)
    assert front.write(layout, ANSWERS) == []
    whole = layout.caddyfile.read_text(encoding="utf-8")
    assert whole.startswith(FOREIGN)
    assert whole.count("import /etc/devdigest/Caddyfile") == 1
    assert "strict_sni_host" not in layout.caddy_site.read_text(encoding="utf-8"), "the server is not ours"
    front.remove(layout)
    assert layout.caddyfile.read_text(encoding="utf-8") == FOREIGN


@needs_caddy
def test_what_caddy_refuses_is_not_taken_into_use(layout: Layout) -> None:
    front.write(layout, ANSWERS)
    before = layout.caddyfile.read_bytes(), layout.caddy_site.read_bytes()
    with pytest.raises(Refused, match="caddy refuses"):
        front.write(layout, replace(ANSWERS, owner="ada@example.org {"))
    assert (layout.caddyfile.read_bytes(), layout.caddy_site.read_bytes()) == before
    assert not list(layout.caddyfile.parent.glob(".*"))


@needs_caddy
@pytest.mark.parametrize("answers", [ANSWERS, Answers(), Answers(name=NAME)])
def test_caddy_believes_all_that_we_write(layout: Layout, answers: Answers) -> None:
    for there in (WELCOME, FOREIGN):
        layout.caddyfile.write_text(there, encoding="utf-8")
        assert front.write(layout, answers)


@needs_caddy
def test_the_site_is_reached_by_https_and_http_2(caddy: Front) -> None:
    status, said = caddy.curl("/")
    assert status == 200
    assert said.startswith("HTTP/2 200")
    assert "\nserver:" not in said.lower()
    assert "alt-svc" not in said.lower(), "HTTP/3 would need a forward of its own"


@needs_caddy
def test_http_leads_to_https(caddy: Front) -> None:
    status, said = caddy.curl("/issues/", plain=True)
    assert status == 308
    assert f"location: https://{NAME}" in said.lower()


@needs_caddy
@pytest.mark.parametrize("name", ["bob.example.org", "127.0.0.1"])
def test_another_host_is_told_so_and_not_served(caddy: Front, name: str) -> None:
    status, said = caddy.curl("/", name=name, plain=True)
    assert status == 421
    assert f"at https://{NAME} alone" in said
    assert caddy.curl("/", name=name)[0] == 0, "there is no certificate for it"
    assert caddy.curl("/", "-H", f"Host: {name}")[0] in (403, 421)


@needs_caddy
def test_what_a_visitor_says_of_their_address_is_not_believed(caddy: Front) -> None:
    spoof = [option for header in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Proto")
             for option in ("-H", f"{header}: 203.0.113.9")]
    _, said = caddy.curl("/", *spoof)
    seen = json.loads(said.splitlines()[-1])
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == "https"
    assert seen["host"].startswith(NAME)


@needs_caddy
@pytest.mark.parametrize(("path", "size", "taken"), [
    ("/subscribe", 60_000, True), ("/subscribe", 70_000, False), ("/hooks/ses/secret", 250_000, True),
    ("/hooks/ses/secret", 300_000, False)])
def test_a_body_has_a_limit(caddy: Front, tmp_path: Path, path: str, size: int, taken: bool) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * size)
    for version in ("--http1.1", "--http2"):
        assert caddy.curl(path, version, "--data-binary", f"@{body}")[0] == (200 if taken else 413)
    unsaid, _ = caddy.curl(path, "--http1.1", "-H", "Transfer-Encoding: chunked", "--data-binary", f"@{body}")
    assert (unsaid == 200) is taken


@needs_caddy
def test_a_visitor_who_never_ends_their_headers_is_let_go(caddy: Front) -> None:
    began = time.monotonic()
    with caddy.socket() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: ada")
        assert slow.recv(100) == b""
    assert 0.5 < time.monotonic() - began < 10


@needs_caddy
def test_while_the_site_is_away_a_page_says_so_in_both_languages_and_the_journal_keeps_the_tokens_out(
        tmp_path: Path) -> None:
    away = f"127.0.0.1:{free_port()}"
    with fronted(front.text(ANSWERS).replace("lb_try_duration 5s", "lb_try_duration 500ms"), away,
                 tmp_path) as caddy:
        status, said = caddy.curl(f"/u/{TOKEN}", "-H", f"Cookie: {TOKEN}", "-H", f"Referer: {TOKEN}")
        journal = caddy.journal.read_text(encoding="utf-8")
    assert status == 503
    assert "retry-after: 30" in said.lower()
    assert "text/html; charset=utf-8" in said.lower()
    assert "잠시 후 다시" in said
    assert "Back in a moment" in said
    assert said.rstrip().endswith("</html>")
    assert TOKEN not in journal


@needs_caddy
def test_a_restart_of_the_site_is_waited_for(tmp_path: Path) -> None:
    port = free_port()
    with fronted(front.text(ANSWERS), f"127.0.0.1:{port}", tmp_path) as caddy:
        asked = subprocess.Popen(
            [CURL or "", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--noproxy", "*", "--cacert",
             str(caddy.authority), "--connect-to", "::127.0.0.1:", f"https://{NAME}:{caddy.https}/"],
            stdout=subprocess.PIPE, text=True)
        time.sleep(0.7)
        with echo(port):
            assert asked.communicate(timeout=20)[0] == "200"


@needs_caddy
def test_without_a_name_the_lan_is_served_by_plain_http(tmp_path: Path) -> None:
    with echo() as site, fronted(front.text(Answers()), site, tmp_path, secure=False) as caddy:
        assert caddy.curl("/", name="127.0.0.1", plain=True)[0] == 200


@needs_caddy
@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_a_browser_reads_the_real_site_through_it(config: Config, tmp_path: Path) -> None:
    config = replace(config, site=replace(config.site, url=f"https://{NAME}"),
                     web=replace(config.web, proxy="127.0.0.1"))
    with (served(config) as site,
          fronted(front.text(ANSWERS), site.removeprefix("http://"), tmp_path) as caddy):
        seen = subprocess.run(
            [CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             f"--user-data-dir={tmp_path / 'profile'}", "--no-proxy-server",
             f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
             f"--ignore-certificate-errors-spki-list={public_key(caddy.authority.with_name('intermediate.crt'))}",
             "--dump-dom", f"https://{NAME}:{caddy.https}/subscribe"],
            text=True, capture_output=True, timeout=60, check=False)
    assert "<form" in seen.stdout
    assert 'name="email"' in seen.stdout


def public_key(certificate: Path) -> str:
    """Its hash, as chromium wants to be told whom to trust."""
    key = subprocess.run(["openssl", "x509", "-in", str(certificate), "-pubkey", "-noout"], check=True,
                         capture_output=True).stdout
    der = base64.b64decode(b"".join(key.splitlines()[1:-1]))
    return base64.b64encode(hashlib.sha256(der).digest()).decode()
