"""What DevDigest's mailing is measured against: smtplib as it is usually used, and mails as usually built.

    python senders.py {each,kept,pool} PORT MESSAGE COUNT

MESSAGE: a file with one ready mail to READER, sent to reader1@example.org and so on.
"""
import argparse
import smtplib
from collections.abc import Callable, Iterable
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from multiprocessing import Pool
from pathlib import Path

SENDER, READER = "digest@example.org", "reader0@example.org"
PROCESSES = 20      # as the service that this project re-creates has them

Send = Callable[[int, bytes, Iterable[int]], None]      # port, message, numbers of the readers


def connection(port: int) -> smtplib.SMTP:
    # local_hostname: else it asks name servers for its own name
    return smtplib.SMTP("127.0.0.1", port, local_hostname="digest.example.org", timeout=60)


def send(through: smtplib.SMTP, message: bytes, number: int) -> None:
    to = f"reader{number}@example.org"
    through.sendmail(SENDER, to, message.replace(READER.encode(), to.encode()), ["BODY=8BITMIME"])


def each(port: int, message: bytes, numbers: Iterable[int]) -> None:
    """A connection for each message, one after the other."""
    for number in numbers:
        alone(port, message, number)


def alone(port: int, message: bytes, number: int) -> None:
    with connection(port) as through:
        send(through, message, number)


def kept(port: int, message: bytes, numbers: Iterable[int]) -> None:
    """One connection for all messages, one after the other."""
    with connection(port) as through:
        for number in numbers:
            send(through, message, number)


def pool(port: int, message: bytes, numbers: Iterable[int]) -> None:
    """20 processes, each with a connection for each message."""
    with Pool(PROCESSES) as processes:
        processes.map(partial(alone, port, message), numbers, chunksize=1)


SENDERS: dict[str, Send] = {"each": each, "kept": kept, "pool": pool}


class Said:
    """What one mail says, to be built again from nothing for each reader."""

    def __init__(self, mail: bytes) -> None:
        parsed = message_from_bytes(mail, policy=policy.default)
        mime = ("content-type", "content-transfer-encoding", "mime-version")
        self.headers = [(name, str(value)) for name, value in parsed.items() if name.lower() not in mime]
        self.text, self.page = (parsed.get_body((kind,)).get_content() for kind in ("plain", "html"))

    def built(self, to: str) -> bytes:
        """The mail to one reader in the encoding that the email package chooses."""
        message = EmailMessage(policy=policy.SMTP)
        for name, value in self.headers:
            message[name] = to if name == "To" else value
        message.set_content(self.text.replace(READER, to))
        message.add_alternative(self.page.replace(READER, to), subtype="html")
        return message.as_bytes()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sender", choices=SENDERS)
    parser.add_argument("port", type=int)
    parser.add_argument("message", type=Path)
    parser.add_argument("count", type=int)
    chosen = parser.parse_args()
    SENDERS[chosen.sender](chosen.port, chosen.message.read_bytes(), range(1, chosen.count + 1))


if __name__ == "__main__":
    main()
