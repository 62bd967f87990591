"""What the pages say, in Korean and in English side by side; what mails say too stands in wording.py.

Values are filled in by str.format. A word that one language lacks cannot be written here.
"""
from datetime import time

from devdigest.wording import WORDINGS

_LANGUAGES = ("ko", "en")

_WORDS: dict[str, tuple[str, str]] = {
    # every page
    "issues": ("지난 소식", "Issues"),
    "blogs": ("블로그", "Blogs"),
    "about": ("소개", "About"),
    "privacy": ("소개와 개인정보", "About and privacy"),
    "home": ("첫 페이지로", "To the front page"),
    "moment": ("{0.year}년 {0.month}월 {0.day}일 {0:%H:%M}", "{0.day} {0:%B %Y, %H:%M}"),
    "month": ("{0.year}년 {0.month}월", "{0:%B %Y}"),

    # the front page
    "headline": ("어제 올라온 개발\u00a0블로그\u00a0글을 하루\u00a0한\u00a0통으로.",
                 "Yesterday’s developer blog\u00a0posts, in\u00a0one\u00a0mail\u00a0a\u00a0day."),
    "lead": ("개발 블로그를 밤새 읽고 어제 올라온 글만 모아 매일 {}에 보내 드립니다. "
             "광고도, 추적도 없습니다.",
             "Developer blogs, read overnight; what was written yesterday, sent every day at {}. "
             "No advertising, no tracking."),
    "join": ("아직 신청 양식이 없어 운영자가 직접 등록해 드립니다.",
             "There is no sign-up form yet: the owner adds readers by hand."),
    "join_mail": ("받아 보시려면 메일을 보내 주세요:", "To become one, write to"),
    "readers": ("구독자", "Readers"),
    "yesterdays_posts": ("어제의 글", "Posts yesterday"),
    "collected": ("모아 둔 글", "Posts collected"),
    "newest": ("최근 소식", "Latest issue"),
    "whole_issue": ("{} 모두 보기 →", "The whole issue: {} →"),
    "all_issues": ("지난 소식 모두 보기 →", "All issues →"),
    "none_yet": ("아직 나온 소식이 없습니다. 첫 소식이 나오면 여기에 실립니다.",
                 "There is no issue yet. The first one will be shown here."),

    # issues
    "issue_of": ("{} 소식", "Issue of {}"),
    "empty": ("올라온 글이 없었습니다", "no posts"),
    "empty_text": ("그래서 메일도 보내지 않았습니다. 새 글이 올라오면 다음 날 {}에 보내 드립니다.",
                   "So no mail was sent. What is posted next comes the day after, at {}."),
    "closed": ("백업을 복원하느라 소식을 내지 않았습니다", "no issue, as a backup was restored"),
    "before": ("← 이전 소식", "← Previous"),
    "after": ("다음 소식 →", "Next →"),

    # subscriptions
    "leave": ("구독을 취소할까요?", "Unsubscribe?"),
    "leave_text": ("버튼을 누르시면 바로 취소되고, 더는 메일을 보내지 않습니다.",
                   "Press the button, and no further mail is sent to you."),
    "leave_button": ("구독 취소", "Unsubscribe"),
    "left": ("구독을 취소했습니다", "You are unsubscribed"),
    "left_text": ("더는 메일을 보내지 않습니다. 그동안 읽어 주셔서 고맙습니다.",
                  "No further mail is sent to you. Thank you for reading."),
    "undo": ("되돌리기", "Undo"),
    "undo_text": ("잘못 누르셨다면 한 시간 안에는 되돌릴 수 있습니다.",
                  "If that was a slip, you can undo it within an hour."),
    "manage": ("구독 설정", "Your subscription"),
    "is_pending": ("{0.year}년 {0.month}월 {0.day}일에 신청하셨습니다. "
                   "확인 메일의 버튼을 누르시면 시작됩니다.",
                   "Requested on {0.day} {0:%B %Y}. It begins once you press the button in the confirmation "
                   "mail."),
    "is_active": ("{0.year}년 {0.month}월 {0.day}일부터 받고 계십니다.",
                  "You have been a reader since {0.day} {0:%B %Y}."),
    "is_cancelled": ("{0.year}년 {0.month}월 {0.day}일에 취소하셨습니다.",
                     "You unsubscribed on {0.day} {0:%B %Y}."),
    "language": ("메일의 언어", "Language of your mails"),
    "save": ("저장", "Save"),
    "saved": ("저장했습니다. 다음 메일부터 적용됩니다.", "Saved. It counts from the next mail on."),
    "back": ("되돌렸습니다. 전처럼 보내 드립니다.", "Undone. You get your mails as before."),
    "no_such_link": ("쓸 수 없는 링크입니다", "This link does not work"),
    "no_such_link_text": ("주소가 잘렸거나 이미 지워진 구독입니다. 최근에 받으신 메일의 링크를 눌러 주세요.",
                          "It was cut off, or the subscription has been erased. Please use the link in your "
                          "latest mail."),
    "confirmed": ("구독을 시작했습니다", "Your subscription has begun"),
    "confirmed_text": ("첫 메일은 {}에 보내 드립니다. 메일은 {}부터 나갑니다.",
                       "Your first mail comes on {}. Mails go out from {}."),
    "no_such_confirmation": ("쓸 수 없는 확인 링크입니다", "This confirmation link does not work"),
    "no_such_confirmation_text": (
        "확인 링크는 48시간 동안 쓸 수 있습니다. 번거로우시겠지만 다시 신청해 주세요.",
        "Confirmation links work for 48 hours. Please ask to be added again."),

    # blogs
    "blogs_text": ("{}을 읽습니다. 이름을 누르면 최근 글이 어떻게 되었는지 나옵니다.",
                   "We read {}. Each name leads to what became of its latest posts."),
    "blogs_none": ("아직 등록된 블로그가 없습니다.", "There are no blogs on the list yet."),
    "unread": ("아직 읽지 않았습니다", "not read yet"),
    "read": ("{}에 읽었습니다", "read on {}"),
    "fine": ("잘 읽고 있습니다", "read without trouble"),
    "paused": ("지금은 읽지 않습니다", "not read at present"),
    "excluded": ("요청에 따라 목록에서 뺐습니다", "left out on request"),
    "excluded_text": ("더는 이 블로그를 읽지 않고, 글도 싣지 않습니다. "
                      "다시 싣기를 바라시면 운영자에게 알려 주세요.",
                      "It is not read, and none of its posts are shown. If it is yours and should be back, "
                      "please tell the owner."),
    "fault_slow": ("서버가 제때 답하지 않습니다", "the server did not answer in time"),
    "fault_tls": ("HTTPS 연결이나 인증서에 문제가 있습니다", "HTTPS or its certificate does not work"),
    "fault_host": ("도메인을 찾을 수 없습니다", "the domain name does not exist"),
    "fault_silent": ("서버에 연결할 수 없습니다", "the server cannot be reached"),
    "fault_gone": ("피드 주소에 아무것도 없습니다 (HTTP {})", "nothing is at the feed’s address (HTTP {})"),
    "fault_refused": ("서버가 요청을 거절합니다 (HTTP {})", "the server refuses our requests (HTTP {})"),
    "fault_busy": ("서버가 나중에 다시 요청하라고 합니다 (HTTP {})",
                   "the server asks us to come later (HTTP {})"),
    "fault_server": ("서버에 오류가 났습니다 (HTTP {})", "the server has an error (HTTP {})"),
    "fault_moved": ("피드가 없는 주소로 넘어갑니다 (HTTP {})", "it redirects, but to no feed (HTTP {})"),
    "fault_feed": ("RSS·Atom 피드가 아닌 내용이 옵니다", "what comes is no RSS or Atom feed"),
    "fault_big": ("피드가 너무 큽니다", "the feed is too big"),
    "site": ("블로그", "Blog"),
    "feed": ("피드", "Feed"),
    "state": ("상태", "State"),
    "fetched": ("마지막 요청", "Last request"),
    "last_read": ("마지막으로 읽음", "Last read"),
    "never": ("아직 없음", "never"),
    "reading_times": ("읽는 시각", "Read daily at"),
    "last_posts": ("최근 글", "Latest posts"),
    "no_posts": ("아직 찾은 글이 없습니다.", "No posts have been found yet."),
    "written_and_found": ("{} 작성 · {} 수집", "written on {} · found on {}"),
    "verdict_mailed": ("{} 소식에 실었습니다", "in the issue of {}"),
    "verdict_news": ("다음 소식에 싣습니다", "goes into the next issue"),
    "verdict_history": ("예전 글로 보고 보내지 않았습니다", "kept as an older post, not mailed"),
    "verdict_too_old": ("작성된 지 {}일이 넘어 발견되어 싣지 않았습니다",
                        "left out, as it was found more than {} days after its date"),
    "verdict_copy": ("이미 있는 글과 같아 따로 싣지 않습니다",
                     "the same as another post, which stands for both"),
    "verdict_held": ("여러 글이 한꺼번에 나타나 확인을 기다립니다. 사흘이 지나면 예전 글로 봅니다",
                     "waits for the owner’s look, as many came at once; after three days it counts as old"),
    "missing": ("글이 보이지 않나요?", "Is a post missing?"),
    "missing_text": ("위의 피드 주소를 열어 그 글이 있는지 봐 주세요. 거기 있으면 다음에 읽을 때 찾습니다. "
                     "피드 주소가 바뀌었다면 운영자에게 알려 주세요.",
                     "Please open the feed above and look for it there: what the feed has is found at the "
                     "next reading. If the feed has moved, please tell the owner."),

    # errors
    "error_400": ("알 수 없는 요청입니다", "That request makes no sense"),
    "error_400_text": ("이전 페이지로 돌아가 다시 해 주세요.", "Please go back and try again."),
    "error_403": ("열 수 없는 페이지입니다", "This page cannot be opened"),
    "error_403_text": ("첫 페이지에서 다시 찾아봐 주세요.", "Please start again from the front page."),
    "error_404": ("없는 페이지입니다", "There is no such page"),
    "error_404_text": ("주소가 바뀌었거나 잘못 적혔습니다.", "Its address has changed or was mistyped."),
    "error_405": ("여기서는 할 수 없는 일입니다", "That cannot be done here"),
    "error_405_text": ("이전 페이지로 돌아가 버튼을 눌러 주세요.",
                       "Please go back and press the button there."),
    "error_413": ("보내신 내용이 너무 큽니다", "That was too much"),
    "error_413_text": ("이 주소에서는 그만큼 받지 않습니다.", "This address does not take as much."),
    "error_500": ("문제가 생겼습니다", "Something went wrong"),
    "error_500_text": ("저희 잘못입니다. 잠시 뒤에 다시 열어 주세요.",
                       "The fault is ours. Please try again later."),
}


def say(language: str, name: str, *values: object) -> str:
    """The words `name` in a language, with `values` filled in; a time of day as mails tell it."""
    told = (WORDINGS[language].clock(value) if isinstance(value, time) else value for value in values)
    return _WORDS[name][_LANGUAGES.index(language)].format(*told)
