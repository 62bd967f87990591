"""What comes to the bounce address: real mails as their manifest says, then all that may come besides."""
import csv
import time
from base64 import b64encode
from dataclasses import astuple
from pathlib import Path
from quopri import encodestring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devdigest import tokens
from devdigest.dsn import read
from devdigest.feedback import REASONS, Feedback, Kind

BOUNCES = Path(__file__).parents[2] / "shared" / "bounces"
MANIFEST = BOUNCES / "MANIFEST.tsv"
KEY = "ab" * 32
TOKEN = tokens.sign(KEY, "link", 17)
SENT = tokens.sign(KEY, "delivery", 4711)
LEAVE = "leave@mail.example.org"


def rows() -> list[dict[str, str]]:
    if not MANIFEST.exists():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def only(mail: bytes | str, unsubscribe: tuple[str, ...] = ()) -> Feedback:
    [feedback] = read(mail.encode() if isinstance(mail, str) else mail, unsubscribe)
    return feedback


def the_copy(to: str = "ada@example.org") -> str:
    """The headers of a mail of ours, as a report returns them."""
    return (f"From: DevDigest\n <digest@example.org>\nTo: {to}\n"
            f"Message-ID: <daily-2026-11-21.{SENT}@example.org>\nX-DevDigest-Delivery: {SENT}\n"
            f"List-Unsubscribe: <https://digest.example.org/u/{TOKEN}>,\n"
            f" <mailto:owner@example.org?subject=unsubscribe%20{TOKEN}>\n\nBody\n")


def a_report(*fields: str, kind: str = "message/delivery-status", copy: str = "",
             to: str = "digest@example.org", encoding: str = "7bit", charset: str = "utf-8") -> bytes:
    """A bounce in the form of RFC 3464, `fields` one block for each recipient."""
    block = ("Reporting-MTA: dns; mx.example.net\n\n" + "\n\n".join(fields) + "\n").encode(charset)
    wrap = {"base64": b64encode, "quoted-printable": encodestring, "7bit": bytes}[encoding]
    body = wrap(block).decode("latin-1")
    return ("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\n"
            f"To: {to}\nMessage-ID: <1@mx.example.net>\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nSorry.\n"
            f"--b\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"
            f"--b\nContent-Type: message/rfc822\n\n{copy}\n--b--\n").encode("latin-1")


def a_fate(**changed: str) -> str:
    given = {"Final-Recipient": "rfc822; ada@example.org", "Action": "failed", "Status": "5.1.1",
             "Diagnostic-Code": "smtp; 550 5.1.1 no such user"}
    named = {name.replace("_", "-"): value for name, value in changed.items()}
    return "\n".join(f"{name}: {value}" for name, value in (given | named).items() if value)


def a_notice(text: str, sender: str = "MAILER-DAEMON@mx.example.net", charset: str = "utf-8",
             subject: str = "notice", headers: str = "Return-Path: <>\n") -> bytes:
    """A bounce in prose."""
    head = f"{headers}From: {sender}\nSubject: {subject}\nContent-Type: text/plain; charset={charset}\n\n"
    return head.encode() + text.encode(charset)


@pytest.mark.skipif(not MANIFEST.exists(), reason="the sample mails are not here")
@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_a_real_mail_says_what_its_manifest_says(row):
    expected = list(zip(*(row[name].split(";") for name in ("recipient", "class", "status", "reason")),
                        strict=True))
    assert [(one.recipient or "-", one.kind, one.status or "-", one.reason)
            for one in read((BOUNCES / row["file"]).read_bytes())] == expected


# ------------------------------------------------------------------ wishes to leave

APPLE = """From: Ada <ada@Example.ORG>
To: {to}
Subject: {subject}
Auto-Submitted: auto-replied

Apple Mail sent this email to unsubscribe from the message "Yesterday".
"""


