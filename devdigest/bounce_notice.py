"""A bounce told in prose, as hosts without RFC 3464 tell it: which recipients, and what is said of each.

The patterns say no more than that; what it means for an address is the table's in bounce_words.
"""
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

_LINES = 500            # of a notice; the returned copy follows soon
_LINE = 400             # characters of one that may name a recipient
_LONGEST = 254          # RFC 5321, 4.5.3.1.3

# Letters of any script, as RFC 6531 has them; a quoted local part as RFC 5321 does.
_SIMPLE = r"""[^\s<>()\[\],:;@"'\\]{1,64}@[^\s<>()\[\],:;@"'\\]{1,253}"""
_ADDRESS = re.compile(rf"""{_SIMPLE}|"[^"\n\\]{{1,62}}"@[^\s<>()\[\],:;@"'\\]{{1,253}}""")

# Says that a mail did not arrive, or not yet: without such words nobody bounced.
_FAILED = re.compile("|".join((
    r"(could not|couldn't|can ?not|can't|(not|wasn't|un) ?able to|failed to) (be )?(deliver|reach|sen[dt])",
    r"(did|has|have) not (been )?(reach|deliver)|attempting to deliver|permanent (error|failure)|undeliver",
    r"fail(ed|ure)\b.{0,20}\b(permanently|reasons?|notice)|delivery\b.{0,60}\b(fail|delayed|problem|error)",
    r"returned (mail|message|to sender)|(mail|message) (system error|was rejected)|rejected by|bounced?\b",
    r"konnte nicht\b.{0,60}\bzugestellt|n'a pas pu être",
    r"エラー通知|(送信|配信|お?届け).{0,20}(できません|出来ません|られません)",
    r"无法.{0,9}(发送|送达|投递)|传输失败|退信|投递失败",
    r"(전송|발송|배달|전달|수신|송신).{0,20}(실패|되지|할 수 ?없|하지 못|못했|불가|지연)",
    r"반송|보내지 못")),
    re.IGNORECASE)
_DELAYED = re.compile(r"(has been|is|was) delayed|warning message only|will be retried|(still|keep) trying"
                      r"|not yet been delivered|지연되고|지연 ?안내|다시 ?시도할", re.IGNORECASE)
# Below such a line stands what we had sent. Not a mere rule: those part the notice itself.
_COPY_BELOW = re.compile(r"[\s>*=_-]{0,80}(" + "|".join((
    r"below (this line )?is a copy|this is a copy of|copy of (the|your) (original )?message",
    r"original message|returned message|bounced e-?mail|message header|the (header|text) of the original",
    r"元のメッセージ|附件中的内容是原",
    r"(원(본|래|문) ?(메일|메시지|편지)|보내신 메일) ?(내용|원문|사본)?[\s:=*-]{0,80}$")) + ")",
    re.IGNORECASE)

# A line that names a recipient: the address alone, before what is said of it, or after one of these words.
_LABEL = "|".join((
    r"(?:failed |original |target |final )?(?:e-?mail |mail )?(?:recipients?|address(?:es)?)",
    r"could not be delivered to|宛先|收件人",
    r"받는 ?(?:사람|이|분)|수신(?:자|인|처)?(?: ?(?:메일|이메일))?(?: ?주소)?|(?:메일|이메일) ?주소"))
_NAMES = re.compile(rf"[\s*·-]{{0,20}}(?:(?:{_LABEL})\s{{0,5}}[:：]?\s{{0,5}})?<?({_SIMPLE})>?"
                    r"(?=\s*$|\s*[:：(]|\s+on\s)", re.IGNORECASE)


@dataclass(frozen=True)
class Told:
    """What a notice says of one recipient."""
    recipient: str
    said: str           # of this one; "" where nothing is said but of all
    of_all: str         # what is said before the first is named


def cut(words: str) -> tuple[str, str]:
    """(the notice, the copy of our mail below it); lines that a human being quotes are left out."""
    lines = words.split("\n")
    below = (number for number, line in enumerate(islice(lines, _LINES)) if _COPY_BELOW.match(line[:_LINE]))
    end = next(below, _LINES)
    notice = (line for line in lines[:end] if not line.lstrip().startswith(">"))
    return "\n".join(line[:_LINE] for line in notice), "\n".join(lines[end + 1:])


def tells_of_failure(text: str) -> bool:
    return bool(_FAILED.search(" ".join(text.split())))


def is_warning(text: str) -> bool:
    """Whether the mail is still on its way."""
    return bool(_DELAYED.search(" ".join(text.split())))


def told(notice: str, failed: Sequence[str] = ()) -> list[Told]:
    """Each recipient once, in order: those that are `failed`, where this is known, else those named."""
    of_all: list[str] = []
    sections: dict[str, list[str]] = {}
    section = of_all
    for line in notice.split("\n"):
        name = _NAMES.match(line)
        recipient = address(name[1]) if name else ""
        if name and recipient and (not failed or recipient in failed):
            section = sections.setdefault(recipient, [])
            line = line[name.end():]
        section.append(line)
    return [Told(recipient, "\n".join(sections.get(recipient, [])).strip(" :\n#*=_-"), "\n".join(of_all))
            for recipient in failed or sections]


def address(text: str) -> str:
    """The first address in `text`, its domain in lower case; "" where there is none that can be shown."""
    found = _ADDRESS.search(text[:1000])
    local, _, domain = found[0].rpartition("@") if found else ("", "", "")
    whole = f"{local}@{domain.rstrip('.').lower()}"
    return whole if found and len(whole) <= _LONGEST and whole.isprintable() else ""
