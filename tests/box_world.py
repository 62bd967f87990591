"""The world of a power-cut test, inside the box: blogs, a relay that forgets nothing, readers who leave.

Runs with the machine's own Python. `day` is a file with the date that the blogs are at. What the relay has
answered with 250, and what readers were answered, is on the disk before or not at all.
"""
import json
import os
import re
import socketserver
import sqlite3
import sys
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from email.parser import BytesHeaderParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WORLD = Path("/srv/world")
FEEDS, RELAY = 8700, 2525
BLOGS, POSTS, READERS, LINES = 40, 2, 150, 4
ACCEPTED, LEFT = WORLD / "accepted", WORLD / "left"
_SLOW = WORLD / "slow"          # while it is there each mail takes a while
_UNDER_WAY = 2.0                # seconds for a mail whose turn had come when its reader left
_LOCK = threading.Lock()


def _write_down(path: Path, *values: object) -> None:
    """A line of its own, whatever half of one a power cut has left before it."""
    with _LOCK, path.open("a") as file:
        file.write(f"\n{json.dumps(values)}\n")
        file.flush()
        os.fsync(file.fileno())


def _written(path: Path) -> Iterator[list[Any]]:
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("[") and line.endswith("]"):
            yield json.loads(line)


def entries(blog: int, today: date) -> list[str]:
    """Those of the three days before `today`."""
    days = [today - timedelta(days=ago) for ago in (3, 2, 1)]
    return [f"{blog}-{day}-{number}" for day in days for number in range(POSTS)]


class Feeds(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        blog = int(re.sub(r"\D", "", self.path) or 0)
        today = date.fromisoformat((WORLD / "day").read_text().strip())
        items = "".join(
            f"<item><title>Post {name}</title><guid>{name}</guid><link>https://b{blog}.example.org/{name}</link>"
            f"<pubDate>{name.partition('-')[2][:10]}</pubDate></item>"
            for name in entries(blog, today))
        body = f'<rss version="2.0"><channel><title>Blog {blog}</title>{items}</channel></rss>'.encode()
        time.sleep(0.02)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Relay(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail after the other needs (RFC 5321)."""

    def handle(self) -> None:
        self._say("220 relay")
        recipient = ""
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0].decode()
            if verb == b"DATA":
                self._say("354 go on")
                self._take(recipient)
            elif verb == b"QUIT":
                return self._say("221 bye")
            else:
                self._say("250 ok")
        return None

    def _take(self, recipient: str) -> None:
        lines = []
        while (line := self.rfile.readline()) and line != b".\r\n":
            lines.append(line)
        if not line:
            return              # it broke off before its dot: not taken
        heads = BytesHeaderParser().parsebytes(b"".join(lines))
        leave = re.search(r"<https?://[^/]+(/u/[^>]+)>", re.sub(r"\s", "", heads["List-Unsubscribe"] or ""))
        _write_down(ACCEPTED, time.time(), recipient, heads["Message-ID"], leave[1] if leave else "")
        time.sleep(0.8 if _SLOW.exists() else 0.02)         # where a cut leaves a doubt
        self._say("250 taken")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def leave(email: str) -> None:
    """The one click of RFC 8058, with the link of their last mail."""
    link = [link for _, reader, _, link in _written(ACCEPTED) if reader == email and link][-1]
    _write_down(LEFT, "asked", email, time.time())
    with urllib.request.urlopen(f"http://127.0.0.1:8080{link}", b"List-Unsubscribe=One-Click", timeout=20):
        _write_down(LEFT, "answered", email, time.time())


def verdict(database: str, cuts: int) -> dict[str, Any]:
    """`broken`: every promise that is, in words; and how many mails came, and came twice."""
    db = sqlite3.connect(database)
    broken = [f"integrity: {row[0]}" for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    issues = dict(db.execute("SELECT id, day FROM issue WHERE kind = 'daily' AND state = 'published'"))
    in_issues = Counter(post for (post,) in db.execute(
        "SELECT guid FROM issue_post JOIN post ON post.id = issue_post.post_id WHERE kind = 'daily'"))
    broken += [f"post {post} stands in {count} issues" for post, count in in_issues.items() if count > 1]
    for day in map(date.fromisoformat, issues.values()):
        yesterday = str(day - timedelta(days=1))
        wanted = {name for blog in range(BLOGS) for name in entries(blog, day) if f"-{yesterday}-" in name}
        broken += [f"post {post} is in no issue" for post in sorted(wanted - in_issues.keys())]
    broken += [f"{number} mails of issues are {state}" for state, number in db.execute(
        "SELECT state, count(*) FROM delivery WHERE issue_id IS NOT NULL "
        "AND state NOT IN ('sent', 'dropped') GROUP BY 1")]
    mails = list(_written(ACCEPTED))
    doubled = len(mails) - len({(reader, identity) for _, reader, identity, _ in mails})
    if doubled > cuts * LINES:
        broken.append(f"{doubled} mails came twice, after {cuts} cuts with {LINES} lines")
    return {"broken": broken + _of_readers(db, mails, len(issues)), "issues": len(issues),
            "mails": len(mails), "twice": doubled, "left": len({email for _, email, _ in _written(LEFT)})}


def _of_readers(db: sqlite3.Connection, mails: list[list[Any]], issues: int) -> list[str]:
    had = defaultdict(set)
    for _, reader, identity, _ in mails:
        had[reader].add(identity)
    state = dict(db.execute("SELECT email, state FROM subscriber"))
    asked = {email for _, email, _ in _written(LEFT)}
    gone = {email: at for what, email, at in _written(LEFT) if what == "answered"}
    broken = [f"{reader} got {len(had[reader])} of {issues} issues"
              for reader in everybody() if reader not in asked and len(had[reader]) != issues]
    broken += [f"{reader} got {len(had[reader])} issues, there are {issues}"
               for reader in asked if len(had[reader]) > issues]
    broken += [f"{reader} has left and is {state.get(reader)}" for reader in gone
               if state.get(reader) not in ("cancelled", None)]
    broken += [f"{reader} has left and was mailed {at - gone[reader]:.1f} s later"
               for at, reader, _, _ in mails if reader in gone and at > gone[reader] + _UNDER_WAY]
    broken += [f"{reader} has not confirmed and had {len(ids)} mails" for reader, ids in had.items()
               if reader.startswith("pending") and len(ids) > 1]
    return broken + [f"{reader} had left before and was mailed"
                     for reader in had if reader.startswith("gone")]


def everybody() -> list[str]:
    return [f"reader{number}@example.org" for number in range(READERS)]


def main(words: list[str]) -> int:
    match words:
        case ["feeds"]:
            ThreadingHTTPServer(("127.0.0.1", FEEDS), Feeds).serve_forever()
        case ["relay"]:
            _Server(("127.0.0.1", RELAY), Relay).serve_forever()
        case ["list"]:
            print("\n".join(f"http://127.0.0.1:{FEEDS}/{blog}" for blog in range(BLOGS)))
        case ["readers"]:
            print("\n".join(["email", *everybody(), "gone@example.org"]))
        case ["leave", email]:
            leave(email)
        case ["has-left", email]:           # told to the owner, who typed it
            _write_down(LEFT, "answered", email, time.time())
        case ["verdict", database, cuts]:
            print(json.dumps(verdict(database, int(cuts))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
