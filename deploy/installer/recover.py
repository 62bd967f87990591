"""Ends what an interrupted upgrade left: the old code with the old schema, or the new with the new.

Run at every setup and, after a power cut, by devdigest-recover.service before both services.
"""
from collections.abc import Iterator
from contextlib import contextmanager

from installer.effects import Effects
from installer.layout import Layout


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Holds the one lock of setup, upgrade, rollback and removal. Raises Refused where another has it."""
    yield


def recover(layout: Layout, on: Effects | None = None) -> str:
    """What was done, in a sentence for the owner; "" where nothing was left to do. May be called again."""
    raise NotImplementedError
