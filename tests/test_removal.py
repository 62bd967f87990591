"""Uninstalling leaves what was there before, and what is the owner's; purging leaves nothing but backups."""
from pathlib import Path

import pytest
from appliance import READERS, Machine, installed
from installer import removal
from installer.layout import Layout
from installer.tell import Refused

CADDYFILE = "example.org {\n\trespond hello\n}\n"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = installed(tmp_path)
    texts = {layout.wrapper: "#!/bin/sh\n", layout.journal: "[Journal]\n",
             layout.answers: "DEVDIGEST_NAME=a.example\n",
             layout.caddyfile: f"{CADDYFILE}import /etc/devdigest/Caddyfile\n",
             layout.data / "backups/one.db": "",
             layout.tmpfiles / "devdigest-tmpfiles.conf": "", layout.units / "devdigest-ddns.service": "",
             layout.units / "devdigest-web.service.d/own.conf": "", layout.units / "ssh.service": "",
             layout.opt / "packages": "caddy ddclient\n"}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return layout


@pytest.fixture
def told() -> list[str]:
    return []


def left(layout: Layout) -> set[str]:
    return {str(path.relative_to(layout.root)) for path in layout.root.rglob("*") if path.is_file()}


def test_uninstalling_keeps_config_data_and_what_is_not_ours(layout: Layout, told: list[str]) -> None:
    machine = Machine(layout)
    for _ in range(2):                  # what is gone already is no fault
        removal.uninstall(layout, lambda *words: told.append(" ".join(words)), on=machine)
    assert left(layout) == {"etc/devdigest/config.toml", "etc/devdigest/answers",
                            "etc/systemd/system/ssh.service", "etc/caddy/Caddyfile",
                            "var/lib/devdigest/devdigest.db", "var/lib/devdigest/backups/one.db"}
    assert layout.caddyfile.read_text() == CADDYFILE
    assert not layout.opt.exists()
    assert not layout.journal.parent.exists()
    assert "disable --now devdigest-ddns.service" in machine.told
    assert [line for line in told if "sudo apt purge caddy ddclient" in line]
    assert [line for line in told if str(layout.data) in line]


def test_half_an_installation_can_be_removed(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.releases.mkdir(parents=True)
    removal.uninstall(layout, lambda *words: None, on=Machine(layout))
    assert not layout.opt.exists()


def test_purging_asks_for_the_sites_name(layout: Layout, told: list[str]) -> None:
    before = left(layout)
    with pytest.raises(Refused, match=r"not a\.example"):
        removal.purge(layout, lambda *words: told.append(" ".join(words)), ask=lambda question: "yes",
                      on=Machine(layout))
    assert left(layout) == before
    assert f"subscriber {READERS}" in told[0]


def test_answers_that_cannot_be_understood_keep_nobody_from_purging(layout: Layout) -> None:
    layout.answers.write_text("no answer\n")
    removal.purge(layout, lambda *words: None, ask=lambda question: "purge", on=Machine(layout))
    assert not layout.etc.exists()


@pytest.mark.parametrize(("backups", "kept"), [(False, {"var/lib/devdigest/backups/one.db"}), (True, set())])
def test_purging_leaves_backups_unless_told(layout: Layout, backups: bool, kept: set[str]) -> None:
    machine = Machine(layout)
    told: list[str] = []
    removal.purge(layout, lambda *words: told.append(" ".join(words)), ask=lambda question: "a.example",
                  backups=backups, on=machine)
    assert [line for line in told if "kept in" in line] == (
        [f"ok data gone; backups are kept in {layout.data / 'backups'}"] if kept else [])
    assert left(layout) == {"etc/systemd/system/ssh.service", "etc/caddy/Caddyfile"} | kept
    assert f"{layout.wrapper} backup" in machine.told
