"""Amazon SNS on loopback, under its own name: signs, serves its certificate, takes confirmations."""
import base64
import json
import socket
import ssl
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from feed_server import FeedServer

from devdigest.sns import LIMITS, Sns

HOST = "sns.ap-northeast-2.amazonaws.com"
TOPIC = "arn:aws:sns:ap-northeast-2:111122223333:devdigest-mail-feedback"
FILE = f"/SimpleNotificationService-{'0a' * 16}.pem"
SUBSCRIBE = f"/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
AGENT = "DevDigest/1 (+https://digest.example/about)"
_NOTICE = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
P256 = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(*arguments: object, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], input=given, check=True,
                          capture_output=True).stdout


def identity(folder: Path, name: str, *algorithm: str) -> tuple[Path, Path]:
    """(certificate, key) of `name`, signed by itself; made once a folder."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if certificate.exists():
        return certificate, key
    folder.mkdir(parents=True)
    openssl("req", "-x509", "-nodes", "-days", "2", "-newkey", *algorithm, "-subj", "/CN=sns.amazonaws.com",
            "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", certificate)
    return certificate, key


class Amazon:
    """Within the `with` block, whoever looks up any name is sent here. Its keys lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._name, name_key = identity(folder / "tls", HOST, *P256)
        self.certificate, self._key = identity(folder / "signing", "sns.amazonaws.com", "rsa:2048")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._name, name_key)
        self.server = FeedServer(tls=context)
        self._patch = pytest.MonkeyPatch()
        self.looked_up: list[str] = []

    def __enter__(self) -> "Amazon":
        self.server.__enter__()
        self.server.serve(FILE, self.certificate.read_bytes())
        self.server.serve(SUBSCRIBE, b"<ConfirmSubscriptionResponse/>")
        _, _, port = self.server.url().rpartition(":")
        here = ("127.0.0.1", int(port.rstrip("/")))

        def getaddrinfo(host: str, *_: object, **__: object) -> list[tuple]:
            self.looked_up.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", here)]
        self._patch.setattr(socket, "getaddrinfo", getaddrinfo)
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
        self.server.__exit__()

    def sns(self, allow_private: bool = True) -> Sns:
        """Someone who trusts the server, and may reach loopback unless told otherwise."""
        return Sns(AGENT, replace(LIMITS, total=2.0, allow_private=allow_private),
                   ssl.create_default_context(cafile=str(self._name)))

    def notice(self, message: object, **fields: object) -> dict[str, object]:
        """A notification, signed; what `fields` give stands in it before it is signed."""
        return self.signed({"Type": "Notification", "Message": json.dumps(message)} | fields, _NOTICE)

    def confirmation(self, **fields: object) -> dict[str, object]:
        return self.signed({"Type": "SubscriptionConfirmation", "Message": "You have …", "Token": "233641",
                            "SubscribeURL": f"https://{HOST}{SUBSCRIBE}"} | fields, _CONFIRMATION)

    def signed(self, fields: dict[str, object], names: Iterable[str]) -> dict[str, object]:
        envelope = {"MessageId": "7a1f0d52", "TopicArn": TOPIC, "Timestamp": "2026-11-22T03:00:00.000Z",
                    "SignatureVersion": "2", "SigningCertURL": f"https://{HOST}{FILE}"} | fields
        text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
        digest = "-sha1" if envelope["SignatureVersion"] == "1" else "-sha256"
        signature = openssl("dgst", digest, "-sign", self._key, given=text.encode())
        return envelope | {"Signature": base64.b64encode(signature).decode()}
