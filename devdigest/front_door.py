"""A site as a visitor's browser meets it: one address is spoken to under the site's name, by TLS or not."""
import http.client
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from devdigest.deadline import Deadline

_MOST = 2000            # bytes of a page; ours that is asked for has a hundred


@dataclass(frozen=True, kw_only=True)
class Seen:
    """`trouble`: "" for an answer, "refused", "silent", "certificate" or "other"; `words` tell of it."""
    trouble: str = ""
    words: str = ""
    status: int = 0
    body: bytes = b""
    begins: datetime | None = None      # of the certificate, where there is a trusted one
    ends: datetime | None = None
    issuer: str = ""


class Door(http.client.HTTPConnection):
    """Speaks with `address`, whatever the name says, and no longer than until the deadline."""

    def __init__(self, host: str, address: tuple[str, int], context: ssl.SSLContext | None,
                 deadline: Deadline) -> None:
        super().__init__(host, address[1], timeout=deadline.left())
        self._address, self._context, self._deadline = address, context, deadline

    def connect(self) -> None:
        self.sock = socket.create_connection(self._address, self.timeout)
        self._deadline.hold(self.sock)
        if self._context is not None:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)


def look(host: str, address: tuple[str, int], path: str, *, tls: bool, seconds: float,
         ca_file: str = "") -> Seen:
    """What stands at `address` for `host`, within these seconds, however slowly it speaks. Never raises."""
    context = ssl.create_default_context(cafile=ca_file or None) if tls else None
    with Deadline(seconds) as deadline:
        seen = _met(Door(host, address, context, deadline), path)
        late = deadline.passed          # then it is only a part of the answer, or looks like none
    return Seen(trouble="silent", words=f"no answer within {seconds:.0f} s") if late else seen


def _met(line: Door, path: str) -> Seen:
    try:
        line.request("GET", path, headers={"User-Agent": "DevDigest check"})
        certificate = _certificate(line.sock)
        answer = line.getresponse()
        return Seen(status=answer.status, body=answer.read(_MOST), **certificate)
    except ssl.SSLCertVerificationError as error:
        return Seen(trouble="certificate", words=error.verify_message)
    except ConnectionRefusedError:
        return Seen(trouble="refused", words="connection refused")
    except TimeoutError:
        return Seen(trouble="silent", words=f"no answer within {line.timeout:.0f} s")
    except (OSError, http.client.HTTPException) as error:
        return Seen(trouble="other", words=str(getattr(error, "reason", "") or getattr(error, "strerror", "")
                                               or error))
    finally:
        line.close()


def _certificate(line: socket.socket) -> dict[str, Any]:
    if not isinstance(line, ssl.SSLSocket):
        return {}
    told = line.getpeercert() or {}
    issuer = {name: value for part in told.get("issuer", ()) for name, value in part}
    return {"begins": _instant(told["notBefore"]), "ends": _instant(told["notAfter"]),
            "issuer": issuer.get("organizationName") or issuer.get("commonName", "")}


def _instant(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
