"""What mails to the owner say in Korean and in English. Facts and cures are `check`'s words, in English."""
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from devdigest.wording import ENGLISH, KOREAN


@dataclass(frozen=True, kw_only=True)
class OwnerWording:
    trouble_subject: Callable[[list[str]], str]     # names
    trouble_headline: Callable[[int], str]
    trouble_lead: str
    still: str                                      # headings
    over: str
    since: Callable[[datetime], str]
    until: Callable[[datetime, datetime], str]
    trouble_end: str
    week: Callable[[date, date], str]               # first and last day
    well: str                                       # headlines of the summary
    wants: Callable[[int], str]
    numbers: str                                    # headings of the summary
    hands: str
    issues: str                                     # labels, each with what is said of it
    issues_made: Callable[[int, int], str]          # made, of these without posts
    posts: str
    posts_mailed: Callable[[int], str]
    mails: str
    mails_ended: Callable[[int, int, int], str]     # sent, refused, given up
    readers: str
    readers_now: Callable[[int, int, int], str]     # now, new, lost
    blogs: str
    blogs_failing: Callable[[int, int, int], str]   # on the list, failing, of these since this week
    disk: str
    disk_free: Callable[[str], str]
    backup: str
    backup_made: Callable[[datetime], str]
    backup_never: str
    power: str
    power_well: str
    troubles: str
    no_troubles: str
    hints: str                                      # before the names of what is not quite right
    preview: str                                    # before the subject, and alone in the bar
    preview_goes: Callable[[time, int], str]        # time of the issue, readers
    preview_hold: str
    preview_end: str


def _moment_ko(moment: datetime) -> str:
    return f"{KOREAN.short_day(moment.date())} {KOREAN.clock(moment.time())}"


def _moment_en(moment: datetime) -> str:
    return f"{ENGLISH.short_day(moment.date())}, {ENGLISH.clock(moment.time())}"


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _some(*told: str) -> str:
    return ", ".join(filter(None, told))


KO = OwnerWording(
    trouble_subject=lambda names: f"확인이 필요합니다: {', '.join(names)}",
    trouble_headline=lambda count: "확인이 필요한 일이 있습니다" if count == 1
                                   else f"확인이 필요한 일이 {count}가지 있습니다",
    trouble_lead="15분 넘게 그대로인 문제만 알려 드립니다.",
    still="아직 그대로인 일",
    over="해결된 일",
    since=lambda moment: f"{_moment_ko(moment)}부터",
    until=lambda since, over: f"{_moment_ko(since)}부터 {_moment_ko(over)}까지",
    trouble_end="같은 일로는 일주일 안에 다시 메일을 보내지 않습니다. "
                "지금 상태는 sudo devdigest check로 볼 수 있습니다.",
    week=lambda first, last: KOREAN.span(first, last).replace("부터", " –").replace("까지", ""),
    well="지난주는 아무 문제 없었습니다",
    wants=lambda count: f"살펴볼 일이 {count}가지 있습니다",
    numbers="지난주",
    hands="살펴볼 일",
    issues="발행",
    issues_made=lambda made, empty: _some(f"{made}회", f"글 없는 날 {empty}일" if empty else ""),
    posts="글",
    posts_mailed=lambda count: f"{count:,}편",
    mails="메일",
    mails_ended=lambda sent, refused, given_up: _some(
        f"{sent:,}통 보냄", f"{refused:,}통 거절됨" if refused else "",
        f"{given_up:,}통 포기" if given_up else ""),
    readers="독자",
    readers_now=lambda now, new, lost: _some(f"{now:,}명", f"새로 {new:,}명" if new else "",
                                             f"떠남 {lost:,}명" if lost else ""),
    blogs="블로그",
    blogs_failing=lambda count, failing, new: _some(
        f"{count:,}곳", f"읽지 못하는 곳 {failing:,}곳" if failing else "",
        f"그중 지난주부터 {new:,}곳" if new else ""),
    disk="디스크",
    disk_free=lambda size: f"{size} 남음",
    backup="백업",
    backup_made=_moment_ko,
    backup_never="아직 없음",
    power="전원",
    power_well="이상 없음",
    troubles="문제",
    no_troubles="없음",
    hints="참고",
    preview="미리보기",
    preview_goes=lambda clock, readers: f"이대로라면 {KOREAN.clock(clock)}에 독자 {readers:,}명에게 "
                                        f"나갑니다. 그때까지 글이 더 들어올 수 있습니다.",
    preview_hold="발행 보류하기",
    preview_end="이 링크는 발행될 때까지 쓸 수 있습니다. 다른 사람에게 전달하지 마세요.",
)

EN = OwnerWording(
    trouble_subject=lambda names: f"Needs a hand: {', '.join(names)}",
    trouble_headline=lambda count: "Something needs a hand" if count == 1 else f"{count} things need a hand",
    trouble_lead="Only what stands for a quarter of an hour is told.",
    still="Still as it was",
    over="Over",
    since=lambda moment: f"since {_moment_en(moment)}",
    until=lambda since, over: f"from {_moment_en(since)} to {_moment_en(over)}",
    trouble_end="The same is not mailed again within a week. How it stands now: sudo devdigest check",
    week=lambda first, last: ENGLISH.span(first, last).replace(" to ", " – "),
    well="Last week all went well",
    wants=lambda count: "One thing wants a look" if count == 1 else f"{count} things want a look",
    numbers="Last week",
    hands="To look at",
    issues="Issues",
    issues_made=lambda made, empty: _some(f"{made} made", f"{_count(empty, 'day', 'days')} without posts"
                                                          if empty else ""),
    posts="Posts",
    posts_mailed=lambda count: f"{count:,}",
    mails="Mails",
    mails_ended=lambda sent, refused, given_up: _some(
        f"{sent:,} sent", f"{refused:,} refused" if refused else "",
        f"{given_up:,} given up" if given_up else ""),
    readers="Readers",
    readers_now=lambda now, new, lost: _some(f"{now:,}", f"{new:,} new" if new else "",
                                             f"{lost:,} lost" if lost else ""),
    blogs="Blogs",
    blogs_failing=lambda count, failing, new: _some(
        f"{count:,}", f"{failing:,} cannot be read" if failing else "",
        f"{new:,} of these since last week" if new else ""),
    disk="Disk",
    disk_free=lambda size: f"{size} free",
    backup="Backup",
    backup_made=_moment_en,
    backup_never="none yet",
    power="Power",
    power_well="well",
    troubles="Troubles",
    no_troubles="none",
    hints="Hints",
    preview="Preview",
    preview_goes=lambda clock, readers: f"As it stands this goes out at {ENGLISH.clock(clock)}, to "
                                        f"{_count(readers, 'reader', 'readers')}. Posts may be added until "
                                        f"then.",
    preview_hold="Hold this issue",
    preview_end="The link is good until the issue is out. Please do not pass it on.",
)

OWNER_WORDINGS = {"ko": KO, "en": EN}