@pytest.mark.parametrize(("to", "subject"), [
    (f"leave+{TOKEN}@mail.example.org", "unsubscribe"),
    (f"Leave+{TOKEN.upper()}@MAIL.example.org", "Unsubscribe"),
    ("leave@mail.example.org", "unsubscribe"),
    ("leave@mail.example.org", "Re: Unsubscribe"),
    ("leave@mail.example.org", "=?utf-8?b?6rWs64+FIOy3qOyGjA==?="),         # 구독 취소
    ("owner@example.org", f"unsubscribe {TOKEN}"),
])
def test_a_wish_to_leave_comes_before_the_mark_of_auto_replies(to, subject):
    found = only(APPLE.format(to=to, subject=subject), (LEAVE,))
    assert (found.kind, found.reason) == (Kind.UNSUBSCRIBE, "list-unsubscribe-mailto")
    assert found.recipient == "ada@example.org"
    assert TOKEN in found.tokens or "+" not in to


@pytest.mark.parametrize(("to", "subject"), [
    ("leave@mail.example.org", "a question about your digest"),
    ("owner@example.org", "unsubscribe"),
    ("owner@example.org", "How do I unsubscribe 17-aaa?"),
    (f"leave+{TOKEN}@mail.example.org", "a question about your digest"),
    (f"other+{TOKEN}@mail.example.org", "unsubscribe"),
])
def test_a_letter_to_the_owner_is_no_wish_to_leave(to, subject):
    letter = APPLE.format(to=to, subject=subject).replace("Auto-Submitted", "X")
    assert only(letter, (LEAVE,)).kind is Kind.OTHER


@pytest.mark.parametrize("mail", [
    f"From: ada@example.org\nTo: leave+{TOKEN}@mail.example.org\n\n",
    f"From: ada@example.org\nTo: x+{TOKEN}@example.org\nSubject: any\nX-Apple-Unsubscribe: true\n\n"])
def test_a_wish_to_leave_needs_no_words(mail):
    found = only(mail, (LEAVE,))
    assert (found.kind, found.recipient, found.tokens) == (Kind.UNSUBSCRIBE, "ada@example.org", (TOKEN,))


def test_at_the_address_that_takes_wishes_and_bounces_alike_each_is_known():
    to = f"leave+{TOKEN}@mail.example.org"
    away = a_notice("I am away", sender="ada@example.org", subject="",
                    headers=f"To: {to}\nAuto-Submitted: auto-replied\n")
    assert only(a_report(a_fate(), to=to), (LEAVE,)).kind is Kind.HARD
    assert only(a_notice("Quota exceeded", headers=f"To: {to}\nReturn-Path: <>\n", subject=""),
                (LEAVE,)).kind is Kind.SOFT
    assert only(away, (LEAVE,)).kind is Kind.AUTO_REPLY


# ------------------------------------------------------------------ complaints

COMPLAINT = """From: feedback@isp.example
Content-Type: multipart/{kind}; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: Isp/1

--b
Content-Type: message/rfc822

{copy}
--b--
"""


@pytest.mark.parametrize(("feedback", "kind", "reason"), [
    ("abuse", Kind.COMPLAINT, "abuse"), ("fraud", Kind.COMPLAINT, "abuse"),
    ("Virus", Kind.COMPLAINT, "abuse"),
    ("opt-out", Kind.UNSUBSCRIBE, "opt-out"), ("not-spam", Kind.OTHER, "not-spam"),
    ("auth-failure", Kind.OTHER, "auth-failure-report"), ("news", Kind.OTHER, "plain-mail"),
    ("", Kind.OTHER, "plain-mail")])
def test_a_complaint_is_what_its_feedback_type_says(feedback, kind, reason):
    found = only(COMPLAINT.format(kind="report", feedback=feedback, copy=the_copy()))
    assert (found.kind, found.reason, found.tokens) == (kind, reason, (SENT, TOKEN))


def test_a_complaint_that_a_person_passes_on_is_a_letter():
    assert only(COMPLAINT.format(kind="mixed", feedback="abuse", copy=the_copy())).kind is Kind.OTHER


# ------------------------------------------------------------------ reports for machines

