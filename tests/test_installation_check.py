"""What setup.sh has put here, and what became of it."""
from dataclasses import replace
from pathlib import Path

import pytest
from machines import a_machine, says

from devdigest import installation_check
from devdigest.config import Config
from devdigest.finding import NOT_ASKED, OK, RED, WARN, Finding
from devdigest.machine import Machine

RELEASE = "opt/devdigest/releases/0.1.0-abc1234"
UNIT = "[Service]\nExecStart=/opt/devdigest/current/bin/devdigest worker\n"
BROKEN_OFF = '{"phase": "switching", "old": "0.1.0-abc1234", "new": "0.2.0-def5678", "schema": 6}'
SERVICE = ("Id=devdigest-{}.service\nLoadState={}\nActiveState={}\nNRestarts={}\nResult={}")


def installed(folder: Path, files: dict[str, str] | None = None,
              tools: dict[str, str] | None = None) -> Machine:
    machine = a_machine(folder, {
        f"{RELEASE}/.complete": "", f"{RELEASE}/venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.2\n",
        f"{RELEASE}/deploy/systemd/devdigest-worker.service": UNIT,
        "etc/systemd/system/devdigest-worker.service": UNIT, **(files or {})},
        {"python3": "echo Python 3.11.2", **(tools or {})})
    current = machine.root / "opt/devdigest/current"
    current.unlink(missing_ok=True)
    current.symlink_to("releases/0.1.0-abc1234")
    return machine


# rights

def test_a_password_that_everyone_can_read_is_red(config: Config, tmp_path: Path) -> None:
    secret, path = tmp_path / "password", tmp_path / "config.toml"
    for file in (secret, path):
        file.write_text("secret")
        file.chmod(0o640)
    settings = replace(config, mail=replace(config.mail, password_file=str(secret)))
    assert installation_check.config(settings, path, a_machine(tmp_path)).state == OK
    secret.chmod(0o644)
    assert installation_check.config(settings, path, a_machine(tmp_path)) == Finding(
        "config", RED, f"{secret} can be read by everyone on this machine", f"sudo chmod o= {secret}")


def test_of_an_installed_one_credentials_and_settings_are_closed_to_others(config: Config,
                                                                           tmp_path: Path) -> None:
    machine = a_machine(tmp_path, {"etc/devdigest/config.toml": "",
                                   "etc/devdigest/credentials/smtp_password": ""})
    path = machine.root / "etc/devdigest/config.toml"
    credential = machine.root / "etc/devdigest/credentials/smtp_password"
    credential.chmod(0o640)
    path.chmod(0o640)
    assert installation_check.config(config, path, machine).state == OK
    path.chmod(0o644)
    assert installation_check.config(config, path, machine).cure == f"sudo chmod o= {path}"
    credential.chmod(0o644)
    assert installation_check.config(config, path, machine).cure == f"sudo chmod o= {credential}"


