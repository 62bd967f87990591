"""What the owner hears, and when: through the worker's jobs, by a real relay, the time as an argument."""
import logging
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from conftest import NOW, a_blog
from relay import FakeRelay, ScriptedRelay, free_port, settings
from test_heartbeat import listening
from web_site import a_post, an_issue

from devdigest import compose, owner_jobs, tokens
from devdigest.config import Config
from devdigest.counts import Event, Opened
from devdigest.memory import HEARTBEAT_SAID, ISSUES_WAIT, WATCHED, Run, Setting
from devdigest.models import Blog, Issue
from devdigest.publish import drafted, publish
from devdigest.readers import Delivery, Subscriber
from devdigest.subscribers import link_key
from devdigest.troubles import Failure, Trouble

pytestmark = pytest.mark.usefixtures("records")

UP = NOW - timedelta(days=9)                # since when the worker runs
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTER = 15 * MINUTE
HALF_PAST_NINE, TEN = NOW + 30 * MINUTE, NOW + HOUR
MONDAY = date(2026, 11, 23)
MONDAY_AT_ELEVEN = NOW + 2 * DAY + 2 * HOUR


@pytest.fixture
def by_relay(by_relay: Config) -> Config:
    """From a mailbox, of which no records are looked up."""
    return replace(by_relay, mail=replace(by_relay.mail, sender="digest@gmail.com"))


@pytest.fixture
def blog(records: None) -> Blog:
    return a_blog()


def look(config: Config, now: datetime) -> None:
    owner_jobs.look_if_due(config, None, now, "", UP)


def mail(config: Config, now: datetime) -> bool:
    return owner_jobs.mail_if_due(config, None, now, "")


def hours(config: Config, first: datetime, count: int) -> None:
    """What the worker does in these hours, asked each quarter of one."""
    for quarter in range(4 * count):
        look(config, first + quarter * QUARTER)
        mail(config, first + quarter * QUARTER)


def mails(relay: FakeRelay | ScriptedRelay) -> list[EmailMessage]:
    found = [one[2] if isinstance(one, tuple) else one for one in relay.messages]
    return [message_from_bytes(one, policy=policy.default) for one in found]