def test_a_report_gives_back_what_was_ours():
    found = only(a_report(a_fate(), copy=the_copy(), to=f"bounce+{SENT.upper()}@mail.example.org"))
    assert found == Feedback(
        kind=Kind.HARD, reason="user-unknown", recipient="ada@example.org", status="5.1.1",
        said="550 5.1.1 no such user", message_id=f"daily-2026-11-21.{SENT}@example.org", delivery=SENT,
        tokens=(SENT, TOKEN), event="1@mx.example.net")


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_address_of_the_envelope_names_the_mail(header):
    named = f"{header}: bounce+{SENT}@mail.example.org\nTo: x@"
    mail = a_report(a_fate()).replace(b"To: digest@", named.encode())
    assert only(mail).tokens == (SENT,)


@pytest.mark.parametrize(("changed", "recipient", "original"), [
    ({"Original_Recipient": "rfc822; ada@work.example"}, "ada@example.org", "ada@work.example"),
    ({"Original_Recipient": "rfc822;ada@example.org"}, "ada@example.org", ""),
    ({"Final_Recipient": "", "Original_Recipient": "rfc822;ada@example.org"}, "ada@example.org", ""),
    ({"Original_Recipient": "rfc822; ada+2Bnews@example.org"}, "ada@example.org", "ada+news@example.org"),
    ({"Original_Recipient": "rfc822; ada+40work.example"}, "ada@example.org", "ada@work.example"),
    ({"Final_Recipient": "RFC822;<Ada@EXAMPLE.ORG.> (her mailbox)"}, "Ada@example.org", "ada@example.org"),
    ({"Final_Recipient": "ada@example.net"}, "ada@example.net", "ada@example.org"),
    ({"Final_Recipient": 'rfc822; "a l"@example.net'}, '"a l"@example.net', "ada@example.org"),
    ({"Final_Recipient": "x400; /C=KR/O=none/"}, "ada@example.org", ""),
])
def test_a_report_names_who_was_mailed_and_where_it_ended(changed, recipient, original):
    found = only(a_report(a_fate(**changed), copy=the_copy()))
    assert (found.recipient, found.original) == (recipient, original)


