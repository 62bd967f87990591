"""Amazon SNS, asked: the certificate it signs with, and its question whether it may post here, answered.

Only URLs that `signatures` found to lie at SNS; no redirects, and public addresses alone.
"""
import ssl
from dataclasses import replace
from datetime import datetime

from devdigest import openssl
from devdigest.fetch import Fetcher, FetchError, Limits
from devdigest.signatures import Confirm, NotTheirs

LIMITS = Limits(max_bytes=65_536)       # a certificate has 2 KB
_KEPT = 4               # keys; SNS changes its certificate about once a year
_NO_SUCH_FILE = (403, 404, 410)


class Sns:
    """Opens a connection for each question, as there are few: a new certificate, a confirmation.

    `trust`: as for a Fetcher. For one thread.
    """

    def __init__(self, user_agent: str, limits: Limits = LIMITS, trust: ssl.SSLContext | None = None) -> None:
        self._user_agent, self._trust = user_agent, trust
        self._limits = replace(limits, redirects=0)     # SNS has none, and they could lead anywhere
        self._keys: dict[str, bytes] = {}       # by URL, which names the certificate's content

    def public_key(self, url: str, now: datetime) -> bytes:
        """The key of the certificate at `url`, in PEM. Raises NotTheirs; FetchError: ask again later."""
        if url not in self._keys:
            key = openssl.public_key(self._certificate(url, now))
            if key is None:
                raise NotTheirs("what lies at the certificate's URL is none")
            if len(self._keys) >= _KEPT:
                del self._keys[next(iter(self._keys))]
            self._keys[url] = key
        return self._keys[url]

    def confirm(self, subscription: Confirm, now: datetime) -> None:
        """Says yes; may be said twice. Raises FetchError."""
        self._get(subscription.url, now)

    def _certificate(self, url: str, now: datetime) -> bytes:
        try:
            return self._get(url, now)
        except FetchError as error:
            if error.status in _NO_SUCH_FILE:
                raise NotTheirs("there is no such certificate at SNS") from error
            raise

    def _get(self, url: str, now: datetime) -> bytes:
        with Fetcher(self._limits, self._user_agent, self._trust) as fetcher:
            return fetcher.get(url, now).body
