"""Signatures checked against public keys by the system's openssl, in a process of a few milliseconds each.

Not by `cryptography`: it would keep 19 MB for the life of the process, and its cffi has no wheel for armv7.
Debian's ca-certificates brings openssl along.
"""
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from devdigest.signatures import Claim

_SECONDS = 10.0         # that a process may take; it needs some 10 ms, on the slowest Pi perhaps 100


class OpensslError(Exception):
    """openssl could not be asked, which says nothing of a signature."""


def public_key(certificate: bytes) -> bytes | None:
    """The key that an X.509 certificate in PEM speaks of, as PEM; None where it is no certificate."""
    done = _run(("x509", "-pubkey", "-noout"), certificate)
    return done.stdout if done.returncode == 0 and done.stdout else None


def fits(claim: Claim, key: bytes) -> bool:
    """Whether the claim's signature was made with the private half of `key`, a public one in PEM."""
    with _file(key) as key_file, _file(claim.signature) as signature_file:
        files = (key_file, signature_file)
        done = _run(("dgst", f"-{claim.digest}", "-verify", f"/dev/fd/{key_file}",
                     "-signature", f"/dev/fd/{signature_file}"), claim.text, files)
    return done.returncode == 0


@contextmanager
def _file(content: bytes) -> Iterator[int]:
    """A file in memory, as its descriptor: openssl takes neither key nor signature as arguments."""
    descriptor = os.memfd_create("devdigest")
    try:
        os.write(descriptor, content)
        yield descriptor
    finally:
        os.close(descriptor)


def _run(arguments: tuple[str, ...], given: bytes,
         files: tuple[int, ...] = ()) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(("openssl", *arguments), input=given, capture_output=True, pass_fds=files,
                              timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OpensslError(f"openssl could not be asked: {error}") from error