@pytest.mark.parametrize("encoding", ["7bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("recipient", ["utf-8; 아다@example.org", r"UTF-8; \x{C544}\x{B2E4}@example.org"])
def test_a_report_on_an_address_beyond_ascii_is_read(encoding, recipient):
    found = only(a_report(a_fate(Final_Recipient=recipient, Diagnostic_Code="smtp; 550 5.1.1 없는 사용자"),
                          kind="message/global-delivery-status", encoding=encoding))
    assert (found.recipient, found.said) == ("아다@example.org", "550 5.1.1 없는 사용자")


@pytest.mark.parametrize(("changed", "kind", "reason"), [
    ({"Action": "delayed"}, Kind.SOFT, "delayed"),
    ({"Action": "Failed (given up)"}, Kind.HARD, "user-unknown"),
    ({"Action": "delivered", "Status": "2.0.0", "Diagnostic_Code": ""}, Kind.OTHER, "delivered"),
    ({"Action": "relayed", "Status": "2.0.0"}, Kind.OTHER, "delivered"),
    ({"Action": "", "Status": "2.1.5"}, Kind.OTHER, "delivered"),
    ({"Action": "undeliverable"}, Kind.HARD, "user-unknown"),
    ({"Status": "4.2.1", "Diagnostic_Code": ""}, Kind.SOFT, "expired"),
    ({"Status": "5.0.0 (User unknown)", "Diagnostic_Code": ""}, Kind.HARD, "user-unknown"),
    ({"Status": "5.1.1", "Diagnostic_Code": "smtp; 550 5.7.1 blocked, see our policy"}, Kind.SOFT, "policy"),
    ({"Status": "5.1.1", "Diagnostic_Code": "smtp; 552 5.2.2 mailbox full"}, Kind.SOFT, "mailbox-full"),
    ({"Status": "nonsense", "Diagnostic_Code": ""}, Kind.SOFT, "undetermined"),
])
def test_a_fate_is_judged_by_all_that_is_said_of_it(changed, kind, reason):
    found = only(a_report(a_fate(**changed)))
    assert (found.kind, found.reason) == (kind, reason)


def test_recipients_run_together_are_told_apart():
    report = a_report(a_fate() + "\n" + a_fate(Final_Recipient="rfc822; bob@example.org", Status="5.2.2"))
    assert [(one.recipient, one.status) for one in read(report)] == [("ada@example.org", "5.1.1"),
                                                                     ("bob@example.org", "5.2.2")]


@pytest.mark.parametrize("damage", [
    lambda mail: mail.replace(b'boundary="b"', b'boundary="lost"'),
    lambda mail: mail.replace(b'; boundary="b"', b""),
    lambda mail: mail.replace(b"\n", b"\r\n"),
    lambda mail: mail.replace(b"\n", b"\r"),
    lambda mail: mail.replace(b"--b\n", b"  --b \n"),
    lambda mail: mail.partition(b"\n--b\nContent-Type: message/rfc822")[0],
    lambda mail: b"From MAILER-DAEMON Sat Nov 21 10:00:00 2026\n" + mail,
])
def test_a_report_is_read_as_gateways_leave_it(damage):
    assert only(damage(a_report(a_fate()))).status == "5.1.1"


# ------------------------------------------------------------------ reports for people

@pytest.mark.parametrize("marker", [
    "--- Below this line is a copy of the message.", "----- Original message -----", "----- 원본 메일 -----",
    "------ This is a copy of the message, including all the headers. ------"])
def test_a_copy_below_a_notice_gives_back_what_was_ours(marker):
    text = f"Could not be delivered:\n\n<ada@example.org>:\nUser unknown\n\n{marker}\n\n{the_copy()}"
    found = only(a_notice(text))
    assert (found.kind, found.delivery, found.tokens) == (Kind.HARD, SENT, (SENT, TOKEN))


def test_a_quoted_printable_copy_keeps_its_tokens_whole():
    text = "Could not be delivered:\n<ada@example.org>: User unknown\n--- Original message ---\n\n"
    copy = the_copy().replace(TOKEN, f"{TOKEN[:9]}=\n{TOKEN[9:]}")
    assert TOKEN in only(a_notice(text + copy)).tokens


# Hand-made: no bounce by a Korean provider is in any public collection. To be replaced by real ones.
KOREAN = [
    ("존재하지 않는 사용자입니다.", Kind.HARD, "user-unknown"),
    ("받는 사람의 메일 주소가 존재하지 않습니다.", Kind.HARD, "user-unknown"),
    ("수신자를 찾을 수 없습니다.", Kind.HARD, "user-unknown"),
    ("없는 아이디이거나 탈퇴한 회원입니다.", Kind.HARD, "user-unknown"),
    ("550 5.1.1 존재하지 않는 메일 계정입니다.", Kind.HARD, "user-unknown"),
    ("존재하지 않는 도메인입니다.", Kind.HARD, "host-unknown"),
    ("수신자의 메일함 용량이 초과되었습니다.", Kind.SOFT, "mailbox-full"),
    ("받는 사람의 편지함이 가득 찼습니다.", Kind.SOFT, "mailbox-full"),
    ("휴면 상태의 계정입니다.", Kind.SOFT, "disabled"),
    ("장기 미사용으로 계정이 정지되었습니다.", Kind.SOFT, "disabled"),
    ("수신자가 수신 거부한 메일입니다.", Kind.SOFT, "policy"),
    ("스팸메일로 분류되어 차단되었습니다.", Kind.SOFT, "policy"),
    ("대량 메일 발송으로 일시적으로 제한되었습니다.", Kind.SOFT, "throttled"),
    ("첨부를 포함한 메일의 크기가 허용 한도를 초과하였습니다.", Kind.SOFT, "too-big"),
    ("상대 서버의 응답이 없습니다.", Kind.SOFT, "expired"),
    ("알 수 없는 오류로 메일을 전송할 수 없습니다.", Kind.SOFT, "undetermined"),
]


@pytest.mark.parametrize("charset", ["utf-8", "euc-kr", "cp949", "iso-2022-kr"])
@pytest.mark.parametrize(("why", "kind", "reason"), KOREAN)
def test_a_korean_notice_is_understood(why, kind, reason, charset):
    text = f"보내신 메일이 아래의 이유로 전송되지 못했습니다.\n\n받는 사람 : ada@example.org\n{why}\n"
    found = only(a_notice(text, charset=charset))
    assert (found.recipient, found.kind, found.reason) == ("ada@example.org", kind, reason)


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@naver.com", "postmaster@hanmail.net",
                                    "no-reply@hiworks.co.kr"])
