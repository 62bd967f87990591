"""What a mail says in Korean and in English, and how each writes a number, a day or a time.

Words only: no markup, no setting, no clock. A language that lacks a word fails at import.
"""
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What a mail that someone asked for on a page says."""
    subject: Callable[[str], str]                   # site
    headline: str
    asked: Callable[[str, str, datetime], str]      # address, site, when
    promise: Callable[[time], str]                  # what the button does; time of day of an issue
    button: str
    expiry: str
    ignore: str                                     # for who did not ask


@dataclass(frozen=True, kw_only=True)
class Wording:
    code: str                                       # as in `lang` and Content-Language (RFC 5646)
    sections: dict[str, str]                        # heading by group, of what was found late, of the weekly
    day: Callable[[date], str]                      # with its weekday
    short_day: Callable[[date], str]
    span: Callable[[date, date], str]               # first and last day
    clock: Callable[[time], str]
    minutes: Callable[[int], str]
    size: Callable[[int], str]                      # of an issue, in posts
    posts: Callable[[int], str]                     # begins the subject, ends the headline
    blogs: Callable[[int], str]
    readers: Callable[[int], str]                   # who opened a post
    most_read: Callable[[int], str]                 # ends the headline of a weekly issue
    last_week: str                                  # before that, in the subject
    no_title: str
    read_on_web: str
    fold: Callable[[str, int], str]                 # blog, further posts of it
    rest: Callable[[int], str]
    lacks: Callable[[int, int], str]                # blogs on the list, of these read
    sent: Callable[[str, str, time], str]           # address, `since`, time of day
    sent_weekly: Callable[[str, str, time], str]
    since: Callable[[date | None], str]             # goes on after the address
    manage: str
    unsubscribe: str
    where: str
    privacy: str
    blog_list: str
    contact: str
    confirm: Notice
    account: Notice
    move: Notice
    no_button: str
    asked_from: Callable[[str], str]                # the part of an IP address that is told


_WEEKDAYS_KO = ("월", "화", "수", "목", "금", "토", "일")
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS_EN = ("January", "February", "March", "April", "May", "June",
              "July", "August", "September", "October", "November", "December")


def _day_ko(day: date) -> str:
    return f"{day.month}월 {day.day}일"


def _span_ko(first: date, last: date) -> str:
    return f"{_day_ko(first)}부터 {f'{last.day}일' if first.month == last.month else _day_ko(last)}까지"


def _clock_ko(clock: time) -> str:
    half = "오전" if clock.hour < 12 else "오후"
    return f"{half} {clock.hour % 12 or 12}시" + (f" {clock.minute}분" if clock.minute else "")


def _moment_ko(moment: datetime) -> str:
    return f"{_day_ko(moment)} {_clock_ko(moment.time())}"


def _moment_en(moment: datetime) -> str:
    return f"{_day_en(moment)} at {_clock_en(moment.time())}"


def _clock_en(clock: time) -> str:
    return f"{clock:%H:%M}"


def _day_en(day: date) -> str:
    return f"{day.day} {_MONTHS_EN[day.month - 1]}"


def _span_en(first: date, last: date) -> str:
    return f"{first.day if first.month == last.month else _day_en(first)} to {_day_en(last)}"


def _count_en(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


KOREAN = Wording(
    code="ko",
    sections={"team": "팀 블로그", "people": "개인 블로그", "overseas": "해외 블로그",
              "late": "늦게 찾은 글", "weekly": "열어 본 독자가 많은 순서"},
    day=lambda day: f"{_day_ko(day)} {_WEEKDAYS_KO[day.weekday()]}요일",
    short_day=_day_ko,
    span=_span_ko,
    clock=_clock_ko,
    minutes=lambda minutes: f"{minutes}분",
    size=lambda count: f"글 {count:,}편",
    posts=lambda count: f"개발 블로그 글 {count:,}편",
    blogs=lambda count: f"블로그 {count:,}곳",
    readers=lambda count: f"독자\u00a0{count:,}명",
    most_read=lambda count: f"많이 읽은 글 {count:,}편",
    last_week="지난주",
    no_title="(제목 없음)",
    read_on_web="웹에서 보기",
    fold=lambda blog, more: f"{blog}의 글 {more:,}편 더 보기",
    rest=lambda more: f"웹에서 {more:,}편 더 보기",
    lacks=lambda blogs, reached: f"블로그 {blogs:,}곳 가운데 {reached:,}곳만 읽을 수 있었습니다. "
                                  f"빠진 글은 찾는 대로 보내 드립니다.",
    sent=lambda to, since, clock: f"{to}{since} 매일 {_clock_ko(clock)}에 보내 드립니다.",
    sent_weekly=lambda to, since, clock: f"{to}{since} 매주 월요일 {_clock_ko(clock)}에 보내 드립니다.",
    since=lambda day: f" 님이 {day.year}년 {_day_ko(day)}에 신청하셔서" if day else " 님께",
    manage="설정 바꾸기",
    unsubscribe="구독 취소",
    where="내 블로그 글이 왜 없나요?",
    privacy="개인정보",
    blog_list="블로그 목록",
    contact="문의",
    confirm=Notice(
        subject=lambda site: f"{site} 구독을 확인해 주세요",
        headline="구독을 확인해 주세요",
        asked=lambda to, site, asked: f"{_moment_ko(asked)}, {to} 주소로 {site} 구독 신청이 들어왔습니다.",
        promise=lambda clock: f"확인해 주시면 전날 올라온 개발 블로그 글을 매일 {_clock_ko(clock)}에 "
                              f"보내 드립니다.",
        button="구독 시작하기",
        expiry="이 링크는 48시간 동안 쓸 수 있습니다.",
        ignore="신청하지 않으셨다면 이 메일은 무시하셔도 됩니다. 더는 메일을 보내지 않습니다."),
    account=Notice(
        subject=lambda site: f"{site} 내 정보를 여는 링크입니다",
        headline="내 정보를 여는 링크입니다",
        asked=lambda to, site, asked: f"{_moment_ko(asked)}, {site}에서 요청하셨습니다.",
        promise=lambda clock: "받는 주소를 바꾸거나, 저장된 정보를 내려받거나 모두 지울 수 있습니다.",
        button="내 정보 열기",
        expiry="이 링크는 1시간 동안 쓸 수 있습니다. 다른 사람에게 전달하지 마세요.",
        ignore="요청하지 않으셨다면 이 메일은 무시하셔도 됩니다. 아무것도 바뀌지 않습니다."),
    move=Notice(
        subject=lambda site: f"{site} 메일을 받을 새 주소를 확인해 주세요",
        headline="새 주소를 확인해 주세요",
        asked=lambda to, site, asked: f"{_moment_ko(asked)}, {site} 메일을 {to} 주소로 받겠다는 요청이 "
                                      f"들어왔습니다.",
        promise=lambda clock: "확인해 주시면 다음 메일부터 이 주소로 보내 드립니다.",
        button="이 주소로 받기",
        expiry="이 링크는 48시간 동안 쓸 수 있습니다.",
        ignore="요청하지 않으셨다면 이 메일은 무시하셔도 됩니다. 더는 메일을 보내지 않습니다."),
    no_button="버튼이 눌리지 않으면 아래 주소를 열어 주세요.",
    asked_from=lambda address: f"신청이 들어온 IP 주소: {address}",
)

ENGLISH = Wording(
    code="en",
    sections={"team": "Team blogs", "people": "Personal blogs", "overseas": "International blogs",
              "late": "Found late", "weekly": "By number of readers"},
    day=lambda day: f"{_WEEKDAYS_EN[day.weekday()]}, {_day_en(day)}",
    short_day=_day_en,
    span=_span_en,
    clock=_clock_en,
    minutes=lambda minutes: f"{minutes} min",
    size=lambda count: _count_en(count, "post", "posts"),
    posts=lambda count: _count_en(count, "developer blog post", "developer blog posts"),
    blogs=lambda count: _count_en(count, "blog", "blogs"),
    readers=lambda count: _count_en(count, "reader", "readers").replace(" ", "\u00a0"),
    most_read=lambda count: f"{count:,} most read posts" if count > 1 else "most read post",
    last_week="Last week’s",
    no_title="(no title)",
    read_on_web="Read on the web",
    fold=lambda blog, more: f"{more:,} more from {blog}",
    rest=lambda more: f"{more:,} more on the web",
    lacks=lambda blogs, reached: f"Only {reached:,} of {_count_en(blogs, 'blog', 'blogs')} could be read. "
                                  f"What is missing will follow as soon as it is found.",
    sent=lambda to, since, clock: f"Sent every day at {_clock_en(clock)} because {to}{since}.",
    sent_weekly=lambda to, since, clock: f"Sent every Monday at {_clock_en(clock)} because {to}{since}.",
    since=lambda day: f" signed up on {_day_en(day)} {day.year}" if day else " is subscribed",
    manage="Change settings",
    unsubscribe="Unsubscribe",
    where="Where is my blog’s post?",
    privacy="Privacy",
    blog_list="List of blogs",
    contact="Contact",
    confirm=Notice(
        subject=lambda site: f"Please confirm your subscription to {site}",
        headline="Please confirm your subscription",
        asked=lambda to, site, asked: f"On {_moment_en(asked)}, someone asked for {site} to be sent to {to}.",
        promise=lambda clock: f"Once you confirm, yesterday’s developer blog posts will come every day at "
                              f"{_clock_en(clock)}.",
        button="Start my subscription",
        expiry="The link is good for 48 hours.",
        ignore="If it was not you, ignore this mail. You will not hear from us again."),
    account=Notice(
        subject=lambda site: f"The link to your data at {site}",
        headline="Here is the link to your data",
        asked=lambda to, site, asked: f"You asked {site} for this link on {_moment_en(asked)}.",
        promise=lambda clock: "It lets you change your address, download what we keep about you, or erase "
                              "all of it.",
        button="Open my data",
        expiry="The link is good for one hour. Please do not pass it on.",
        ignore="If it was not you, ignore this mail. Nothing will change."),
    move=Notice(
        subject=lambda site: f"Please confirm your new address for {site}",
        headline="Please confirm your new address",
        asked=lambda to, site, asked: f"On {_moment_en(asked)}, a reader of {site} asked to get it at {to} "
                                      f"from now on.",
        promise=lambda clock: "Once you confirm, the next mail comes to this address.",
        button="Use this address",
        expiry="The link is good for 48 hours.",
        ignore="If it was not you, ignore this mail. You will not hear from us again."),
    no_button="If the button does not work, open this address.",
    asked_from=lambda address: f"IP address of the request: {address}",
)

WORDINGS = {wording.code: wording for wording in (KOREAN, ENGLISH)}
