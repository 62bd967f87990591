"""What a refusal means for the address: one table over status codes and words, the gentlest reading first.

A status speaks of the address (X.1), its mailbox (X.2) or of neither (RFC 3463, 3); hosts disagree in its
use, so words count as well. In doubt nobody is called dead.
"""
import re
from functools import lru_cache
from typing import NamedTuple

from devdigest.feedback import Kind

_JUDGED = 1000          # characters of a diagnostic
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)")       # not a part of an IP address
_CODE = re.compile(r"(?<![\d.])[45]\d\d(?=[ \-#]|$)")
_ECHOED = re.compile(r"\S{0,300}(?:@|://)\S{0,300}")      # what was asked for, and links, are no reasons


class _Row(NamedTuple):
    status: str         # pattern that one of the codes fits whole; "" fits any mail
    words: str          # found anywhere in lower case, addresses and links left out; "" likewise
    kind: Kind
    reason: str


def _any(*patterns: str) -> str:
    return "|".join(patterns)


# English, Japanese, Chinese, Korean: a line or more each.
_OUR_QUOTA = r"(daily|sending|hourly)\b.{0,30}\bquota"
_FULL = _any(
    r"quota|full mailbox|(mailbox|inbox|mail ?folder)\b.{0,40}\b(full|exceed|limit|too large)",
    r"(insufficient|out of|not enough)\b.{0,20}\b(storage|disk|space)",
    r"(容量|メールボックス).{0,20}(超過|超え|一杯|いっぱい)",
    r"邮箱(空间)?已?满|容量不足|超出.{0,9}容量",
    r"(용량|편지함|메일함|사서함).{0,20}(초과|부족|가득|꽉)")
_TOO_BIG = _any(
    r"(message|mail|size)\b.{0,30}\b(too (big|large)|exceed.{0,30}(size|maximum|limit))",
    r"메일.{0,9}크기.{0,9}초과")
_UNPROVEN = _any(
    r"\b(dmarc|dkim|spf)\b|unauthenticated|not authenticated|authentication (level|required|fail)",
    r"인증.{0,9}실패")
_TOO_FAST = _any(
    r"rate.?limit|frequency limited|throttl|too (many|much|fast|frequent)|unexpected volume|gr[ae]y-?list",
    r"at a rate|too quickly|temporarily (deferred|blocked|limited)",
    r"发送频率|频率限制",
    r"(과다|대량|횟수|속도).{0,24}(제한|초과|차단)")
_UNWELCOME = _any(
    r"\bspam|polic(y|ies)|black-?list|block-?list|\bblocked\b|\breputation\b|virus|\brbl\b|not accepted for",
    r"(content|message) (was |is |has been )?(rejected|refused)",
    r"sender\b.{0,30}\b(reject|denied|refused|unknown|verif)",
    r"relay(ing)?\b.{0,20}\b(denied|prohibited|permitted)",
    r"垃圾邮件|拒收",
    r"스팸|정책|수신 ?(거부|차단)|차단")
_DISABLED = _any(
    r"\b(disabled|suspended|deactivated|dormant|locked|inactive|frozen)\b",
    r"利用停止",
    r"休眠|冻结|停用",
    r"(휴면|정지|잠긴|비활성).{0,9}(계정|메일|사용자|상태|회원)",
    r"(계정|메일함|아이디).{0,12}(휴면|정지|잠|비활성)")
_NO_HOST = _any(
    r"host( or domain( name)?)? (is )?(unknown|not found)|(unknown|no such|bad) (host|domain)|nxdomain",
    r"(host|domain)( name)?\b.{0,40}\b(not (be )?found|not exist|non-?existent)|null mx",
    r"域名.{0,9}(不存在|错误)",
    r"(도메인|호스트)[가이는은를을]? ?(존재하지 ?않|찾을 수 ?없|없)|(없|존재하지 ?않)는 (도메인|호스트)")
_NOBODY = _any(
    r"(user|recipient|address|account|mailbox|local part)( is)? unknown",
    r"(unknown|no such|invalid|bad|non-?existent|unrouteable|undeliverable) "
    r"(local.?part|user|recipient|address|account|mailbox|e?-?mail|person|destination|virtual)",
    r"(user|recipient|address|account|mailbox|e?-?mail|name|person)\b.{0,60}\b(not|[a-z]{2,6}n't) (be )?"
    r"(exist|found|known|recogni[sz]ed|listed|valid|have|local|a valid|hosted)",
    r"recip(ient)?notfound|(doesn't|not) have an? .{1,40} account|not our customer|no mailbox here",
    r"(あて先|宛先|ユーザ|アドレス).{0,30}(存在し|見つか|不明|ございません)",
    r"(用户|收件人|邮箱|帐号|账号|地址).{0,12}(不存在|无效|未找到)|(无此|没有此|找不到).{0,9}(用户|收件人|邮箱)",
    r"(존재하지 ?않는|(?<!수)(?<!수 )없는|잘못된|탈퇴한|해지된) ?(이?메일)? ?"
    r"(사용자|수신자|수신인|회원|계정|아이디|메일|주소|편지함)",
    r"(사용자|수신자|수신인|받는 ?사람|회원|계정|아이디|메일함|편지함|주소)[가이는은를을]? ?"
    r"(존재하지 ?않|찾을 수 ?없|없습니다|없음|탈퇴)")
