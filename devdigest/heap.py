"""As little memory as can be: what the C library keeps that Python has given back, what is loaded in vain."""
import ctypes
import gc
import sys
from importlib.util import find_spec
from types import ModuleType

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1       # glibc's malloc.h
_LARGE = 131_072        # bytes


def keep_little() -> None:
    """For all of this process, from before its first thread; without effect where the library is not glibc.

    By itself glibc gives threads heaps of their own, none of which can use what is free in another.
    """
    guess_no_encodings()
    speak_no_http_2()
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE)):
            mallopt(parameter, value)


def guess_no_encodings() -> None:
    """Before requests is loaded: two megabytes by which it would guess what nobody here asks it."""
    guesser = ModuleType("charset_normalizer")
    guesser.__version__ = "3.0.0"       # requests wants one from 2 to 4
    guesser.detect = lambda _: {"encoding": "utf-8"}
    sys.modules.setdefault(guesser.__name__, guesser)


def speak_no_http_2() -> None:
    """Before urllib3 is loaded: half a megabyte, for HTTP/2, which nobody here speaks."""
    if (urllib3 := find_spec("urllib3")) and urllib3.submodule_search_locations:
        package = ModuleType("urllib3.http2")
        # what remembers which hosts speak it lies in there, and is loaded in any case
        package.__path__ = [f"{place}/http2" for place in urllib3.submodule_search_locations]
        sys.modules.setdefault(package.__name__, package)


def settle() -> None:
    """What has been loaded by now stays: no look for cycles goes through it any more.

    Python puts such a look off until what is new is a quarter of all: without this, of many megabytes.
    """
    gc.freeze()
