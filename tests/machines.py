"""A machine in a folder: files as the kernel and Debian have them, tools that say what they are told to."""
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from relay import free_port

from devdigest.machine import Machine

_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"


def route(router: str = "127.0.0.1") -> str:
    """/proc/self/net/route with a default route by this router; "" for one without."""
    [number] = struct.unpack("=I", socket.inet_aton(router or "0.0.0.0"))
    flags = "0003" if router else "0001"
    return (f"{_HEAD}\neth0\t00000A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            f"eth0\t00000000\t{number:08X}\t{flags}\t0\t0\t0\t00000000\t0\t0\t0\n")


def a_machine(folder: Path, files: Mapping[str, str] | None = None, tools: Mapping[str, str] | None = None,
              ca_file: str = "") -> Machine:
    """`tools`: by name, what stands in its script. It has a router that says nothing of itself."""
    root, bin_ = folder / "root", folder / "bin"
    bin_.mkdir(parents=True, exist_ok=True)
    for path, text in {"proc/self/net/route": route(), **(files or {})}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    for name, script in (tools or {}).items():
        (bin_ / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_ / name).chmod(0o755)
    return Machine(root, f"{bin_}", nat_pmp_port=free_port(), ssdp=("127.0.0.1", free_port()),
                   ca_file=ca_file)


def says(text: str) -> str:
    """A tool's script that prints this."""
    return f"/bin/cat <<'END'\n{text}\nEND"


@contextmanager
def udp(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """(its port, what came) of a server that gives these answers in turn, b"" for silence."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))

        def serve() -> None:
            for answer in answers:
                asked, whom = line.recvfrom(2048)
                heard.append(asked)
                if not asked:
                    return
                if answer:
                    line.sendto(answer, whom)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield line.getsockname()[1], heard
        finally:
            while thread.is_alive():
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
                    end.sendto(b"", line.getsockname())
                thread.join(0.05)


@contextmanager
def silent() -> Iterator[tuple[str, int]]:
    """Takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as line:
        yield line.getsockname()[:2]


@contextmanager
def dripping(first: bytes = b"HTTP/1.1 200 OK\r\nX: ") -> Iterator[tuple[str, int]]:
    """Answers whoever comes at once, and then with a byte now and again, for ever."""
    over = threading.Event()

    def speak(visitor: socket.socket) -> None:
        with visitor, suppress(OSError):
            visitor.sendall(first)
            while not over.wait(0.02):
                visitor.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as line:
        def serve() -> None:
            with suppress(OSError):
                while True:
                    speakers.append(threading.Thread(target=speak, args=(line.accept()[0],)))
                    speakers[-1].start()
        speakers = [threading.Thread(target=serve)]
        speakers[0].start()
        try:
            yield line.getsockname()[:2]
        finally:
            over.set()
            line.shutdown(socket.SHUT_RDWR)
            for speaker in speakers:
                speaker.join()
