"""What the C library keeps: asked of itself, in a process of its own."""
import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from feed_server import FeedServer

ROOT = Path(__file__).parents[1]

# Threads that allocate at the same time; malloc_info(3) then tells of each heap.
PROGRAM = """
import ctypes, sys, threading
from devdigest import heap
if "little" in sys.argv:
    heap.keep_little()
all_here = threading.Barrier(8)
def allocate():
    all_here.wait()
    kept = [bytearray(1_000) for _ in range(200)]
    all_here.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
library = ctypes.CDLL(None)
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


def heaps(*words: str) -> int:
    said = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout
    return said.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_share_one_heap():
    assert heaps() > 1
    assert heaps("little") == 1


def test_a_command_loads_nothing_to_guess_encodings_with_and_nobody_complains():
    program = """
import sys, warnings
warnings.simplefilter("error")
from devdigest import cli, heap
heap.guess_no_encodings()
import requests
answer = requests.Response()
answer._content, answer.encoding = "글".encode(), None
print(answer.text, "charset_normalizer.api" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8",
                          env={"PYTHONUTF8": "1"}, check=True)
    assert (done.stdout, done.stderr) == ("글 False\n", "")


def test_a_command_loads_nothing_for_http_2_and_asks_all_the_same(feeds: FeedServer):
    feeds.serve("/rss", b"<rss/>")
    program = """
import sys
from devdigest import cli, heap
heap.speak_no_http_2()
import urllib3
print(urllib3.request("GET", sys.argv[1]).status, "importlib.metadata" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program, feeds.url("/rss")], cwd=ROOT, capture_output=True,
                          text=True, check=True)
    assert done.stdout == "200 False\n"


def test_what_is_loaded_by_then_is_no_more_looked_through_for_cycles():
    program = "import gc; from devdigest import heap; heap.settle(); print(gc.get_freeze_count())"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout
    assert int(said) > 1_000
