"""A mail that is filled for thousands of readers: bytes joined, and each is what the email package reads."""
import random
import re
import string
from email import message_from_bytes, policy
from email.utils import getaddresses

import pytest
from conftest import NOW

from devdigest.config import Config
from devdigest.draft import Draft
from devdigest.letter import Letter, Places, write
from devdigest.wire import Stuffed, stuffed, whole
from devdigest.wording import WORDINGS

ATOM = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"


def letter(config: Config) -> Letter:
    """Lines that begin with dots, places at the begin and the end of lines, Korean, and very long lines."""
    places = Places.in_a_mail_on(config)
    draft = Draft(config, WORDINGS["ko"], places)
    text = (f".\n..\n.a dot\n{places.address}\n{places.address}.\n{places.since}.\n개발 {places.token}\n"
            + "가나다 " * 400 + "\n")
    page = f"<p>.\n{places.address_in_html}</p>\n.<p>{places.delivery}</p>\n" + "<b>라</b> " * 300
    title = "어제 올라온 글 13개: " + "아주 긴 제목 " * 8
    lines = [*draft.lines(title, NOW, "2026-11-21"), *draft.list_lines()]
    return write(lines, text, page, places, lambda day: "")


def an_address(chance: random.Random) -> str:
    local = "".join(chance.choices(ATOM, k=chance.randint(1, 64)))
    if chance.random() < 0.3 and len(local) > 3:
        local = f"{local[:1]}.{local[2:-1]}.{local[-1]}"[:64].rstrip(".")
    return f"{local}@{'a' * chance.randint(1, 60)}.{'b' * chance.randint(1, 60)}.example.org"


@pytest.mark.parametrize("seed", range(4))
def test_each_of_thousands_is_read_as_it_was_meant(config: Config, seed: int) -> None:
    chance, mail = random.Random(seed), letter(config)
    for number in range(500):
        given = {"to": an_address(chance), "delivery": f"{number}-abc", "token": f"{number}-xyz",
                 "since": None}
        filled, ready = mail.fill(**given), mail.ready(**given)
        assert isinstance(ready, Stuffed)
        assert ready == stuffed(filled)         # what the safe way makes of it
        assert whole(ready) == filled
        lines = filled.split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert not any(b"\r" in line or b"\n" in line for line in lines)
        assert not re.search(rb"^\.[^.]", ready, re.MULTILINE)
        if number % 10 == 0:
            assert_reads_as(filled, **given)


def assert_reads_as(filled: bytes, to: str, delivery: str, token: str, since: None) -> None:
    read = message_from_bytes(filled, policy=policy.default)
    assert not read.defects
    assert [address for _, address in getaddresses([read["To"]])] == [to]
    assert read["X-DevDigest-Delivery"] == delivery
    assert read["Message-ID"] == f"<2026-11-21.{delivery}@example.org>"
    assert read["Subject"].startswith("어제 올라온 글 13개: 아주 긴 제목")
    assert f"/u/{token}>" in read["List-Unsubscribe"]
    text, page = (read.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    assert f"\n{to}\n{to}.\n.\n개발 {token}\n" in text
    assert text.startswith(".\n..\n.a dot\n")
    assert f"<p>{delivery}</p>" in page
