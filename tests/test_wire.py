"""Messages on their way out: whole lines, doubled dots, nothing too long."""
import random
import re

import pytest

from devdigest.wire import Stuffed, Whole, stuffed, whole


@pytest.mark.parametrize(("message", "as_lines", "with_dots"), [
    (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n"),
    (b"a\nb\rc", b"a\r\nb\r\nc\r\n", b"a\r\nb\r\nc\r\n"),
    (b".\n..\n.a\n", b".\r\n..\r\n.a\r\n", b"..\r\n...\r\n..a\r\n"),
    (b"a\r.\rb", b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"),
    (b"a\r\r\n.\n\r", b"a\r\n\r\n.\r\n\r\n", b"a\r\n\r\n..\r\n\r\n"),
    (b"", b"\r\n", b"\r\n"),
])
def test_a_message_becomes_whole_lines_and_its_dots_are_doubled(message, as_lines, with_dots):
    assert whole(message) == as_lines
    assert stuffed(message) == with_dots


def test_what_is_ready_is_not_touched_again():
    message = b"Subject: x\r\n\r\n.a\r\n"
    assert whole(ready := Whole(message)) is ready
    assert stuffed(ready := Stuffed(message)) is ready


def test_no_line_is_longer_than_a_relay_must_take():
    assert len(whole(b"a" * 998)) == 1000
    assert len(stuffed(b"." + b"a" * 997)) == 1001         # the doubled dot does not count
    for make in (whole, stuffed):
        with pytest.raises(ValueError, match="a line of 999 octets"):
            make(b"a\n" + b"b" * 999 + b"\n")


def test_whatever_comes_in_one_form_leads_to_the_other():
    for seed in range(2000):
        dice = random.Random(seed)
        message = bytes(dice.choices(b"\r\n..ab\xea", k=dice.randrange(40)))
        lines, dots = whole(message), stuffed(message)
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", lines), seed
        assert lines.endswith(b"\r\n"), seed
        assert b"\r\n.\r\n" not in b"\r\n" + dots, seed
        assert stuffed(lines) == dots, seed
        assert whole(dots) == lines, seed
