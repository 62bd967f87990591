"""text.py: HTML to text, tidy lines, excerpts, reading time."""
import time
from html import escape
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devdigest.text import excerpt, from_html, minutes, tidy


@pytest.mark.parametrize(("source", "text"), [
    ("<p>하나</p><p>둘</p>", "하나 둘"),
    ("<b>굵</b>게 <code>pars</code>e", "굵게 parse"),
    ("a<br>b<br/>c<hr>d", "a b c d"),
    ("<ul><li>one<li>two</ul>", "one two"),
    ("<td>1</td><td>2</td>", "1 2"),
    ("a\n\t b\xa0c", "a b c"),
    ("&lt;b&gt; &amp;amp; &#44032;&#xAC01; &nbsp;&hearts;", "<b> &amp; 가각 ♥"),
    ("before<script>alert('</p>')</script>after", "before after"),
    ("<SCRIPT src=x>1 < 2</SCRIPT >x", "x"),
    ("<style>p { color: red }</style>x", "x"),
    ("<html><head><title>no</title></head><body>yes</body></html>", "yes"),
    ("<head><title>no</title><body class=a>yes", "yes"),
    ("<header>top</header>", "top"),
    ("a<!-- <b>no</b> -->b<!doctype html><?php no ?>c", "ab c"),
    ('<img alt="a > b" title=\'<i>\'>x', "x"),
    ("<p don't>I'm <a href=x>here</a>", "I'm here"),
    ("if a < b && c > d", "if a < b && c > d"),
    ("vector<int> x", "vector x"),
    ("text <script>never closed", "text"),
    ("text <!-- never closed", "text"),
    ("text <a href='never closed", "text"),
    ("<![CDATA[x", ""),
    ("", ""),
])
def test_html_becomes_the_text_a_reader_sees(source, text):
    assert from_html(source) == text


@pytest.mark.parametrize("source", ["&#xFFFFFFFF;", "&#xD800;", "&#0;", f"&#{'9' * 5000};"])
def test_a_number_that_is_no_character_harms_nothing(source):
    assert from_html(f"a{source}b") == "a\ufffdb"


@pytest.mark.parametrize("piece", ["<", "<a ", "<a b='", "<a =", "</", "<!--", "<!-->", "<![", "<?", "&#",
                                   "= ", "<script>", "<script></x>", "<head>", "<svg><"])
def test_half_a_megabyte_of_hostile_html_takes_no_time(piece):
    start = time.process_time()
    from_html(piece * (500_000 // len(piece)))
    assert time.process_time() - start < 2      # a tenth of a second, and many minutes with html.parser


def test_a_post_too_long_to_read_is_read_by_its_beginning():
    assert len(from_html("<p>" + "가" * 2_000_000)) == 499_997


@pytest.mark.parametrize(("text", "line"), [
    ("한 줄\r\nBcc: eve@example.org", "한 줄 Bcc: eve@example.org"),
    ("a\x00b\x1bc\x7fd\x85e", "abcd e"),
    ("\u202egnp.exe\u202c", "gnp.exe"),
    ("\u2066a\u2069\u200f", "a"),
    ("zero\u200bwidth\ufeff\u2060 so\u00adft", "zerowidth soft"),
    ("lone \ud800 surrogate", "lone surrogate"),
    ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),       # as a Mac names files
    ("\u3164", ""),                                         # a Hangul filler, for a title that looks empty
    ("  넓은\u3000칸\u2028줄  ", "넓은 칸 줄"),
    ("🇰🇷 <b>&amp;</b>", "🇰🇷 <b>&amp;</b>"),
])
def test_a_tidy_text_is_one_line_of_what_can_be_seen(text, line):
    assert tidy(text) == line


@given(st.text())
@example("a\ufffeb\uffff")
def test_a_tidy_text_can_be_stored_and_is_not_tidied_further(text):
    line = tidy(text)
    line.encode()
    ElementTree.fromstring(f"<p>{escape(line)}</p>")
    assert tidy(line) == line
    assert "\n" not in line


@pytest.mark.parametrize(("text", "limit", "cut"), [
    ("짧은 글", 10, "짧은 글"),
    ("0123456789", 10, "0123456789"),
    ("한 문장이다. 두 번째는 잘린다", 12, "한 문장이다. …"),
    ("그는 물었다. “정말?” 그리고 또 말했다", 16, "그는 물었다. “정말?” …"),
    ("버전 3.11부터 된다고 한다 그래서", 10, "버전 3.11부터…"),
    ("Sentence one ends here and goes on", 20, "Sentence one ends…"),
    ("exactly here on", 8, "exactly…"),
    ("띄어쓰기없이길게이어지는글", 8, "띄어쓰기없이길…"),
    ("a very-long-word-without-any-border", 12, "a very-long…"),
    ("No. This is the only sentence here", 20, "No. This is the…"),       # an end too early is no border
])
def test_an_excerpt_ends_with_a_sentence_or_a_word(text, limit, cut):
    assert excerpt(text, limit) == cut


@given(st.text(), st.integers(1, 50))
def test_an_excerpt_is_never_longer_than_its_limit(text, limit):
    assert len(excerpt(text, limit)) <= limit


@pytest.mark.parametrize(("text", "count"), [
    ("", 1), ("짧다", 1), ("가나 " * 500, 2), ("漢字" * 500, 2), ("word " * 230 * 3, 3),
    ("it's well-known " * 230, 2), ("가" * 500 + " word" * 230, 2), ("- * / " * 10_000, 1),
])
def test_reading_time_counts_korean_by_syllables_and_the_rest_by_words(text, count):
    assert minutes(text) == count