_TOO_LATE = _any(
    r"retry time|time-?out|timed out|expired|queue too long|could not connect|connection refused",
    r"(시간|기간).{0,9}초과|응답.{0,9}없")
_UNREACHED = r"无法(发送|送达|投递)到您指定"       # final, though nothing is said of why

# The first row that fits decides.
_TABLE = (
    _Row("", r"suppression list", Kind.SOFT, "provider-suppressed"),        # the echo of an earlier bounce
    _Row("", _OUR_QUOTA, Kind.SOFT, "throttled"),
    _Row(r"[45]\.2\.2", "", Kind.SOFT, "mailbox-full"),
    _Row("", _FULL, Kind.SOFT, "mailbox-full"),
    _Row(r"[45]\.(2\.3|3\.4)", "", Kind.SOFT, "too-big"),
    _Row("", _TOO_BIG, Kind.SOFT, "too-big"),
    # us, not the reader: X.7 is policy and never makes an address dead, whatever else is said
    _Row(r"[45]\.7\.(2[0-7]|30|509|515)", "", Kind.SOFT, "auth-failure"),   # RFC 7372, Gmail, Outlook
    _Row("", _UNPROVEN, Kind.SOFT, "auth-failure"),
    _Row(r"4\.7\.\d+|4\.3\.2|5\.7\.28", "", Kind.SOFT, "throttled"),
    _Row("", _TOO_FAST, Kind.SOFT, "throttled"),
    _Row(r"5\.7\.\d+|[45]\.6\.\d+", "", Kind.SOFT, "policy"),
    _Row(r"5\.1\.[78]", "", Kind.SOFT, "policy"),                           # the sender's address
    _Row("", _UNWELCOME, Kind.SOFT, "policy"),
    # 4.y.z in a final report: tried until given up; Postfix says it of unknown users, too
    _Row(r"4\.1\.\d+", _NOBODY, Kind.HARD, "user-unknown"),
    _Row(r"4\.\d+\.\d+", "", Kind.SOFT, "expired"),
    # the address
    _Row(r"5\.1\.(1|6|10)", "", Kind.HARD, "user-unknown"),                 # none, moved; RFC 7505
    _Row(r"5\.(1\.2|4\.4)", "", Kind.HARD, "host-unknown"),
    _Row("", _NO_HOST, Kind.HARD, "host-unknown"),
    _Row("", _DISABLED, Kind.SOFT, "disabled"),
    _Row("", _NOBODY, Kind.HARD, "user-unknown"),
    _Row(r"5\.4\.1", r"recipient address rejected", Kind.HARD, "user-unknown"),      # Microsoft says it so
    _Row(r"5\.1\.[034]", "", Kind.HARD, "user-unknown"),
    _Row(r"5\.2\.1", "", Kind.SOFT, "disabled"),
    _Row("", _TOO_LATE, Kind.SOFT, "expired"),
    # what is left
    _Row(r"5\.0\.0", "", Kind.HARD, "rejected"),
    _Row(r"5\.\d+\.\d+", "", Kind.SOFT, "undetermined"),                    # network, system, protocol
    _Row("552", "", Kind.SOFT, "mailbox-full"),                             # RFC 5321, 4.2.3
    _Row("55[013]", "", Kind.HARD, "rejected"),
    _Row("", _UNREACHED, Kind.HARD, "undetermined"),
    _Row("", "", Kind.SOFT, "undetermined"),
)
_COMPILED = tuple((re.compile(row.status or ".*"), re.compile(row.words), row)
                  for row in _TABLE)


@lru_cache(maxsize=16)      # a report may say the same of a hundred recipients
def meaning(status: str, said: str) -> tuple[Kind, str]:
    """What a final refusal means, and why: a reason of feedback.REASONS. `status` may be ""."""
    said = said[:_JUDGED]
    codes = [status, *_STATUS.findall(said)]
    codes += [] if any(codes) else _CODE.findall(said)      # the bare code, where nothing better is said
    plain = " ".join(_ECHOED.sub(" ", said).lower().split())
    return next((row.kind, row.reason) for fits, words, row in _COMPILED
                if any(map(fits.fullmatch, codes)) and words.search(plain))


def status_in(said: str) -> str:
    """The first enhanced status code in `said`; "" where there is none."""
    found = _STATUS.search(said)
    return found[0] if found else ""


def from_code(said: str) -> str:
    """`said` from where a host's own reply begins, which is the part worth keeping."""
    found = _CODE.search(said)
    return said[found.start():] if found else said