def test_settings_that_everyone_can_change_are_red(config: Config, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(0o646)
    assert installation_check.config(config, path, a_machine(tmp_path)).cure == f"sudo chmod o-w {path}"
    path.chmod(0o644)
    assert installation_check.config(config, path, a_machine(tmp_path)).state == OK


# the release

def test_a_release_that_is_whole_is_named(tmp_path: Path) -> None:
    assert installation_check.release(installed(tmp_path)) == Finding("release", OK, "0.1.0-abc1234")


@pytest.mark.parametrize(("files", "tools", "state", "words"), [
    ({}, {"python3": "echo Python 3.13.5"}, RED, "made for Python 3.11, this machine has 3.13"),
    ({"opt/devdigest/upgrade/state": BROKEN_OFF}, {}, WARN, "0.1.0-abc1234 → 0.2.0-def5678, switching"),
    ({"opt/devdigest/upgrade/state": "\0"}, {}, WARN, "what is left of it cannot be read"),
    ({"etc/systemd/system/devdigest-worker.service": "[Service]"}, {}, WARN, "worker.service is not as"),
    ({"opt/devdigest/upgrade/last": "rolled-back 2026-11-22T01:02Z the upgrade to 0.2.0 failed: a service "
      "did not stay up"}, {}, WARN, "the upgrade to 0.2.0 failed"),
    ({"opt/devdigest/upgrade/last": "rolled-back 2026-11-22T01:02Z 0.1.0 runs, by your wish"}, {}, OK, ""),
    ({"opt/devdigest/upgrade/last": "upgraded 2026-11-22T01:02Z 0.2.0 runs"}, {}, OK, "")])
def test_what_became_of_a_release_is_told(tmp_path: Path, files: dict[str, str], tools: dict[str, str],
                                          state: str, words: str) -> None:
    release = installation_check.release(installed(tmp_path, files, tools))
    assert (release.state, words in release.fact) == (state, True)
    assert release.cure == ("" if state == OK else "sudo ./setup.sh")


def test_a_release_that_is_cut_off_or_gone_is_red(tmp_path: Path) -> None:
    machine = installed(tmp_path)
    (machine.root / RELEASE / ".complete").unlink()
    assert installation_check.release(machine).fact == "0.1.0-abc1234 is not complete"
    (machine.root / "opt/devdigest/current").unlink()
    assert installation_check.release(machine).state == RED


def test_on_a_checkout_nothing_is_asked_of_what_setup_installs(tmp_path: Path) -> None:
    machine = a_machine(tmp_path)
    assert {look(machine).state for look in (installation_check.release, installation_check.services,
                                             installation_check.journal, installation_check.updates)} == {
        NOT_ASKED}


# the services

@pytest.mark.parametrize(("web", "worker", "state", "words"), [
    (("loaded", "active", 0, "success"), ("loaded", "active", 0, "success"), OK, "web runs, worker runs"),
    (("loaded", "active", 0, "success"), ("loaded", "failed", 4, "watchdog"), RED,
     "web runs, worker failed as it hung"),
    (("loaded", "inactive", 0, "success"), ("loaded", "active", 0, "success"), RED, "web inactive,"),
    (("loaded", "active", 2, "success"), ("loaded", "active", 0, "success"), WARN, "restarted 2 times"),
    (("loaded", "activating", 1, "oom-kill"), ("loaded", "active", 0, "success"), RED, "as memory ran out"),
    (("not-found", "inactive", 0, "success"), ("not-found", "inactive", 0, "success"), NOT_ASKED, "setup")])
def test_how_the_services_run(tmp_path: Path, web: tuple, worker: tuple, state: str, words: str) -> None:
    said = "\n\n".join((SERVICE.format("web", *web), SERVICE.format("worker", *worker)))
    services = installation_check.services(a_machine(tmp_path, tools={"systemctl": says(said)}))
    assert (services.state, words in services.fact) == (state, True)
    if state == RED:
        assert services.cure.startswith(f"sudo systemctl restart devdigest-"
                                        f"{'worker' if 'worker failed' in words else 'web'}")


# what Debian does

@pytest.mark.parametrize(("conf", "kept", "state"), [
    ("[Journal]\n#Storage=auto", True, OK), ("[Journal]\n#Storage=auto", False, WARN),
    ("[Journal]\nStorage=persistent\n# 40-rpi\n[Journal]\nStorage=volatile", True, WARN),
    ("[Journal]\nStorage=volatile\n# 60-devdigest\n[Journal]\nStorage = persistent", False, OK)])
def test_the_last_word_on_the_journal_counts(tmp_path: Path, conf: str, kept: bool, state: str) -> None:
    files = {"var/log/journal/.keep": ""} if kept else {}
    machine = installed(tmp_path, files, {"systemd-analyze": says(conf)})
    assert installation_check.journal(machine).state == state


def test_updates_that_do_not_come_are_worth_a_word(tmp_path: Path) -> None:
    on, tool = {"etc/apt/apt.conf.d/20auto-upgrades": 'APT::Periodic::Unattended-Upgrade "1";'}, {
        "unattended-upgrade": ":"}
    assert installation_check.updates(installed(tmp_path)).cure == "sudo apt install unattended-upgrades"
    assert "switched off" in installation_check.updates(installed(tmp_path, {}, tool)).fact
    assert installation_check.updates(installed(tmp_path, on, tool)).state == OK
    assert installation_check.updates(installed(tmp_path, {"run/reboot-required": ""})).cure == "sudo reboot"


def test_the_zone_of_the_machine_is_told_where_it_is_another(config: Config, tmp_path: Path) -> None:
    machine = a_machine(tmp_path, {"etc/timezone": "Europe/Berlin\n"})
    assert installation_check.zone(config, machine).fact == (
        "Asia/Seoul; this machine and its journal: Europe/Berlin")
    (machine.root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Asia/Seoul")
    assert installation_check.zone(config, machine) == Finding("zone", OK, "Asia/Seoul")