def test_a_korean_notice_in_html_without_a_charset_is_understood(sender):
    page = ("<html><head><style>p { color: red }</style></head><body><h1>메일 전송 실패 안내</h1>"
            "<table><tr><td>수신자 메일 주소: &lt;<b>ada@example.org</b>&gt;</td></tr>"
            "<tr><td>존재하지 않는 계정입니다.</td></tr></table></body></html>")
    mail = f"From: {sender}\nContent-Type: text/html\n\n".encode() + page.encode("cp949")
    found = only(mail)
    assert (found.recipient, found.kind, found.reason) == ("ada@example.org", Kind.HARD, "user-unknown")
    assert found.said == "존재하지 않는 계정입니다."


@pytest.mark.parametrize(("charset", "text"), [
    ("gb2312", "邮件无法投递\n收件人：ada@example.org\n用户不存在"),
    ("iso-2022-jp", "送信できませんでした。\n宛先: ada@example.org\n宛先のメールアドレスが見つかりません。"),
    ("euc-jp", "送信できませんでした。\n宛先: ada@example.org\n宛先のメールアドレスが見つかりません。"),
    ("utf-8", "Your message could not be delivered.\nRecipient: ada@example.org\n550 No such user here"),
])
def test_a_notice_is_read_in_its_charset(charset, text):
    found = only(a_notice(text, charset=charset))
    assert (found.recipient, found.kind, found.reason) == ("ada@example.org", Kind.HARD, "user-unknown")


VERP = f"Return-Path: <>\nTo: bounce+{SENT}@mail.example.org\n"


def test_what_nobody_sends_to_the_envelope_address_is_a_bounce_in_unknown_words():
    found = only(a_notice("Pošta nebyla doručena.", headers=VERP))
    assert (found.kind, found.reason, found.tokens) == (Kind.SOFT, "undetermined", (SENT,))


@pytest.mark.parametrize("headers", ["Auto-Submitted: auto-replied\n", "Precedence: auto_reply\n",
                                     "X-Autoreply: yes\n"])
def test_a_vacation_reply_to_the_envelope_address_is_none(headers):
    found = only(a_notice("Jsem na dovolené.", sender="ada@example.org", headers=VERP + headers))
    assert (found.kind, found.recipient) == (Kind.AUTO_REPLY, "ada@example.org")


def test_a_letter_from_a_person_to_the_envelope_address_is_none():
    found = only(a_notice("Hello", sender="ada@example.org", headers=VERP.replace("<>", "<ada@example.org>")))
    assert found.kind is Kind.OTHER


@pytest.mark.parametrize("subject", [
    "Automatic reply: Yesterday", "Out of Office: x", "자동 응답: 어제의 글", "부재중입니다",
    "=?utf-8?b?7J6Q64+ZIO2ajOyLoA==?=", "Automatische Antwort: x"])
def test_an_auto_reply_is_known_by_its_subject(subject):
    assert only(a_notice("Text", sender="ada@example.org", subject=subject)).kind is Kind.AUTO_REPLY


# ------------------------------------------------------------------ what only looks like a bounce

QUOTED = "".join(f"> {line}\n" for line in (
    "Could not be delivered to one or more recipients:", "<ada@example.org>: 550 5.1.1 User unknown"))


@pytest.mark.parametrize("mail", [
    a_notice(f"What is this?\n\n{QUOTED}", sender="bob@example.org", headers=""),
    a_notice(f"What is this?\n\n{QUOTED}", sender="postmaster@example.org", headers="Return-Path: <a@b.c>\n"),
    a_notice(f"Is it this one?\n\nada@example.org\n\n{QUOTED}", sender="postmaster@example.org", headers=""),
    a_notice(QUOTED.replace("> ", ""), sender="bob@example.org", headers="Return-Path: <bob@example.org>\n"),
    b'From: bob@example.org\nContent-Type: multipart/mixed; boundary="f"\n\n--f\n\nLook:\n--f\n'
    b"Content-Type: message/rfc822\n\n" + a_report(a_fate()) + b"\n--f--\n",
    b'From: bob@example.org\nContent-Type: multipart/mixed; boundary="f"\n\n--f\n'
    + a_report(a_fate()).partition(b"<1@mx.example.net>\n")[2] + b"\n--f--\n",
    a_notice("Your parcel could not be delivered today.", sender="no-reply@parcels.example"),
], ids=["quotes", "postmaster quotes", "asks", "copies", "attaches", "includes", "parcel"])
def test_a_letter_that_holds_a_bounce_is_a_letter(mail):
    assert only(mail).kind is Kind.OTHER


