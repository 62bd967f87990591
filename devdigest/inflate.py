"""Undoes the Content-Encoding of an answer, piece by piece, giving no more than it is asked for."""
import zlib

CODINGS = ("identity", "gzip", "deflate")


class Inflate:
    """One coding (RFC 9110, 8.4.1); nobody needs two but to make a bomb. Raises zlib.error.

    Not left to urllib3, as a call of its `read1` goes on until it has something to give: a body that holds
    nothing, however long, would get past every limit. Nor does it see that a gzip body breaks off.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower().removeprefix("x-") or "identity"
        if self._coding not in CODINGS:
            raise zlib.error(f"Content-Encoding {coding[:40]!r} was not asked for")
        self._stream: zlib._Decompress | None = None
        self._ended = False

    def __call__(self, data: bytes, most: int) -> bytes:
        """What `data` continues with. Where that fills all of `most` bytes, the rest is lost."""
        if self._coding == "identity":
            return data
        body = b""
        while data and not self._ended and len(body) < most:
            if self._stream is None:
                self._stream = zlib.decompressobj(self._window(data[0]))
            body += self._stream.decompress(data, most - len(body))
            data = self._stream.unused_data
            if self._stream.eof:
                self._stream = None
                # gzip may go on with another member (RFC 1952, 2.2); what else follows is ignored
                self._ended = bool(data) and data[0] != 0x1F
        return body

    def end(self) -> None:
        """Raises zlib.error where more should have come."""
        if self._stream is not None:
            raise zlib.error(f"the {self._coding} body breaks off")

    def _window(self, first: int) -> int:
        if self._coding == "gzip":
            return zlib.MAX_WBITS | 16
        # some send deflate without the header that belongs to it, which is zlib's (RFC 1950, 2.2)
        return zlib.MAX_WBITS if first & 0x0F == 8 else -zlib.MAX_WBITS
