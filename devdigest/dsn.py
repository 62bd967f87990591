"""Mails to our bounce address → what became of our mails: bounces, complaints, requests to leave, other.

The tests stand in the order of read(), each sure of its kind of mail before it answers. Nothing is believed
here: whoever knows the address can write such a mail.
"""
import re
from collections.abc import Collection
from dataclasses import replace
from itertools import islice

from devdigest import bounce_notice, status_report, tokens
from devdigest.bounce_notice import Told, address
from devdigest.bounce_words import from_code, meaning, status_in
from devdigest.feedback import Feedback, Kind, one_line
from devdigest.mime import Mail, fields, opened, readable
from devdigest.returned import Returned, returned
from devdigest.ses_notice import notified

_MOST = 50              # recipients of one report; ours have one
_END = 300              # characters of a notice that are kept, where nothing is said of one recipient

_LEAVE = re.compile(rf"\s{{0,9}}(?:re:\s{{0,9}})?(?:unsubscribe|수신 ?거부|구독 ?(?:취소|해지))"
                    rf"[\s:]{{0,9}}({tokens.SHAPE})?\s{{0,9}}", re.IGNORECASE)
_MAILER = re.compile(r"[^@]{0,40}(?:mailer-?daemon|postmaster|no-?reply|mail-?(?:delivery|system))",
                     re.IGNORECASE)

# RFC 5965, 7.3. A report of the last kind is about our signatures (RFC 6591), not from a reader.
_COMPLAINTS = {"abuse": (Kind.COMPLAINT, "abuse"), "fraud": (Kind.COMPLAINT, "abuse"),
               "virus": (Kind.COMPLAINT, "abuse"), "opt-out": (Kind.UNSUBSCRIBE, "opt-out"),
               "opt-out-list": (Kind.UNSUBSCRIBE, "opt-out"), "not-spam": (Kind.OTHER, "not-spam"),
               "auth-failure": (Kind.OTHER, "auth-failure-report")}

_ANSWERS = re.compile(
    r"\s{0,9}(?:auto(?:matic|mated)?[ -]?(?:reply|respon)|out of (?:the )?office|automatische antwort|abwesen"
    r"|réponse automatique|自動(?:返信|応答)|自动(?:回复|答复)|자동 ?(?:응답|회신|답장)|부재)", re.IGNORECASE)
_AWAY = re.compile(
    r"\b(?:away|vacation|holidays?|travel(?:l?ing)?|out of (?:the )?office|on leave|returning)\b"
    r"|^automatic reply|abwesen|休暇|不在|休假|부재|휴가|출장", re.IGNORECASE)


def read(mail: bytes, unsubscribe: Collection[str] = ()) -> list[Feedback]:
    """One Feedback for each recipient that `mail` tells of, at least one; never raises.

    `unsubscribe`: our addresses to which List-Unsubscribe sends mails, without what is added after a `+`.
    """
    contents = opened(mail)
    ours = returned(contents)
    found = (_wish_to_leave(contents, unsubscribe) or _complaint(contents) or notified(contents)
             or _report(contents) or _notice(contents, ours) or _auto_reply(contents)
             or [Feedback(kind=Kind.OTHER, reason="plain-mail")])[:_MOST]
    event = one_line(contents.headers.first("message-id")).strip("<>")
    return [_identified(feedback, ours, event, alone=len(found) == 1) for feedback in found]


def _identified(feedback: Feedback, ours: Returned, event: str, *, alone: bool) -> Feedback:
    """With what of ours came back. Whom a copy was addressed to says nothing of one among several."""
    bounced = feedback.kind in (Kind.HARD, Kind.SOFT)
    original = feedback.original
    if not original and alone and (bounced or feedback.kind is Kind.COMPLAINT):
        original = ours.to
    recipient = feedback.recipient or (original if bounced else "")
    return replace(feedback, recipient=recipient, original="" if original == recipient else original,
                   said=one_line(feedback.said), event=one_line(feedback.event) or event,
                   message_id=ours.message_id, delivery=ours.delivery, tokens=ours.tokens)


def _wish_to_leave(mail: Mail, unsubscribe: Collection[str]) -> list[Feedback]:
    """First of all, since Apple Mail marks it auto-replied, and what a reader wants must not be filtered."""
    subject = readable(mail.headers.first("subject"))
    asked = _LEAVE.fullmatch(subject)
    known = {box.lower() for box in unsubscribe}
    ours = [box for box in _addressed(mail) if re.sub(r"\+[^@]*@", "@", box) in known]
    if (mail.headers.first("x-apple-unsubscribe").lower() == "true" or (asked and (asked[1] or ours))
            or (any("+" in box for box in ours) and not subject.strip() and not _unattended(mail))):
        return [Feedback(kind=Kind.UNSUBSCRIBE, reason="list-unsubscribe-mailto", recipient=_sender(mail))]
    return []