# ------------------------------------------------------------------ hostile mails

def nested(levels: int) -> bytes:
    level = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    opening = b"".join(level % (number, number) for number in range(levels))
    return b"From: x@example.org\n" + opening + b"Content-Type: text/plain\n\nHello\n"


REPORT = a_report(a_fate(), copy=the_copy())
HOSTILE = {
    "nothing": b"",
    "a thousand levels": nested(1000),
    "ten megabytes of text": a_notice("Could not be delivered\n" + "ada@example.org: x\n" * 500_000),
    "ten megabytes on a line": a_notice("could not be delivered " + "a" * 10_000_000),
    "a header of a megabyte": b"X: " + b"a" * 1_000_000 + b"\n" + REPORT,
    "a folded header of a megabyte": b"X: a\n" + b" a\n" * 300_000 + REPORT,
    "a subject of encoded words": b"Subject: " + b"=?utf-8?b?" * 100_000 + b"\n\n",
    "a million boundaries": b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n" * 250_000,
    "an unknown charset": REPORT.replace(b"text/plain", b"text/plain; charset=punycode"),
    "a page of tags": b"Return-Path: <>\nContent-Type: text/html\n\n" + b"<br <" * 200_000,
    "a page of numbers": b"Return-Path: <>\nContent-Type: text/html\n\n&#" + b"9" * 900_000 + b";",
    "a report of recipients": a_report(*(a_fate(Final_Recipient=f"rfc822; a{number}@example.org")
                                         for number in range(9000))),
    "long diagnostics": a_report(*(a_fate(Status="5.5.0", Diagnostic_Code=f"{number} " + "user " * 1900)
                                   for number in range(100))),
    "a diagnostic of a megabyte": a_report(a_fate(Diagnostic_Code="smtp; 550 " + "user mailbox " * 80_000)),
    "a diagnostic of at signs": a_report(a_fate(Diagnostic_Code="smtp; 550 " + "@" * 900_000)),
    "recipients in a header": b"X-Failed-Recipients: " + b"a@b.c, " * 100_000 + b"\n\nUser unknown",
    "tokens": REPORT.replace(b"Body", f"{TOKEN}-".encode() * 30_000),
    "digits": a_notice("1" * 900_000 + "-" + "a" * 900_000),
    "blanks": a_notice("could not be delivered" + " " * 900_000 + "\n" + "\n" * 90_000),
    "escapes": b"Return-Path: <>\nContent-Type: text/plain\n\n" + b"\x1b$B" * 300_000,
    "json": b"x-amz-sns-message-id: 1\n\n{" + b'"a":[' * 150_000,
    "a number in json": b'x-amz-sns-message-id: 1\n\n{"a":' + b"9" * 9000 + b"}",
    "wrong json": b'x-amz-sns-message-id: 1\n\n{"eventType":"Bounce","bounce":{"bouncedRecipients":[1,{}]}}',
}


