"""From the blog list to the mailbox and back, by the owner's commands and a reader's clicks."""
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import requests
from feed_server import FeedServer
from relay import FakeRelay, free_port
from web_site import served

from devdigest import cli, database
from devdigest.config import load

ROOT = Path(__file__).parents[1]
TODAY = datetime.now(UTC).date() - timedelta(days=2)

SETTINGS = """\
[site]
zone = "UTC"
clock = "trust"
[collect]
allow_private = true
gap = 0.0
[mail]
transport = "smtp"
security = "none"
host = "127.0.0.1"
port = {port}
from = "digest@example.org"
[database]
path = "{folder}/devdigest.db"
"""


def feed(*days: int) -> bytes:
    """A post for each of these days before TODAY."""
    items = "".join(f"<item><title>post of day {day}</title><guid>{day}</guid><pubDate>"
                    f"{TODAY - timedelta(days=day):%a, %d %b %Y} 12:00:00 +0000</pubDate></item>"
                    for day in days)
    return f'<rss version="2.0"><channel><title>b</title>{items}</channel></rss>'.encode()


def test_from_the_list_to_the_mailbox_and_out(tmp_path: Path, feeds: FeedServer, relay: FakeRelay) -> None:
    config = tmp_path / "config.toml"
    config.write_text(SETTINGS.format(port=relay.port, folder=tmp_path))

    def devdigest(*words: str) -> None:
        assert cli.main(["--config", str(config), *words]) == 0

    devdigest("init")
    feeds.serve("/rss", feed(1, 2, 3))
    (tmp_path / "list.txt").write_text(feeds.url("/rss"))
    devdigest("blogs", "import", str(tmp_path / "list.txt"))
    devdigest("subscribers", "add", "ada@example.org", "--confirmed", "--language", "en")
    devdigest("subscribers", "add", "bob@example.org")
    devdigest("run", "--today", str(TODAY))
    devdigest("deliver")        # Bob's confirmation was asked for today

    mails = {recipient: message_from_bytes(message, policy=policy.default)
             for _, recipient, message in relay.messages}
    assert set(mails) == {"ada@example.org", "bob@example.org"}
    issue = mails["ada@example.org"].get_body(("plain",)).get_content()
    assert "post of day 1" in issue
    assert "post of day 2" not in issue, "what was there before we read the blog is history"

    # Bob confirms by his link, Ada leaves by hers; the next day only Bob gets mail.
    database.open(tmp_path / "devdigest.db")
    with served(load(config)) as site:
        confirm = mails["bob@example.org"].get_body(("plain",)).get_content().split("/confirm/")[1].split()[0]
        assert requests.post(f"{site}/confirm/{confirm}", timeout=5).status_code == 200
        leave = mails["ada@example.org"]["List-Unsubscribe"].split("/u/")[1].split(">")[0]
        answer = requests.post(f"{site}/u/{leave}", data={"List-Unsubscribe": "One-Click"}, timeout=5)
        assert answer.status_code == 200
    feeds.serve("/rss", feed(0, 1, 2, 3))
    relay.messages.clear()
    devdigest("run", "--today", str(TODAY + timedelta(days=1)))
    assert [recipient for _, recipient, _ in relay.messages] == ["bob@example.org"]
    assert b"post of day 0" in relay.messages[0][2]
    assert b"post of day 1" not in relay.messages[0][2]


@pytest.mark.slow
def test_the_trial_ends_well_only_with_every_mail(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "devdigest.trial", "--once"], cwd=tmp_path, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    assert "3 of 3 mails are in var/try/mail/new" in done.stdout
    assert len(list((tmp_path / "var/try/mail/new").iterdir())) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


@pytest.mark.slow
def test_whoever_signs_up_at_the_trials_site_gets_the_mail_to_confirm(tmp_path: Path) -> None:
    site, mails = f"http://127.0.0.1:{free_port()}", tmp_path / "var/try/mail/new"
    command = [sys.executable, "-m", "devdigest.trial", "--port", site.rpartition(":")[2]]
    with subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
                          stdout=subprocess.PIPE, text=True) as trial:
        try:
            assert any("Ctrl-C ends it" in line for line in trial.stdout)
            wait_for(lambda: requests.get(f"{site}/health", timeout=5).ok)
            assert "Raspberry Pi" in requests.get(f"{site}/tags/", timeout=5).text
            stamp = re.search(r'name="stamp" value="([^"]*)"', requests.get(f"{site}/", timeout=5).text)[1]
            time.sleep(2.5)         # nobody types an address faster
            form = {"email": "dave@example.org", "website": "", "language": "ko", "stamp": stamp}
            assert requests.post(f"{site}/subscribe", data=form, timeout=5).ok
            wait_for(lambda: any(f"{site}/confirm/" in mail.read_text() for mail in mails.iterdir()))
        finally:
            trial.terminate()
    assert trial.returncode == 0


def wait_for(come: Callable[[], bool]) -> None:
    until = time.monotonic() + 40
    while time.monotonic() < until:
        with suppress(requests.ConnectionError):
            if come():
                return
        time.sleep(0.1)
    raise AssertionError("it did not come")
