"""The installer as a program: what it needs, what it refuses before it looks, what its files are like."""
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest
from installer import account, tell
from installer.effects import Effects
from installer.layout import Layout

ROOT = Path(__file__).parents[1]
INSTALLER = ROOT / "deploy/installer"
MODULES = sorted(path.stem for path in INSTALLER.glob("*.py") if path.stem != "__init__")


def python(*words: str) -> "subprocess.CompletedProcess[str]":
    """Without site-packages: as on a machine where nothing is installed yet."""
    return subprocess.run([sys._base_executable, "-S", "-P", *words], cwd="/", text=True, capture_output=True,
                          env={"PYTHONPATH": f"{ROOT}/deploy:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"},
                          stdin=subprocess.DEVNULL, timeout=60, check=False)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_of_the_installer_needs_python_alone(module: str) -> None:
    done = python("-c", f"import installer.{module}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("path", sorted(INSTALLER.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_of_the_installer_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_its_help_names_every_answer() -> None:
    said = python("-m", "installer", "--help").stdout
    for flag in ("--sender", "--relay-password-file", "--ddns-secret-file", "--copy-to", "--reconfigure"):
        assert flag in said
    assert "--work" not in said


def test_a_flag_that_is_none_is_a_matter_of_usage() -> None:
    done = python("-m", "installer", "--relay-password", "secret")      # never an argument: `ps` shows it
    assert done.returncode == 2
    assert "secret" not in done.stdout


def test_setup_explains_itself_without_root() -> None:
    done = subprocess.run([ROOT / "setup.sh", "--help"], text=True, capture_output=True, check=True)
    assert done.stdout.startswith("usage: sudo ./setup.sh [OPTIONS]")
    assert "./setup.sh try" in done.stdout


def test_a_line_fits_a_terminal_and_a_cure_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    command = f"sudo {'x' * 90}"
    tell.line(tell.FAIL, "relay", "word " * 30, command)
    *fact, cure = capsys.readouterr().out.splitlines()
    assert max(map(len, fact)) <= 80
    assert cure == f"       → {command}"


def test_what_a_relay_says_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tell.line(tell.FAIL, "relay", "535 \x1b]0;mine\x07no\u202e", "ask \x1b[2Jit")
    assert all(row.isprintable() for row in capsys.readouterr().out.splitlines())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(("words", "right"), [
    (["status"], ""), (["subscribers", "import", "list.csv"], "cap_dac_read_search"),
    (["blogs", "import", "db.yml"], "cap_dac_read_search"),
    (["blogs", "import", "https://example.org/db.yml"], ""),
    (["restore", "old.db"], "cap_dac_read_search"), (["backup"], ""), (["publish"], ""),
    (["backup", "new.db"], "cap_dac_override"), (["web"], ""),
    (["publish", "--preview", "issue.html"], "cap_dac_override")])
def test_only_a_command_that_is_given_a_file_may_pass_the_door_of_a_home(
        tmp_path: Path, words: list[str], right: str) -> None:
    text = (ROOT / "deploy/bin/as-service").read_text(encoding="utf-8")
    for ours, here in (("user=devdigest", "user=nobody"), ('--regid "$user"', "--regid nogroup"),
                       ('"$user,systemd-journal,video"', "nogroup"),
                       ('"$program" "$@"', '"$program" --dump')):
        assert ours in text
        text = text.replace(ours, here)
    (script := tmp_path / "as-service").write_text(text, encoding="utf-8")
    environ = {"DEVDIGEST_PROGRAM": "/usr/bin/setpriv", "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", script, *words], env=environ, text=True, capture_output=True, check=True)
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert told["Ambient capabilities"] == told["Capability bounding set"] == (
        right.removeprefix("cap_") or "[none]")
    assert told["no_new_privs"] == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_what_the_service_made_a_link_is_not_given_to_it(tmp_path: Path) -> None:
    layout, nobody = Layout(tmp_path / "root"), pwd.getpwnam("nobody").pw_uid
    assert account.make_folders(layout, "nobody")
    assert {(layout.data / name).stat().st_uid for name in (".", "backups")} == {nobody}
    (layout.data / "backups").rmdir()
    (layout.data / "backups").symlink_to(layout.etc)
    account.make_folders(layout, "nobody")
    assert layout.etc.stat().st_uid == 0
    assert not account.make_folders(layout, "nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_backups_that_a_purge_kept_are_the_services_again(tmp_path: Path) -> None:
    layout, nobody = Layout(tmp_path), pwd.getpwnam("nobody").pw_uid
    (layout.data / "backups").mkdir(parents=True)
    (kept := layout.data / "backups/departures.log").touch()
    Effects(layout).close_folder(layout.data)
    account.make_folders(layout, "nobody")
    assert kept.stat().st_uid == nobody
