"""By a fresh mailed link alone, over a socket: another address, a copy of all records, the end of them."""
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from web_site import Visitor, everything, link, new_mails, path_in, visiting

from devdigest import account, subscribers, suppressions
from devdigest.config import Config
from devdigest.readers import Delivery, Subscriber

NEW = "ada@example.net"


@pytest.fixture
def visitor(config: Config, records: None) -> Iterator[Visitor]:
    with visiting(config) as visitor:
        yield visitor


def account_of(subscriber: Subscriber) -> str:
    """The path of a fresh link."""
    return f"/account/{subscribers.new_confirmation(subscriber, datetime.now(UTC), subscribers.ACCOUNT)}"


def move_of(subscriber: Subscriber, email: str = NEW) -> str:
    """The path of a link in the mail to a new address."""
    account.move(subscriber, email, datetime.now(UTC))
    return f"/account/move/{subscribers.new_confirmation(subscriber, datetime.now(UTC), subscribers.MOVE)}"


def actions(page: str) -> list[str]:
    return re.findall(r'<form [^>]*action="([^"]*)"', page)


# the way there

def test_a_forwarded_mail_is_good_only_to_have_a_link_sent_to_the_reader(visitor: Visitor, config: Config,
                                                                         ada: Subscriber) -> None:
    button = f"/manage/{link(ada)}/account"
    assert button in actions(visitor.get(f"/manage/{link(ada)}").text)
    sent = visitor.post(button)
    assert (sent.status_code, sent.headers["Cache-Control"], "ada" in sent.text) == (200, "no-store", False)
    mails = new_mails(config)
    assert set(mails) == {"ada@example.org"}
    path = path_in(mails["ada@example.org"], "/account/")
    page = visitor.get(path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "ada@example.org" in page.text
    assert actions(page.text) == [f"{path}/address", f"{path}/data", f"{path}/erase"]


def test_the_link_is_sent_three_times_a_day_and_the_page_never_says_so(visitor: Visitor,
                                                                       ada: Subscriber) -> None:
    answers = {visitor.post(f"/manage/{link(ada)}/account").text for _ in range(5)}
    assert (len(answers), Delivery.select().count()) == (1, 3)


def test_who_never_confirmed_is_sent_no_link(visitor: Visitor, bob: Subscriber) -> None:
    assert "/account" not in visitor.get(f"/manage/{link(bob)}").text
    assert visitor.post(f"/manage/{link(bob)}/account").status_code == 200
    assert Delivery.select().count() == 0


def test_who_left_may_still_download_and_erase(visitor: Visitor, config: Config, carol: Subscriber) -> None:
    visitor.post(f"/manage/{link(carol)}/account")
    path = path_in(new_mails(config)["carol@example.org"], "/account/")
    assert actions(visitor.get(path).text) == [f"{path}/data", f"{path}/erase"]
    assert visitor.get(f"{path}/data").json()["state"] == "cancelled"


# links

@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/account/{}"), ("POST", "/account/{}/address"), ("GET", "/account/{}/data"),
    ("GET", "/account/{}/erase"), ("POST", "/account/{}/erase"), ("GET", "/account/move/{}"),
    ("POST", "/account/move/{}")])
def test_a_link_that_is_none_of_ours_is_old_or_for_something_else_opens_nothing(
        visitor: Visitor, ada: Subscriber, method: str, path: str) -> None:
    ada.moving_to = NEW
    ada.save()
    now = datetime.now(UTC)
    tokens = ["x", "%EA%B8%80", "%00", link(ada), subscribers.new_confirmation(ada, now)]
    for purpose, hours in ((subscribers.ACCOUNT, 1), (subscribers.MOVE, 48)):
        tokens.append(subscribers.new_confirmation(ada, now - timedelta(hours=hours, seconds=1), purpose))
    for_the_other = subscribers.ACCOUNT if "move" in path else subscribers.MOVE
    tokens.append(subscribers.new_confirmation(ada, now, for_the_other))
    before = everything()
    for token in tokens:
        answer = visitor.ask(method, path.format(token), data={"email": "eve@example.org"})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")
        assert "쓸 수 없는 링크입니다" in answer.text
        assert "example." not in re.sub("owner@example.org", "", answer.text)
    assert everything() == before


