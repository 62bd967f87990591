"""What came with the appliance is known by name afterwards, dependencies too, but not what was renewed."""
from pathlib import Path

import pytest
from installer import packages
from installer.layout import Layout
from installer.tell import Refused

# what Debian's apt-get says before it installs caddy where ca-certificates are old
SIMULATED = """\
Reading package lists...
Inst libnss3 (2:3.87.1-1+deb12u4 Debian:12.11/oldstable [amd64])
Inst ca-certificates [20210119] (20230311 Debian:12.11/oldstable [all])
Inst caddy (2.6.2-5 Debian:12.11/oldstable [amd64])
Conf libnss3 (2:3.87.1-1+deb12u4 Debian:12.11/oldstable [amd64])
Conf ca-certificates (20230311 Debian:12.11/oldstable [all])
Conf caddy (2.6.2-5 Debian:12.11/oldstable [amd64])"""


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """Of a machine without caddy, on which apt cannot install anything."""
    apt = f"case \"$*\" in *--simulate*) cat <<'END'\n{SIMULATED}\nEND\n;; *install*) exit 100 ;; esac"
    for name, text in (("dpkg-query", "exit 1"), ("apt-get", apt)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Layout(tmp_path / "root")


def test_all_that_comes_is_noted_before_it_comes(layout: Layout) -> None:
    (note := layout.opt / "packages").parent.mkdir(parents=True)
    note.write_text("python3-venv\n", encoding="utf-8")             # of a run that was cut off
    with pytest.raises(Refused, match="exit status 100"):
        packages.install(layout, ["caddy"])
    assert note.read_text(encoding="utf-8").split() == ["caddy", "libnss3", "python3-venv"]
