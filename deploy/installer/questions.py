"""The eight questions: Enter takes the bracket, `?` explains; an answer is tried before the next is asked."""
import getpass
import socket
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, replace

from installer import acceptance, ddns, relay_trial, sender, settings, tell
from installer.answers import Answers, first_of
from installer.settings import MAILDIR
from installer.tell import FAIL, OK, WARN, Refused

_OF = 8
_DDNS_CURE = "type it again; or none to go on without, and --reconfigure later"


class Terminal:
    """The owner's; tests give another one."""

    def ask(self, prompt: str) -> str:
        return input(prompt).strip()

    def ask_unseen(self, prompt: str) -> str:
        return getpass.getpass(prompt)


class Dialogue:
    """Holds the questions; `password` and `secret` are what was typed unseen, or known before."""

    def __init__(self, terminal: Terminal, known: Answers, found: Mapping[str, str], password: str,
                 secret: str) -> None:
        self._terminal, self._found = terminal, dict(found)
        self._answers = known
        self.password, self.secret = password, secret

    def hold(self) -> Answers:
        """All answers, once the owner said go. Raises EOFError, KeyboardInterrupt: nothing is done."""
        print("Enter takes what stands in [brackets], ? explains, Ctrl-C ends without a change.")
        for question in (self._sender, self._relay, self._login, self._name, self._ddns, self._owner,
                         self._blogs):
            question()
        return self._summary()

    def _sender(self) -> None:
        self._take(1, "sender", "Address the digest is sent from",
                   "On a domain of yours, with SPF and DKIM in its DNS; or a mailbox at Gmail or Naver.")
        self._found |= acceptance.detected(self._answers, self._found["zone"])

    def _relay(self) -> None:
        self._take(2, "relay", "Relay server",
                   "Who sends your mail, host:port, as smtp.naver.com:465; maildir writes it into a folder.",
                   self._greeted)
        if self._answers.relay != MAILDIR:
            host, _ = settings.relay_address(self._answers)
            owner = self._answers.owner or self._found.get("owner", "")
            for row in sender.advice(self._answers.sender, host, owner):
                print(f"       {row}")

    def _greeted(self, text: str) -> str:
        if fault := acceptance.relay(text):
            return fault
        if text != MAILDIR:
            try:
                relay_trial.greet(*settings.relay_address(Answers(relay=text))).close()
            except Refused as refusal:
                return f"{refusal}; {refusal.cure}"
            tell.line(OK, "relay", "answers, and its certificate is good")
        return ""

    def _login(self) -> None:
        if self._answers.relay == MAILDIR:
            return
        while True:
            self._take(3, "relay_user", "Login at the relay",
                       "What its provider calls user name; often the address.")
            if typed := self._terminal.ask_unseen("     its password (unseen): "):
                self.password = typed
            try:
                tell.line(OK, "relay", relay_trial.log_in(self._answers, self.password))
            except Refused as refusal:
                tell.line(FAIL, "relay", str(refusal), refusal.cure)
            else:
                return

    def _name(self) -> None:
        self._take(4, "name", "Public name of the site, or Enter for this network alone",
                   "As devdigest.duckdns.org. Without one nobody can sign up; subscribers are added by hand.")
        if self._answers.name:
            self._found |= acceptance.detected(self._answers, self._found["zone"])
            tell.line(*_pointed(self._answers.name))

    def _ddns(self) -> None:
        if not self._answers.name:
            return
        explains = "\n".join(f"{key:<11}{one.explains}" for key, one in ddns.PROVIDERS.items())
        while True:
            self._take(5, "ddns", "Who keeps that name right", explains, acceptance.one_of(*ddns.PROVIDERS))
            self._ddns_login(ddns.PROVIDERS[self._answers.ddns])
            well, words = ddns.try_once(self._answers, self.secret)
            tell.line(OK if well else FAIL, "name", words, "" if well else _DDNS_CURE)
            if note := ddns.note(self._answers):
                tell.line(WARN, "name", note)
            if well:
                return

    def _ddns_login(self, provider: ddns.Provider) -> None:
        for field, words in (("ddns_server", provider.server), ("ddns_user", provider.user)):
            if words:
                default = getattr(self._answers, field)
                typed = self._terminal.ask(f"     {_asking(words, default)}")
                self._answers = replace(self._answers, **{field: typed or default})
        if provider.secret and (typed := self._terminal.ask_unseen(f"     {provider.secret} (unseen): ")):
            self.secret = typed

    def _owner(self) -> None:
        self._take(6, "owner", "Your mailbox",
                   "Trouble, the preview and readers' answers go there; the certificate's issuer knows it.")

    def _blogs(self) -> None:
        self._take(7, "blogs", "List of blogs",
                   f"{acceptance.AWESOME}: that project's lists; or a file or URL (YAML, OPML, text); or "
                   f"{acceptance.NO_BLOGS}.")

    def _take(self, number: int, field: str, words: str, explains: str,
              test: acceptance.Fault | None = None) -> None:
        """Asks until the answer can be taken."""
        test = test or acceptance.TESTS.get(field, lambda _: "")
        default = getattr(self._answers, field) or self._found.get(field, "")
        while True:
            typed = self._terminal.ask(f"{number}/{_OF}  {_asking(words, default)}") or default
            if typed == "?":
                for row in explains.splitlines():
                    below = " " * (16 if field == "ddns" else 5)
                    print(textwrap.fill(row, 80, initial_indent=" " * 5, subsequent_indent=below))
            elif fault := test(typed):
                tell.line(FAIL, "", fault)
            else:
                self._answers = replace(self._answers, **{field: typed})
                return

    def _summary(self) -> Answers:
        last = {"zone": "Time zone", "language": "Language (ko, en)", "time": "Digest goes out at",
                "copy_to": "Second place of backups (a USB stick's folder)",
                "keep_logs": "Keep the journal over reboots"}
        while True:
            typed_so_far = {key: value for key, value in asdict(self._answers).items() if value}
            answers = first_of([typed_so_far, self._found])
            print(f"8/{_OF}  {answers.sender} by {answers.relay}; site: {answers.name or 'this network'}")
            for number, (field, words) in enumerate(last.items(), start=1):
                print(f"     {number}  {words}: {getattr(answers, field) or 'none'}")
            typed = self._terminal.ask("     go, or a number to change it [go]: ") or "go"
            if typed == "go":
                return answers
            if typed.isdecimal() and 0 < int(typed) <= len(last):
                field = list(last)[int(typed) - 1]
                self._take(8, field, last[field], "Enter keeps what stands in the bracket.")
            else:
                tell.line(FAIL, "", f"{typed!r}: expected go, or a number of 1 to {len(last)}; what was "
                          "answered before: Ctrl-C, and sudo ./setup.sh again")


def _asking(words: str, default: str) -> str:
    return f"{words} [{default}]: " if default else f"{words}: "


def _pointed(name: str) -> tuple[str, str, str]:
    """Whether it leads anywhere yet; where it should is `devdigest check`'s to say."""
    try:
        found = sorted({str(one[4][0]) for one in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)})
    except OSError:
        return WARN, "name", f"{name} leads nowhere yet: the certificate waits for it"
    return OK, "name", f"{name} leads to {', '.join(found[:2])}"

