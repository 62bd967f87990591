"""A mail opened: parts and words as far as they can be read, and an end to everything."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devdigest.mime import decoded, fields, opened, readable


def test_headers_are_unfolded_in_order_and_found_in_any_case():
    headers = fields("Subject: one\n two\nX-A : 1\nnonsense\n: none\nx-a:\n\t2\n")
    assert headers.all("x-a") == ["1", "2"]
    assert (headers.first("subject"), headers.first("to")) == ("one two", "")


@pytest.mark.parametrize(("value", "text"), [
    ("plain", "plain"),
    ("=?utf-8?B?67aA7J6s?= =?UTF-8?q?=EC=A4=91?= x", "부재중 x"),
    ("=?euc-kr?b?us7A5w==?=", "부재"),
    ("=?iso-2022-jp*ja?B?GyRCSVQ6XxsoQg==?=", "不在"),
    ("=?utf-8?b?67aA7J6?=", "부\ufffd"),                   # cut off
    ("=?nonsense?q?a_b?=", "a b"),
    ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
])
def test_a_header_is_read_as_it_was_meant(value, text):
    assert readable(value)[:len(text)] == text


@pytest.mark.parametrize(("charset", "name"), [
    ("utf-8", ""), ("cp949", ""), ("euc-kr", "us-ascii"), ("euc-kr", "ks_c_5601-1987"),
    ("iso-2022-kr", "utf-8"), ("cp949", "utf-8"), ("utf-8", "punycode"),
    ("utf-8", "unicode_escape"), ("utf-8", "iso-8859-99")])
def test_korean_is_read_whatever_charset_is_claimed(charset, name):
    assert decoded("사용자가 없습니다".encode(charset), name).strip("\0") == "사용자가 없습니다"


@given(st.binary(), st.sampled_from(["", "utf-8", "euc-kr", "gb2312", "iso-8859-1", "utf-7", "rot13", "\0"]))
def test_any_octets_are_text(octets, charset):
    decoded(octets, charset).encode()       # so without lone surrogates


def test_parts_are_found_to_eight_levels_and_no_deeper():
    def nested(levels: int) -> bytes:
        level = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
        opening = b"".join(level % (number, number) for number in range(levels))
        return opening + b"Content-Type: text/x\n\nHello\n"
    assert opened(nested(8)).part("text/x").body == b"Hello\n"
    assert opened(nested(9)).part("text/x") is None


def test_only_the_first_megabyte_is_read():
    assert sum(len(part.body) for part in opened(b"\n" + b"a" * 3_000_000).parts) < 1_000_000


def test_what_is_attached_stays_shut():
    mail = opened(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nwords\n--b\n"
                  b"Content-Type: message/rfc822\n\nContent-Type: text/plain\n\nanother\n--b--\nepilogue\n")
    assert [part.kind for part in mail.parts] == ["text/plain", "message/rfc822"]
    assert mail.words.strip() == "words"


@pytest.mark.parametrize(("encoding", "body", "text"), [
    ("base64", "aGVsbG8=", "hello"), ("BASE64", "aGVs\nbG8", "hello"), ("base64", "aGVsbG8x2", "hello1"),
    ("quoted-printable", "h=65l=\nlo", "hello"), ("quoted-printable", "50 =ZZ", "50 =ZZ"),
    ("x-unknown", "hello", "hello")])
def test_a_transfer_encoding_is_undone_as_far_as_it_holds(encoding, body, text):
    mail = opened(f"Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n{body}".encode())
    assert mail.words == text


def test_html_is_read_where_there_is_no_plain_text():
    part = b"--b\nContent-Type: text/html\n\n<p>One<br>two &amp; three</p><script>no</script>\n"
    head = b"Content-Type: multipart/alternative; boundary=b\n\n"
    assert opened(head + part).words.split() == ["One", "two", "&", "three"]
    assert opened(head + b"--b\n\nplain\n" + part).words.strip() == "plain"