@pytest.mark.parametrize("mail", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_answered_soon_with_little(mail):
    begun = time.process_time()
    found = read(mail)
    assert time.process_time() - begun < 3
    assert 1 <= len(found) <= 50
    assert sum(len(text) for one in found for text in texts(one)) < 100_000


def texts(feedback: Feedback) -> list[str]:
    return [*feedback.tokens, *(value for value in astuple(feedback) if isinstance(value, str))]


def test_a_line_of_json_that_a_relay_has_folded_is_read_whole():
    mail = ('x-amz-sns-message-id: 1\n\n{"notificationType":"Bounce","bounce":{"bounceType":"Permanent",'
            '"feedb!\n ackId":"f1",'
            '"bouncedRecipients":[{"emailAddress":"ada@example.org","status":"5.1.1"}]},"mail":{"headers":['
            f'{{"name":"X-DevDigest-Delivery","value":"{SENT[:9]}!\n {SENT[9:]}"}}]}}}}\n\n--\nAmazon')
    assert only(mail) == Feedback(kind=Kind.HARD, reason="user-unknown", recipient="ada@example.org",
                                  status="5.1.1", permanent=True, event="f1", tokens=(SENT,))


PIECES = st.sampled_from([
    b"Return-Path: <>\n", b"From: MAILER-DAEMON@mx.example.net\n", b"To: bounce+%s@a.org\n" % SENT.encode(),
    b"Subject: unsubscribe\n", b"Auto-Submitted: auto-replied\n", b"X-Failed-Recipients: ada@example.org,\n",
    b"Content-Type: multipart/report; boundary=b\n", b"Content-Type: message/delivery-status\n", b"--b\n",
    b"Content-Type: message/feedback-report\n", b"Feedback-Type: abuse\n", b"--b--\n", b"\n", b"\r", b"\n\n",
    b"Content-Type: text/html; charset=euc-kr\n", b"Content-Transfer-Encoding: base64\n", b"\0", b"\x1b$B",
    b"Content-Transfer-Encoding: quoted-printable\n", b"=00=1B", b"=?utf-8?b?", b"\xb0\xa1",
    b"Final-Recipient: utf-8; \\x{D800}@example.org\n", b"Status: 5.1.1 (", b"Diagnostic-Code: ",
    b"could not be delivered\n", b"<ada@example.org>:\n", b"Action: failed\n",
    b"Original-Recipient: rfc822; \x07a\x00da@exam\x1bple.org\n", b"Message-ID: <\x00a\x1b@b>\n",
    b"Content-Type: message/rfc822\n", b"X-DevDigest-Delivery: \x0017\n", b"x-amz-sns-message-id: 1\n",
    b'{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"\\u0000a@\\ud800"}]}}'])


@settings(max_examples=300, deadline=1000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.binary(max_size=40), max_size=25).map(b"".join))
def test_whatever_comes_is_a_list_of_printable_feedback(mail):
    found = read(mail, (LEAVE,))
    assert found
    for one in found:
        assert one.reason in REASONS
        assert all(text.isprintable() for text in texts(one))
        assert all(len(text) <= 300 for text in texts(one))


LATIN = st.characters(codec="latin-1", exclude_characters="\r\n")
ANY = st.text(st.sampled_from("\0\x07\x1b\x85@;<>()") | LATIN, max_size=10)


@settings(max_examples=200, deadline=1000)
@given(ANY, ANY, ANY, ANY)
def test_nothing_unprintable_passes_from_any_field_of_a_report(name, host, said, given_id):
    fate = a_fate(Final_Recipient=f"rfc822; {name}a@{host}b.example", Original_Recipient=f"{name}@{host}",
                  Status=f"5.1.1 {said}", Diagnostic_Code=f"smtp; 550 {said}", Action=f"failed{said}")
    copy = f"To: {name}@{host}\nMessage-ID: <{given_id}@{host}>\nX-DevDigest-Delivery: {given_id}\n\n"
    for one in read(a_report(fate, copy=copy, charset="latin-1")):
        assert all(text.isprintable() for text in texts(one))


@settings(max_examples=100, deadline=1000)
@given(st.integers(0, len(REPORT)), st.integers(0, 200), st.binary(max_size=200))
def test_a_damaged_report_is_never_a_complaint_or_a_wish_to_leave(at, cut, put):
    damaged = REPORT[:at] + put + REPORT[at + cut:]
    assert {one.kind for one in read(damaged)} <= {Kind.HARD, Kind.SOFT, Kind.OTHER}


@settings(max_examples=25, deadline=3000, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="a@.:<>- \n5ㅏ가=?", min_size=1, max_size=20), st.sampled_from([100, 20_000]))
def test_no_repetition_takes_long(piece, times):
    begun = time.process_time()
    read(a_notice("could not be delivered\n" + piece * times))
    read(a_report(a_fate(Diagnostic_Code="smtp; " + (piece * times).replace("\n", "\n "))))
    assert time.process_time() - begun < 2
