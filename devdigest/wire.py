"""A message as it goes over the wire: whole lines, none too long, and for DATA its dots doubled.

A message that is ready goes through untouched; any other is made so, which costs a pass or two.
"""
_LONGEST_LINE = 998     # octets, without CRLF and the dot that is doubled (RFC 5321, 4.5.3.1.6)


class Whole(bytes):
    """Ready for BDAT: every line ends in CRLF, the last one too, and none is over 998 octets."""


class Stuffed(bytes):
    """Ready for DATA: whole, and every leading dot is doubled (RFC 5321, 4.5.2); the final one is to come."""


def whole(message: bytes) -> Whole:
    """`message`, each of its line ends as CRLF. Raises ValueError for a line that is too long."""
    if isinstance(message, Whole):
        return message
    if isinstance(message, Stuffed):
        return Whole((b"\n" + message).replace(b"\n..", b"\n.")[1:])
    lines = message.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    if (longest := max(map(len, lines))) > _LONGEST_LINE:
        raise ValueError(f"a line of {longest} octets, and none may be over {_LONGEST_LINE}")
    return Whole(b"\r\n".join((*lines, b"")))


def stuffed(message: bytes) -> Stuffed:
    """`message` for DATA. Raises ValueError as `whole` does."""
    if isinstance(message, Stuffed):
        return message
    return Stuffed((b"\n" + whole(message)).replace(b"\n.", b"\n..")[1:])