def _complaint(mail: Mail) -> list[Feedback]:
    """RFC 5965, only where the whole mail is a report: a person may forward one."""
    part = mail.part("message/feedback-report")
    if not part or mail.kind != "multipart/report":
        return []
    report = fields(part.text)
    said = f"{report.first('feedback-type')} {report.first('user-agent')}"
    kind, reason = _COMPLAINTS.get(said.lower().split(" ")[0], (Kind.OTHER, "plain-mail"))
    named = [*report.all("original-rcpt-to"), *report.all("removal-recipient")]
    recipients = list(dict.fromkeys(filter(None, map(address, named)))) if kind is not Kind.OTHER else []
    return [Feedback(kind=kind, reason=reason, recipient=one, said=said) for one in recipients or [""]]


def _report(mail: Mail) -> list[Feedback]:
    """RFC 3464, with the same care."""
    part = mail.part(*status_report.KINDS)
    if not part or not (mail.kind == "multipart/report" or _by_machine(mail)):
        return []
    return list(islice(status_report.fates(part.text), _MOST))


def _notice(mail: Mail, ours: Returned) -> list[Feedback]:
    """Nothing for machines: recipients in a header (Exim, Gmail), else in prose, else by our own envelope."""
    listed = mail.headers.first("x-failed-recipients").split(",")
    failed = list(dict.fromkeys(filter(None, map(address, listed))))
    if not failed and not _by_machine(mail):
        return []
    notice = bounce_notice.cut(mail.words)[0]
    whole = f"{readable(mail.headers.first('subject'))}\n{notice}"
    told = []
    if failed or bounce_notice.tells_of_failure(whole):
        told = bounce_notice.told(notice, failed) or [Told(ours.to, "", notice)] * bool(ours.to)
    if not told and _lost(mail, ours):
        told = [Told(ours.to, "", notice)]
    late = bounce_notice.is_warning(whole)
    return [_judged(one, ours.to, _sender(mail), late=late) for one in told[:_MOST]]


def _lost(mail: Mail, ours: Returned) -> bool:
    """To the envelope sender of one mail, from nobody: undelivered, in words that we do not know."""
    boxes = _addressed(mail)
    return (_from_nobody(mail) and not _answers(mail)
            and any(f"+{token}@" in box for token in ours.tokens for box in boxes))


def _judged(told: Told, to: str, reporter: str, *, late: bool) -> Feedback:
    kind, reason = meaning("", told.said)
    if reason == "undetermined":
        kind, reason = meaning("", told.of_all)
    if late:
        kind, reason = Kind.SOFT, "delayed"
    mailbox, _, host = told.recipient.rpartition("@")
    # a host's own name for the mailbox, to which nobody has ever written
    internal = host == reporter.rpartition("@")[2] and mailbox == to.rpartition("@")[0]
    return Feedback(kind=kind, reason=reason, recipient=to if internal else told.recipient,
                    status=status_in(told.said or told.of_all),
                    said=from_code(told.said) or told.of_all[-_END:])


def _auto_reply(mail: Mail) -> list[Feedback]:
    if not _answers(mail):
        return []
    words = f"{readable(mail.headers.first('subject'))}\n{bounce_notice.cut(mail.words)[0]}"
    reason = "vacation" if _AWAY.search(words) else "auto-response"
    return [Feedback(kind=Kind.AUTO_REPLY, reason=reason, recipient=_sender(mail))]


def _answers(mail: Mail) -> bool:
    """RFC 3834, 5; the older marks; Exchange's, which says so in the subject alone."""
    marks = mail.headers
    return (marks.first("auto-submitted").lower().startswith("auto-replied")
            or marks.first("precedence").lower() in ("auto_reply", "auto-reply")
            or any(marks.first(name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply"))
            or bool(_ANSWERS.match(readable(marks.first("subject")))))


def _unattended(mail: Mail) -> bool:
    return _by_machine(mail) or _answers(mail)


def _by_machine(mail: Mail) -> bool:
    return _from_nobody(mail) or bool(_MAILER.match(_sender(mail)))


def _from_nobody(mail: Mail) -> bool:
    """The empty return path of all reports (RFC 3464, 2), or what sendmail makes of it."""
    return any(path == "<>" or "mailer-daemon" in path.lower() for path in mail.headers.all("return-path"))


def _sender(mail: Mail) -> str:
    sender = mail.headers.first("from")
    return address(sender.rpartition("<")[2]) or address(sender)


def _addressed(mail: Mail) -> list[str]:
    """The boxes it came to, in lower case."""
    names = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
    values = [value for name in names for value in mail.headers.all(name)[:10]]
    boxes = [box for value in values for box in value.split(",")[:_MOST]]
    return [box.lower() for box in map(address, boxes) if box]
