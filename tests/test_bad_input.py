"""Everything bad, by the commands an owner types: each fault is named, the good goes on, nothing is lost."""
import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from feed_server import FeedServer
from relay import FakeRelay, free_port

from devdigest import cli

Run = Callable[..., tuple[int, str, str]]

SETTINGS = """\
[site]
clock = "trust"
[collect]
allow_private = true
gap = 0.0
per_operator = 8
total_seconds = 2
[mail]
transport = "smtp"
security = "none"
host = "127.0.0.1"
port = {port}
user = "{user}"
from = "digest@example.org"
timeout = 2
[database]
path = "{folder}/devdigest.db"
"""


def a_config(folder: Path, port: int, user: str = "") -> Path:
    path = folder / "config.toml"
    path.write_text(SETTINGS.format(folder=folder, port=port, user=user))
    return path


@pytest.fixture
def devdigest(capsys: pytest.CaptureFixture, tmp_path: Path) -> Run:
    """Runs a sub-command with the configuration in the test's folder: (exit status, stdout, stderr)."""
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["--config", str(tmp_path / "config.toml"), *words])
        said = capsys.readouterr()
        return code, said.out, said.err
    return run


def rss(title: str, link: str = "https://blog.example.org/1", encoding: str = "utf-8") -> bytes:
    when = datetime.now(UTC) - timedelta(days=1)
    return (f'<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>b</title><item>'
            f"<title>{title}</title><link>{link}</link><guid>{link} {title}</guid>"
            f"<pubDate>{when:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item></channel></rss>").encode("cp949")


BAD_FEEDS = {
    # path: what it serves, the fault in `blogs list --failing`
    "/html": (lambda s, p: s.serve(p, b"<!doctype html><title>x</title>", "text/html"), "an HTML page"),
    "/empty": (lambda s, p: s.serve(p, b""), "empty"),
    "/50mb": (lambda s, p: s.serve(p, bytes(50_000_000)), "more than 5,000,000 bytes"),
    "/bomb": (lambda s, p: s.bomb(p), "more than 5,000,000 bytes"),
    "/endless": (lambda s, p: s.endless(p), "more than 5,000,000 bytes"),
    "/404": (lambda s, p: s.answer(p, 404), "HTTP 404 Not Found"),
    "/hang": (lambda s, p: s.hang(p), "timeout after 2 s"),
}
GOOD_FEEDS = {
    # path: what it serves, the title as the issue shows it
    "/euckr": (lambda s, p: s.serve(p, rss("개발자"), "text/xml; charset=iso-8859-1"), "개발자"),
    "/script": (lambda s, p: s.serve(p, rss("&lt;script&gt;alert(1)&lt;/script&gt;safe")),
                "&lt;script&gt;alert(1)&lt;/script&gt;safe"),
    "/crlf": (lambda s, p: s.serve(p, rss("first\r\nBcc: everyone@example.org&#13;&#10;X: y")),
              "first Bcc: everyone@example.org X: y"),
    "/javascript": (lambda s, p: s.serve(p, rss("odd link", link="javascript:alert(1)")), "odd link"),
    "/gzip": (lambda s, p: s.serve(p, gzip.compress(rss("raw gzip"))), "raw gzip"),
}


def test_bad_feeds_are_named_and_cost_no_one_else(devdigest: Run, tmp_path: Path, feeds: FeedServer,
                                                  relay: FakeRelay) -> None:
    a_config(tmp_path, relay.port)
    for path, (serve, _) in {**BAD_FEEDS, **GOOD_FEEDS}.items():
        serve(feeds, path)
    (tmp_path / "list.txt").write_text("\n".join(map(feeds.url, [*BAD_FEEDS, *GOOD_FEEDS])))
    devdigest("init")
    assert devdigest("blogs", "import", str(tmp_path / "list.txt"))[0] == 0
    assert devdigest("subscribers", "add", "ada@example.org", "--confirmed")[0] == 0
    code, out, _ = devdigest("run")
    assert code == 0, "blogs that fail are results, not failures"
    assert f"{len(BAD_FEEDS)} failed, {len(GOOD_FEEDS)} new posts" in out

    _, failing, _ = devdigest("blogs", "list", "--failing")
    for path, (_, fault) in BAD_FEEDS.items():
        assert re.search(rf"{re.escape(fault)} .*{path}\n", failing + "\n"), (path, failing)

    mail = message_from_bytes(relay.messages[0][2], policy=policy.default)
    assert mail["Bcc"] is None
    page = mail.get_body(("html",)).get_content()
    for _, title in GOOD_FEEDS.values():
        assert title in page
    assert "<script" not in page
    assert "javascript:" not in page


def ready(devdigest: Run, tmp_path: Path, feeds: FeedServer, *readers: str) -> None:
    feeds.serve("/rss", rss("a post"))
    (tmp_path / "list.txt").write_text(feeds.url("/rss"))
    devdigest("init")
    devdigest("blogs", "import", str(tmp_path / "list.txt"))
    for name in readers:
        devdigest("subscribers", "add", f"{name}@example.org", "--confirmed")
    assert devdigest("collect")[0] == 0
    assert devdigest("publish")[0] == 0


def test_a_recipient_that_is_refused_is_a_result(devdigest: Run, tmp_path: Path, feeds: FeedServer,
                                                relay: FakeRelay) -> None:
    a_config(tmp_path, relay.port)
    ready(devdigest, tmp_path, feeds, "ada", "gone")
    code, out, _ = devdigest("deliver")
    assert (code, out) == (0, "deliver: 1 sent, 1 refused\n")


def test_a_relay_that_is_down_is_said_and_the_mails_go_later(devdigest: Run, tmp_path: Path,
                                                             feeds: FeedServer, relay: FakeRelay) -> None:
    a_config(tmp_path, port := free_port())
    ready(devdigest, tmp_path, feeds, "ada")
    code, out, err = devdigest("deliver")
    assert (code, f"127.0.0.1:{port}" in err, "refused" in err) == (1, True, True)
    assert out.startswith("deliver: nothing sent")
    a_config(tmp_path, relay.port)
    assert devdigest("deliver")[0] == 0
    assert len(relay.messages) == 1


def test_a_wrong_password_is_said_in_the_relays_words(devdigest: Run, tmp_path: Path, feeds: FeedServer,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeRelay(user="digest", password="right") as relay:
        a_config(tmp_path, relay.port, user="digest")
        ready(devdigest, tmp_path, feeds, "ada")
        monkeypatch.setenv("DEVDIGEST_SMTP_PASSWORD", "wrong")
        code, _, err = devdigest("deliver")
        assert (code, "535" in err, "password" in err) == (1, True, True)
        monkeypatch.setenv("DEVDIGEST_SMTP_PASSWORD", "right")
        assert devdigest("deliver")[0] == 0
        assert len(relay.messages) == 1
