"""What a mail says in Korean and in English, and how each writes a number, a day or a time.

Words only: no markup, no setting, no clock. A language that lacks a word fails at import.
"""
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time


@dataclass(frozen=True, kw_only=True)
class Wording:
    code: str                                       # as in `lang` and Content-Language (RFC 5646)
    sections: dict[str, str]                        # heading by group, and of what was found late
    day: Callable[[date], str]                      # with its weekday
    short_day: Callable[[date], str]
    span: Callable[[date, date], str]               # first and last day
    clock: Callable[[time], str]
    minutes: Callable[[int], str]
    size: Callable[[int], str]                      # of an issue, in posts
    posts: Callable[[int], str]                     # begins the subject, ends the headline
    blogs: Callable[[int], str]
    no_title: str
    read_on_web: str
    fold: Callable[[str, int], str]                 # blog, further posts of it
    rest: Callable[[int], str]
    lacks: Callable[[int, int], str]                # blogs on the list, of these read
    sent: Callable[[str, str, time], str]           # address, `since`, time of day
    since: Callable[[date | None], str]             # goes on after the address
    manage: str
    unsubscribe: str
    where: str
    privacy: str
    blog_list: str
    contact: str
    confirm_subject: Callable[[str], str]           # site
    confirm_headline: str
    confirm_asked: Callable[[str, str, datetime], str]      # address, site, when
    confirm_promise: Callable[[time], str]
    confirm_button: str
    confirm_link: str
    confirm_expiry: str
    confirm_ignore: str


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
              "late": "늦게 찾은 글"},
    day=lambda day: f"{_day_ko(day)} {_WEEKDAYS_KO[day.weekday()]}요일",
    short_day=_day_ko,
    span=_span_ko,
    clock=_clock_ko,
    minutes=lambda minutes: f"{minutes}분",
    size=lambda count: f"글 {count:,}편",
    posts=lambda count: f"개발 블로그 글 {count:,}편",
    blogs=lambda count: f"블로그 {count:,}곳",
    no_title="(제목 없음)",
    read_on_web="웹에서 보기",
    fold=lambda blog, more: f"{blog}의 글 {more:,}편 더 보기",
    rest=lambda more: f"웹에서 {more:,}편 더 보기",
    lacks=lambda blogs, reached: f"블로그 {blogs:,}곳 가운데 {reached:,}곳만 읽을 수 있었습니다. "
                                  f"빠진 글은 찾는 대로 보내 드립니다.",
    sent=lambda to, since, clock: f"{to}{since} 매일 {_clock_ko(clock)}에 보내 드립니다.",
    since=lambda day: f" 님이 {day.year}년 {_day_ko(day)}에 신청하셔서" if day else " 님께",
    manage="설정 바꾸기",
    unsubscribe="구독 취소",
    where="내 블로그 글이 왜 없나요?",
    privacy="개인정보",
    blog_list="블로그 목록",
    contact="문의",
    confirm_subject=lambda site: f"{site} 구독을 확인해 주세요",
    confirm_headline="구독을 확인해 주세요",
    confirm_asked=lambda to, site, asked: f"{_day_ko(asked)} {_clock_ko(asked.time())}, "
                                          f"{to} 주소로 {site} 구독 신청이 들어왔습니다.",
    confirm_promise=lambda clock: f"확인해 주시면 전날 올라온 개발 블로그 글을 "
                                  f"매일 {_clock_ko(clock)}에 보내 드립니다.",
    confirm_button="구독 시작하기",
    confirm_link="버튼이 눌리지 않으면 아래 주소를 열어 주세요.",
    confirm_expiry="이 링크는 48시간 동안 쓸 수 있습니다.",
    confirm_ignore="신청하지 않으셨다면 이 메일은 무시하셔도 됩니다. 더는 메일을 보내지 않습니다.",
)

ENGLISH = Wording(
    code="en",
    sections={"team": "Team blogs", "people": "Personal blogs", "overseas": "International blogs",
              "late": "Found late"},
    day=lambda day: f"{_WEEKDAYS_EN[day.weekday()]}, {_day_en(day)}",
    short_day=_day_en,
    span=_span_en,
    clock=_clock_en,
    minutes=lambda minutes: f"{minutes} min",
    size=lambda count: _count_en(count, "post", "posts"),
    posts=lambda count: _count_en(count, "developer blog post", "developer blog posts"),
    blogs=lambda count: _count_en(count, "blog", "blogs"),
    no_title="(no title)",
    read_on_web="Read on the web",
    fold=lambda blog, more: f"{more:,} more from {blog}",
    rest=lambda more: f"{more:,} more on the web",
    lacks=lambda blogs, reached: f"Only {reached:,} of {_count_en(blogs, 'blog', 'blogs')} could be read. "
                                  f"What is missing will follow as soon as it is found.",
    sent=lambda to, since, clock: f"Sent every day at {_clock_en(clock)} because {to}{since}.",
    since=lambda day: f" signed up on {_day_en(day)} {day.year}" if day else " is subscribed",
    manage="Change settings",
    unsubscribe="Unsubscribe",
    where="Where is my blog’s post?",
    privacy="Privacy",
    blog_list="List of blogs",
    contact="Contact",
    confirm_subject=lambda site: f"Please confirm your subscription to {site}",
    confirm_headline="Please confirm your subscription",
    confirm_asked=lambda to, site, asked: f"On {_day_en(asked)} at {_clock_en(asked.time())}, someone "
                                          f"asked for {site} to be sent to {to}.",
    confirm_promise=lambda clock: f"Once you confirm, yesterday’s developer blog posts will come every day "
                                  f"at {_clock_en(clock)}.",
    confirm_button="Start my subscription",
    confirm_link="If the button does not work, open this address.",
    confirm_expiry="The link is good for 48 hours.",
    confirm_ignore="If it was not you, ignore this mail. You will not hear from us again.",
)

WORDINGS = {wording.code: wording for wording in (KOREAN, ENGLISH)}
