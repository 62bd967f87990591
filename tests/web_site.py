"""The site as a reader reaches it, on a port of its own, and records with something of everything to show."""
import mailbox
import re
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import requests
from conftest import NOW, a_blog

from devdigest import subscribers, tokens, web
from devdigest.config import Config
from devdigest.deliver import deliver
from devdigest.models import Blog, Issue, IssuePost, Post
from devdigest.readers import Delivery, Subscriber
from devdigest.table import db

TODAY, YESTERDAY = date(2026, 11, 21), date(2026, 11, 20)


@contextmanager
def served(config: Config) -> Iterator[str]:
    """The address of the site, which is served while the `with` block runs. Its database has been opened."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop = threading.Event()
    config = replace(config, web=replace(config.web, listen=f"127.0.0.1:{port}"))
    thread = threading.Thread(target=web.serve, args=(config, stop))
    thread.start()
    try:
        wait_for(port, thread)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        with suppress(ConnectionError):      # it has ended already, or does so now
            wake(port)
        thread.join(10)
        assert not thread.is_alive()


class Visitor:
    """Asks one site, and follows no redirect."""

    def __init__(self, site: str) -> None:
        self.site, self._session = site, requests.Session()

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.ask("GET", path,
                        headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: str | dict[str, str] = "") -> requests.Response:
        return self.ask("POST", path, data=body)

    def ask(self, method: str, path: str, **rest: object) -> requests.Response:
        return self._session.request(method, self.site + path, allow_redirects=False, timeout=10, **rest)

    def close(self) -> None:
        self._session.close()


@contextmanager
def visiting(config: Config) -> Iterator[Visitor]:
    """A visitor of the site, which is served meanwhile."""
    with served(config) as site:
        visitor = Visitor(site)
        yield visitor
        visitor.close()


def wait_for(port: int, thread: threading.Thread) -> None:
    while thread.is_alive():
        try:
            return wake(port)
        except ConnectionError:
            time.sleep(0.01)
    raise AssertionError("the site did not come up")


def wake(port: int) -> None:
    """Whoever waits for a connection goes on at once."""
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


def link(subscriber: Subscriber) -> str:
    """The token that stands in this reader's mails."""
    return tokens.sign(subscribers.link_key(), subscribers.LINK, subscriber.id)


def a_post(blog: Blog, title: str, day: date = YESTERDAY, **values: object) -> Post:
    given = {"guid": title, "key": title, "url": f"https://example.org/{blog.id}", "excerpt": "", "day": day,
             "first_seen": NOW, "verdict": "news"}
    return Post.create(blog=blog, title=title, **given | values)


def an_issue(*posts: Post, late: tuple[Post, ...] = (), day: date = TODAY, **values: object) -> Issue:
    """The issue of a day with these posts, in this order, of blogs that the posts carry along."""
    state = "published" if posts or late else "empty"
    issue = Issue.create(**{"kind": "daily", "day": day, "created": NOW, "state": state} | values)
    for post in (*posts, *late):
        post.blog = Blog.get_by_id(post.blog_id)
    IssuePost.bulk_create(IssuePost.drafts(issue, list(posts), list(late)))
    return issue


def a_week(readers: int = 0) -> None:
    """Three groups of blogs, some with troubles; the issues of three days; `readers` who get the last."""
    gana = a_blog("gana", name="가나 기술 블로그", group="team", fetched=NOW, status=200)
    note = a_blog("note", name="데이터베이스 노트", fetched=NOW, status=304)
    slow = a_blog("slow", name="The Slow Computer", group="overseas", fetched=NOW, status=200)
    a_blog("down", name="늘 꺼져 있는 서버", fetched=NOW, fault="timeout after 10 s",
           fault_kind="slow", failures=12)
    a_blog("gone", name="이사 간 블로그", fetched=NOW, status=404, fault="HTTP 404 Not Found",
           fault_kind="gone", read=None)
    a_blog("rest", name="쉬는 블로그", state="paused", paused_for="owner")
    a_blog("left", name="나가고 싶은 블로그", state="excluded")
    an_issue(a_post(note, "타입스크립트의 새 추론 규칙 정리", date(2026, 11, 18)), day=date(2026, 11, 19))
    an_issue(day=YESTERDAY)
    issue = an_issue(
        a_post(gana, "결제 서버의 p99를 절반으로 줄인 커넥션 풀 이야기", minutes=9,
               excerpt="연결을 오래 들고 있는 쿼리 하나가 풀 전체를 굶기는 과정을 계측으로 따라갑니다."),
        a_post(gana, "사내 검색을 Elasticsearch에서 SQLite FTS5로 옮긴 이유", minutes=7,
               excerpt="문서 30만 건이면 충분했습니다. 색인 크기와 응답 시간을 숫자로 비교합니다."),
        a_post(note, "SQLite WAL 체크포인트가 느려지는 이유", minutes=12,
               excerpt="열린 읽기 트랜잭션 하나가 WAL을 끝없이 키우는 모습을 재현했습니다."),
        a_post(note, "쿠버네티스 없이 무중단 배포하기", minutes=5),
        a_post(slow, "What every programmer should know about memory, ten years on", minutes=14,
               excerpt="Caches have grown, cores have multiplied, and locality still decides who wins."),
        late=(a_post(note, "장애 회고를 쓰는 다섯 가지 질문", date(2026, 11, 17), minutes=4),),
        blogs=6, reached=5)
    for number, verdict in enumerate(("news", "history", "too_old", "copy", "held")):
        a_post(note, f"글 {number}", TODAY, verdict=verdict, first_seen=NOW + timedelta(minutes=number))
    for number in range(readers):
        reader = Subscriber.create(email=f"reader{number}@example.org", state="active", created=NOW,
                                   confirmed=NOW)
        Delivery.create(issue=issue, subscriber=reader, created=NOW, due=NOW, changed=NOW)


def a_confirmation(subscriber: Subscriber) -> str:
    """The token of a confirmation mail sent just now."""
    return subscribers.new_confirmation(subscriber, datetime.now(UTC))


def everything() -> list[str]:
    """All that the database holds, as other processes see it."""
    with sqlite3.connect(db.database) as connection:
        rows = list(connection.iterdump())
    connection.close()
    return rows


def new_mails(config: Config) -> dict[str, EmailMessage]:
    """The mails that are due, sent into the Maildir and taken out of it, by who gets them."""
    deliver(config, datetime.now(UTC), "", threading.Event())
    with closing(mailbox.Maildir(config.mail.maildir)) as box:
        mails = [message_from_bytes(box.get_bytes(key), policy=policy.default) for key in box.iterkeys()]
        box.clear()
    return {str(mail["To"]): mail for mail in mails}


def path_in(mail: EmailMessage, start: str) -> str:
    """Of the link in a mail to one of our pages that begin so."""
    return re.search(rf"https?://[^/]+({start}\S+)", mail.get_body(("plain",)).get_content())[1]
