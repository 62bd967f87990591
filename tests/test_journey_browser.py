"""A reader's whole way in a real browser, on a phone and on a desk: from front page to farewell."""
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from browser import CHROMIUM, DRIVER, Browser, started
from feed_server import FeedServer
from relay import FakeRelay
from web_site import served

from devdigest.collect import collect
from devdigest.config import Config
from devdigest.counts import Opened
from devdigest.deliver import deliver
from devdigest.models import Blog, Post
from devdigest.publish import publish
from devdigest.readers import Subscriber

pytestmark = [pytest.mark.browser,
              pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver")]

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
ARTICLE = "<!doctype html><html lang=ko><title>글</title><body><h1>커넥션 풀 이야기</h1>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        browser.command("Network.enable")
        browser.command("Network.setExtraHTTPHeaders", headers={"Accept-Language": "ko"})
        # Chromium without a screen says so in its name, and the site takes it for a machine
        browser.command("Network.setUserAgentOverride", userAgent="Mozilla/5.0 (X11; Linux) Chrome/156.0")
        yield browser


class Mailbox:
    """What the relay has brought someone, newest last."""

    def __init__(self, relay: FakeRelay, config: Config) -> None:
        self._relay, self._config = relay, config

    def newest(self, address: str) -> EmailMessage:
        deliver(self._config, datetime.now(UTC), "", threading.Event())
        mine = [message for _, recipient, message in self._relay.messages if recipient == address]
        return message_from_bytes(mine[-1], policy=policy.default)


def link(mail: EmailMessage, path: str) -> str:
    """The first link of a mail's HTML to a page below `path`."""
    return re.search(rf'href="([^"]*{path}[^"]*)"', mail.get_body(("html",)).get_content())[1]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_reader_signs_up_reads_clicks_changes_her_mind_and_leaves(
        browser: Browser, by_relay: Config, records: None, feeds: FeedServer, relay: FakeRelay,
        width: int) -> None:
    feeds.serve("/article", ARTICLE.encode(), content_type="text/html; charset=utf-8")
    feeds.serve("/rss", f"""<rss version="2.0"><channel><title>가나 기술 블로그</title><item>
        <title>커넥션 풀 이야기</title><link>{feeds.url("/article")}</link>
        <pubDate>{YESTERDAY:%a, %d %b %Y %H:%M:%S} +0000</pubDate></item></channel></rss>""".encode())
    Blog.create(name="가나 기술 블로그", feed=feeds.url("/rss"), feed_key="gana", added=YESTERDAY,
                group="team")

    with served(by_relay) as site:
        config = replace(by_relay, site=replace(by_relay.site, url=site, zone="UTC"))
        mailbox = Mailbox(relay, config)
        browser.show(site, width, dark=False)
        browser.write("email", "ada@example.org")
        time.sleep(2.1)                                 # quicker than that is no one who reads
        browser.press("받아 보기")
        assert "메일" in browser.words()
        assert Subscriber.of("ada@example.org").state == "pending"

        browser.show(link(mailbox.newest("ada@example.org"), "/confirm/"), width, dark=False)
        assert Subscriber.of("ada@example.org").state == "pending", "looking is not agreeing"
        browser.press("구독 시작")
        assert "구독을 시작했습니다" in browser.words()
        assert Subscriber.of("ada@example.org").state == "active"

        collect(config, datetime.now(UTC), threading.Event())
        publish(config, datetime.now(UTC))
        issue = mailbox.newest("ada@example.org")
        assert "커넥션 풀 이야기" in issue["Subject"]
        browser.show(link(issue, f"/go/{Post.get().id}"), width, dark=False)
        assert browser.ask("location.href") == feeds.url("/article")
        assert [(one.post, one.machine) for one in Opened.select()] == [(Post.get().id, False)]

        browser.show(link(issue, "/manage/"), width, dark=False)
        browser.choose("frequency", "weekly")
        browser.press("저장")
        assert Subscriber.of("ada@example.org").frequency == "weekly"

        browser.show(link(issue, "/u/"), width, dark=False)
        assert Subscriber.of("ada@example.org").state == "active", "looking is not leaving"
        browser.press("구독 취소")
        assert Subscriber.of("ada@example.org").state == "cancelled"
        browser.press("되돌리기")
        assert Subscriber.of("ada@example.org").state == "active"