def text(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


def collected(at: datetime) -> None:
    Run.create(job="collect", started=at, finished=at + MINUTE, blogs=1, reached=1, said="1 blogs, 1 reached")


# troubles

def test_all_that_is_wrong_is_told_in_one_mail_and_once(by_relay: Config, relay: FakeRelay) -> None:
    hours(by_relay, NOW, 30)
    [(sender, to, _)] = relay.messages
    [told] = mails(relay)
    assert (sender, to, told["To"]) == ("digest@gmail.com", "owner@example.org", "owner@example.org")
    assert told["Subject"].startswith("DevDigest: 확인이 필요합니다: ")
    assert {"blogs", "collect"} <= {one.name for one in Trouble.open()}
    for said in ("devdigest blogs import FILE-OR-URL", "never"):
        assert said in text(told)
        assert said in told.get_body(("html",)).get_content()


def test_a_mail_to_the_owner_is_no_mail_of_the_list(by_relay: Config, relay: FakeRelay) -> None:
    hours(by_relay, NOW, 1)
    [told] = mails(relay)
    assert told["Auto-Submitted"] == "auto-generated"
    assert told["Message-ID"] == "<trouble.2026-11-21.1@gmail.com>"
    assert [name for name in told if name.startswith(("List-", "Precedence", "Feedback"))] == []
    assert Delivery.select().count() == 0


def test_nothing_is_told_before_a_second_look(by_relay: Config, relay: FakeRelay) -> None:
    look(by_relay, NOW)
    assert mail(by_relay, NOW + 5 * MINUTE)
    assert relay.messages == []


def test_soon_after_a_start_nothing_is_looked_at(by_relay: Config) -> None:
    owner_jobs.look_if_due(by_relay, None, NOW, "", NOW - MINUTE)
    assert Setting.read(WATCHED) is None


def test_it_looks_each_hour_and_sooner_while_something_is_not_sure(by_relay: Config, ada: Subscriber) -> None:
    def looks() -> list[str]:
        seen = []
        for minute in range(0, 180, 5):
            look(by_relay, NOW + minute * MINUTE)
            if (now := Setting.read(WATCHED)) not in seen:
                seen.append(now)
        return [one[11:16] for one in seen]
    assert looks() == ["00:00", "00:15", "01:15", "02:15"]


def test_after_a_refused_login_it_waits_as_the_worker_does(by_relay: Config) -> None:
    with FakeRelay(user="digest", password="right") as strict:
        refused = replace(by_relay, mail=settings(strict, user="digest", sender="digest@gmail.com"))
        for minutes in (0, 15, 75, 300):
            look(refused, NOW + minutes * MINUTE)
        assert Setting.read(WATCHED) == (NOW + QUARTER).isoformat()
        owner_jobs.look_if_due(refused, None, NOW + HOUR, "right", NOW + 50 * MINUTE)    # a new password
        assert Setting.read(WATCHED) == (NOW + HOUR).isoformat()


def test_while_the_relay_is_down_it_is_tried_again_and_nothing_is_lost(
        by_relay: Config, caplog: pytest.LogCaptureFixture) -> None:
    down = replace(by_relay, mail=replace(by_relay.mail, port=free_port()))
    look(down, NOW)
    look(down, NOW + QUARTER)
    assert not mail(down, NOW + QUARTER)
    assert "the mail to the owner waits: 127.0.0.1" in caplog.text
    with FakeRelay() as relay:
        assert mail(replace(down, mail=settings(relay)), NOW + HOUR)
        assert mail(replace(down, mail=settings(relay)), NOW + 2 * HOUR)
        assert len(relay.messages) == 1


def test_a_mailbox_that_refuses_the_owner_is_not_asked_again_and_again(
        by_relay: Config, relay: FakeRelay, caplog: pytest.LogCaptureFixture) -> None:
    relay.to_rcpt["owner"] = "550 5.1.1 no such user"
    hours(by_relay, NOW, 3)
    refusals = [one for one in caplog.records if "refused for good" in one.getMessage()]
    assert [one.levelno for one in refusals] == [logging.ERROR]


def test_without_an_owner_nothing_is_mailed(by_relay: Config, relay: FakeRelay) -> None:
    hours(replace(by_relay, site=replace(by_relay.site, owner="")), NOW, 1)
    assert relay.messages == []


def test_one_more_trouble_is_a_mail_of_its_own_and_tells_what_stands_and_what_is_over(
        by_relay: Config, relay: FakeRelay) -> None:
    hours(by_relay, NOW, 1)
    a_blog()                                        # 'blogs' is over
    hours(by_relay, NOW + HOUR, 3)
    assert len(relay.messages) == 1
    Setting.hold(NOW + 4 * HOUR, "60 of 100 mails of issue 2026-11-20 bounced")
    hours(by_relay, NOW + 4 * HOUR, 3)
    [_, second] = mails(relay)
    assert "hold" in second["Subject"]
    assert second["Message-ID"] == "<trouble.2026-11-21.2@gmail.com>"
    new, still, over = text(second).partition("■ 아직 그대로인 일")[0], *text(second).split("■ ")[1:]
    assert "60 of 100 mails" in new
    assert "collect" in still
    assert "blogs" in over
    Setting.hold(NOW, "")
    hours(by_relay, NOW + 7 * HOUR, 2)
    assert len(relay.messages) == 2


def test_three_mails_of_troubles_are_enough_for_a_day_and_the_rest_comes_together(
        by_relay: Config, relay: FakeRelay) -> None:
    hours(by_relay, NOW, 1)
    for number, job in enumerate(("publish", "deliver", "care", "bounces")):
        for _ in range(3):
            Failure.note(job, NOW, "OSError: No space left on device")
        hours(by_relay, NOW + (2 + 2 * number) * HOUR, 2)
    assert len(relay.messages) == 3
    hours(by_relay, NOW + 25 * HOUR, 1)
    last = text(mails(relay)[3])
    assert len(relay.messages) == 4
    for job in ("care", "bounces"):
        assert f"--grep={job}" in last.partition("■")[0]


def test_hold_by_the_owners_wish_is_no_trouble(by_relay: Config, relay: FakeRelay) -> None:
    hours(by_relay, NOW, 1)
    Setting.write("hold", NOW.isoformat())
    hours(by_relay, NOW + HOUR, 3)
    assert len(relay.messages) == 1


def test_no_address_of_a_reader_is_in_a_mail(by_relay: Config, relay: FakeRelay) -> None:
    for _ in range(3):
        Failure.note("deliver", NOW, "ValueError: ada@example.org")
    hours(by_relay, NOW, 1)
    assert "ada@example.org" not in text(mails(relay)[0])


# the power goes between the mail and its note

def test_a_power_cut_after_the_dot_sends_it_once_more_under_the_same_name(
        by_relay: Config, tmp_path: Path) -> None:
    look(by_relay, NOW)
    look(by_relay, NOW + QUARTER)
    with ScriptedRelay({".": ["stall", "250 queued"]}) as relay:
        path = tmp_path / "config.toml"
        path.write_text(f'[site]\nowner = "owner@example.org"\n[mail]\ntransport = "smtp"\n'
                        f'host = "127.0.0.1"\nport = {relay.port}\nsecurity = "none"\n'
                        f'from = "digest@gmail.com"\n[database]\npath = "{by_relay.database.path}"\n')
        program = ("import sys; from datetime import datetime; from pathlib import Path\n"
                   "from devdigest import config, database, owner_jobs\n"
                   "settings = config.load(Path(sys.argv[1])); database.open(settings.database.path)\n"
                   "owner_jobs.mail_if_due(settings, None, datetime.fromisoformat(sys.argv[2]), '')")
        when = NOW + QUARTER
        with subprocess.Popen([sys.executable, "-c", program, str(path), when.isoformat()],
                              cwd=Path(__file__).parents[1]) as killed:
            until = time.monotonic() + 20
            while not relay.messages and time.monotonic() < until:
                time.sleep(0.01)
            killed.kill()
        again = replace(by_relay, mail=settings(relay, sender="digest@gmail.com"))
        assert mail(again, when + MINUTE)
        assert mail(again, when + 2 * MINUTE)
        first, second = mails(relay)
        assert first["Message-ID"] == second["Message-ID"] == "<trouble.2026-11-21.1@gmail.com>"


# Monday

def a_week_of_issues(blog: Blog, *readers: Subscriber) -> None:
    for day in range(16, 23):
        at = datetime(2026, 11, day, 1, tzinfo=UTC)
        posts = [a_post(blog, f"글 {day}", date(2026, 11, day - 1))] if day != 18 else []
        issue = an_issue(*posts, day=date(2026, 11, day), created=at)
        for reader in readers if posts else ():
            Delivery.create(issue=issue, subscriber=reader, state="sent", created=at, due=at, changed=at)
    collected(datetime(2026, 11, 16, tzinfo=UTC))


def test_on_monday_the_week_is_told_in_one_mail(by_relay: Config, relay: FakeRelay, blog: Blog,
                                                ada: Subscriber) -> None:
    a_week_of_issues(blog, ada)
    a_blog("down", fault="timeout", read=NOW)
    Event.add(date(2026, 11, 17), "confirmed", 3)
    Event.add(date(2026, 11, 15), "confirmed", 100)        # the week before
    Event.add(date(2026, 11, 20), "cancelled", 1)
    for minutes in (-1, 0, 1, 60, 24 * 60):
        assert mail(by_relay, MONDAY_AT_ELEVEN + minutes * MINUTE)
    [told] = mails(relay)
    assert told["Message-ID"] == "<summary.2026-11-23.1@gmail.com>"
    assert told["Subject"].startswith("DevDigest 11월 16일 – 22일: ")
    for said in ("발행: 7회, 글 없는 날 1일", "글: 6편", "메일: 6통 보냄", "독자: 1명, 새로 3명, 떠남 1명",
                 "블로그: 2곳, 읽지 못하는 곳 1곳, 그중 지난주부터 1곳 → sudo devdigest blogs list --failing",
                 "참고: ", "clock", "→ sudo devdigest check", "백업: 아직 없음 → sudo devdigest backup"):
        assert said in text(told)
    assert "ada@" not in text(told)


def test_a_summary_comes_late_where_the_power_was_off_and_not_at_all_after_three_days(
        by_relay: Config, relay: FakeRelay, blog: Blog) -> None:
    collected(NOW - 9 * DAY)
    mail(by_relay, MONDAY_AT_ELEVEN - 7 * DAY + 4 * DAY)        # Friday
    assert relay.messages == []
    mail(by_relay, MONDAY_AT_ELEVEN + 2 * DAY)
    mail(by_relay, MONDAY_AT_ELEVEN + 2 * DAY + HOUR)
    assert [one["Message-ID"] for one in mails(relay)] == ["<summary.2026-11-23.1@gmail.com>"]


def test_in_its_first_week_there_is_no_summary(by_relay: Config, relay: FakeRelay) -> None:
    collected(MONDAY_AT_ELEVEN - HOUR)
    assert mail(by_relay, MONDAY_AT_ELEVEN)
    assert relay.messages == []


def test_a_trouble_that_is_over_is_told_on_monday(by_relay: Config, relay: FakeRelay, blog: Blog) -> None:
    collected(NOW - 9 * DAY)
    Trouble.create(key="relay", name="relay", fact="timed out", cure="wait", since=NOW - DAY,
                   seen=NOW - DAY + HOUR, told=NOW, gone=NOW, over=NOW + HOUR)
    mail(by_relay, MONDAY_AT_ELEVEN)
    [told] = mails(relay)
    assert "relay (11월 20일 오전 9시부터 11월 21일 오전 9시까지)\ntimed out" in text(told)
    assert Trouble.over_untold() == []


# a first look

@pytest.fixture
def posted(blog: Blog) -> None:
    collected(NOW)
    a_post(blog, "결제 서버의 p99를 절반으로", url="https://example.org/p99?a=1", excerpt="짧게")


@pytest.mark.usefixtures("posted", "ada")
def test_the_owner_gets_a_first_look_once(by_relay: Config, relay: FakeRelay) -> None:
    for minutes in (-1, 0, 1, 29, 30):
        mail(by_relay, HALF_PAST_NINE + minutes * MINUTE)
    [look] = mails(relay)
    assert look["Subject"] == "[미리보기] 개발 블로그 글 1편: 결제 서버의 p99를 절반으로"
    assert look["Message-ID"] == "<preview.2026-11-21.1@gmail.com>"
    assert [name for name in look if name.startswith(("List-", "Precedence", "Feedback"))] == []
    token = tokens.sign(link_key(), "hold", 20261121)
    assert f"http://127.0.0.1:8080/hold/{token}" in text(look)
    assert Issue.select().count() == Opened.select().count() == 0


@pytest.mark.usefixtures("posted")
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_first_look_is_what_readers_get_but_for_the_bar(by_relay: Config, relay: FakeRelay, language: str,
                                                          ada: Subscriber) -> None:
    config = replace(by_relay, site=replace(by_relay.site, language=language))
    mail(config, HALF_PAST_NINE)
    publish(config, TEN)
    letter = compose.issue(drafted(config, TEN), config, language, TEN)
    filled = letter.fill(to="owner@example.org", delivery="1", token="preview", since=None)
    reader = message_from_bytes(filled, policy=policy.default)
    [look] = mails(relay)
    assert text(look).partition("--------\n\n")[2] == text(reader)
    html = look.get_body(("html",)).get_content().replace("?uncounted", "")
    bar = html.index('<table role="presentation" class="card"')
    end = html.index('<table role="presentation" class="paper"')
    assert html[:bar] + html[end:] == reader.get_body(("html",)).get_content()
    assert bar < html.index("/hold/") < end


@pytest.mark.usefixtures("posted")
def test_no_first_look_without_need(by_relay: Config, relay: FakeRelay, blog: Blog) -> None:
    off = replace(by_relay, digest=replace(by_relay.digest, preview=""))
    mail(off, HALF_PAST_NINE)
    Setting.write("hold", NOW.isoformat())
    mail(by_relay, HALF_PAST_NINE)
    Setting.clear("hold")
    mail(by_relay, TEN)                                     # too late
    publish(by_relay, HALF_PAST_NINE)                       # by hand
    mail(by_relay, HALF_PAST_NINE + MINUTE)
    collected(NOW + DAY)
    mail(by_relay, HALF_PAST_NINE + DAY)                    # a day without posts
    assert relay.messages == []


def test_where_no_blog_was_read_since_midnight_the_first_look_waits(by_relay: Config, relay: FakeRelay,
                                                                    blog: Blog) -> None:
    a_post(blog, "글")
    collected(NOW - 12 * HOUR)
    mail(by_relay, HALF_PAST_NINE)
    assert relay.messages == []
    collected(HALF_PAST_NINE)
    mail(by_relay, HALF_PAST_NINE + 10 * MINUTE)
    assert len(relay.messages) == 1


# a finished day

def a_day(blog: Blog, reader: Subscriber | None = None, state: str = "sent") -> Issue:
    issue = an_issue(a_post(blog, "글"), created=TEN)
    if reader:
        Delivery.create(issue=issue, subscriber=reader, state=state, created=TEN, due=TEN, changed=TEN)
    return issue


def test_a_finished_day_is_told_once(config: Config, blog: Blog, ada: Subscriber) -> None:
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        assert owner_jobs.heartbeat_if_due(config, TEN)
        a_day(blog, ada, "queued")
        assert owner_jobs.heartbeat_if_due(config, TEN + MINUTE)
        assert listener.asked == []
        Delivery.update(state="sent").execute()
        for minute in range(3):
            assert owner_jobs.heartbeat_if_due(config, TEN + minute * MINUTE)
        assert listener.asked == ["/ping/secret"]
        assert Setting.read(HEARTBEAT_SAID) == "2026-11-21 200 OK"


def test_a_day_without_posts_is_finished_too(config: Config) -> None:
    an_issue()
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        owner_jobs.heartbeat_if_due(config, TEN)
        assert len(listener.asked) == 1


def test_an_answer_that_is_none_is_tried_again_until_there_is_one(config: Config, blog: Blog) -> None:
    a_day(blog)
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        listener.status = 503
        assert not owner_jobs.heartbeat_if_due(config, TEN)
        assert "503" in Setting.read(HEARTBEAT_SAID)
        listener.status = 200
        assert owner_jobs.heartbeat_if_due(config, TEN + MINUTE)
        assert owner_jobs.heartbeat_if_due(config, TEN + 2 * MINUTE)
        assert len(listener.asked) == 2


def test_what_a_quota_leaves_for_tomorrow_does_not_keep_the_day_open(config: Config, blog: Blog,
                                                                     ada: Subscriber) -> None:
    a_day(blog, ada, "queued")
    Setting.write(ISSUES_WAIT, (TEN + DAY).isoformat())
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        owner_jobs.heartbeat_if_due(config, TEN + 9 * HOUR)
        assert listener.asked == []
        owner_jobs.heartbeat_if_due(config, TEN + 10 * HOUR)
        assert len(listener.asked) == 1


@pytest.mark.parametrize("name", ["relay", "mailing", "database"])
def test_there_is_silence_where_no_mail_goes_out(config: Config, blog: Blog, name: str) -> None:
    a_day(blog)
    trouble = Trouble.create(key=name, name=name, fact="", cure="", since=NOW, seen=NOW)
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        owner_jobs.heartbeat_if_due(config, TEN)
        assert listener.asked == []
        trouble.delete_instance()
        owner_jobs.heartbeat_if_due(config, TEN + HOUR)
        assert len(listener.asked) == 1


def test_there_is_silence_while_held_and_of_days_long_past(config: Config, blog: Blog) -> None:
    a_day(blog)
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        Setting.write("hold", NOW.isoformat())
        owner_jobs.heartbeat_if_due(config, TEN)
        Setting.clear("hold")
        owner_jobs.heartbeat_if_due(config, TEN + 2 * DAY)
        assert listener.asked == []


def test_on_monday_the_weekly_issue_belongs_to_the_day(config: Config, blog: Blog) -> None:
    at = TEN + 2 * DAY
    an_issue(a_post(blog, "글"), day=MONDAY, created=at)
    with listening() as listener:
        config = replace(config, site=replace(config.site, heartbeat_url=listener.url))
        owner_jobs.heartbeat_if_due(config, at)
        assert listener.asked == []
        an_issue(day=MONDAY, kind="weekly", created=at)
        owner_jobs.heartbeat_if_due(config, at)
        assert len(listener.asked) == 1