def test_looking_changes_nothing(visitor: Visitor, ada: Subscriber) -> None:
    move, path = move_of(ada), account_of(ada)
    before = everything()
    for one in (path, f"{path}/address?email=eve@example.org", f"{path}/data", f"{path}/erase", move):
        for method in ("GET", "HEAD", "OPTIONS"):
            visitor.ask(method, one)
    assert everything() == before


# another address

def test_an_address_changes_once_the_new_one_has_confirmed(visitor: Visitor, config: Config,
                                                           ada: Subscriber) -> None:
    path = account_of(ada)
    asked = visitor.post(f"{path}/address", {"email": NEW})
    assert (asked.status_code, "새 주소의 메일함" in asked.text) == (200, True)
    mails = new_mails(config)
    assert set(mails) == {NEW}
    move = path_in(mails[NEW], "/account/move/")
    page = visitor.get(move)
    assert (actions(page.text), NEW in page.text) == ([move], True)
    assert Subscriber.get_by_id(ada.id).email == "ada@example.org"

    assert "주소를 바꿨습니다" in visitor.post(move).text
    assert Subscriber.get_by_id(ada.id).email == NEW
    assert visitor.post(move).status_code == 404
    assert visitor.get(path).status_code == 404, "mailed to an address that is theirs no more"


@pytest.mark.parametrize(("email", "words"), [
    ("", "메일 주소를 다시"), ("eve", "메일 주소를 다시"), ('"><b>@example.org', "메일 주소를 다시"),
    ("이브@example.org", "영문자"), ("eve@-example.org", "도메인"), ("abuse@example.org", "공용 주소")])
def test_what_is_no_address_is_refused_in_words(visitor: Visitor, ada: Subscriber, email: str,
                                                words: str) -> None:
    path = account_of(ada)
    before = everything()
    answer = visitor.post(f"{path}/address", {"email": email})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (400, "no-store")
    assert words in re.search(r'<p class="fault"[^>]*>(.*?)</p>', answer.text)[1]
    assert "<b>" not in answer.text
    assert everything() == before


def test_nobody_learns_whose_address_the_new_one_is(visitor: Visitor, config: Config, ada: Subscriber,
                                                    bob: Subscriber, carol: Subscriber) -> None:
    Subscriber.create(email="dora@example.org", state="active", created=ada.created, confirmed=ada.created)
    suppressions.keep_out("erased@example.org", datetime.now(UTC))
    path = account_of(ada)
    answers = {visitor.post(f"{path}/address", {"email": f"{name}@example.org"}).text
               for name in ("nobody", "ada", "bob", "carol", "dora", "erased")}
    assert len(answers) == 1


def test_a_move_to_another_readers_address_leaves_that_reader(visitor: Visitor, ada: Subscriber) -> None:
    dora = Subscriber.create(email="dora@example.org", state="active", created=ada.created,
                             confirmed=ada.created)
    assert visitor.post(move_of(ada, "dora@example.org")).status_code == 200
    assert [one.id for one in Subscriber.select()] == [dora.id]


# download

def test_all_records_come_as_a_file_that_nobody_keeps(visitor: Visitor, ada: Subscriber) -> None:
    answer = visitor.get(f"{account_of(ada)}/data")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="subscription.json"'
    records = json.loads(answer.content)
    assert (records["email"], records["state"]) == ("ada@example.org", "active")


# the end

def test_everything_is_erased_by_the_second_button(visitor: Visitor, ada: Subscriber) -> None:
    path = account_of(ada)
    page = visitor.get(f"{path}/erase")
    assert actions(page.text) == [f"{path}/erase"]
    assert "되돌릴 수 없습니다" in page.text
    assert Subscriber.select().count() == 1

    erased = visitor.post(f"{path}/erase")
    assert (erased.status_code, "모두 지웠습니다" in erased.text) == (200, True)
    assert "ada@example.org" not in "".join(everything())
    assert suppressions.of("ada@example.org").reason == "erased"
    for gone in (path, f"/manage/{link(ada)}", f"/u/{link(ada)}"):
        assert visitor.get(gone).status_code == 404
