"""Troubles brought about one after the other in an installed machine: what the owner sees, and that the cure
works as it is printed. Minutes long; each leaves the machine well.
"""
import re
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from the_box import ROOT, Box, booted

pytestmark = [pytest.mark.box, pytest.mark.slow]

_HOME = "/home/pi/devdigest"
_CONFIG, _DATABASE = "/etc/devdigest/config.toml", "/var/lib/devdigest/devdigest.db"
_PASSWORD = "/etc/devdigest/credentials/smtp_password"
_SERVICES = "devdigest-web devdigest-worker"
TODAY = datetime.now(UTC).date()
# Noon by the site's clock, whenever this runs, and a relay and a blog on loopback.
SETTINGS = f"""[site]
clock = "trust"
url = "http://127.0.0.1:8080"
zone = "Etc/GMT{datetime.now(UTC).hour - 12:+d}"
language = "en"
owner = "owner@example.org"
[collect]
allow_private = true
gap = 0.0
[digest]
preview = ""
[mail]
transport = "smtp"
host = "127.0.0.1"
port = 2525
security = "none"
from = "digest@example.org"
connections = 1
[database]
path = "{_DATABASE}"
[backup]
where = "/var/lib/devdigest/backups"
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with booted("trouble", "--disk", "1500M") as box:
        _furnish(box)
        yield box


def _furnish(box: Box) -> None:
    box.push(ROOT, _HOME)
    box.run(f"cd {_HOME} && ./setup.sh --yes --sender digest@example.org --relay maildir --blogs none "
            f"--language en --name ''")
    box.push(ROOT / "tests/box_mail_host.py", "/srv/box_mail_host.py")
    for name in ("relay", "blog"):
        box.run(f"printf '[Service]\\nExecStart=/usr/bin/python3 /srv/box_mail_host.py {name}\\n' "
                f"> /etc/systemd/system/world-{name}.service")
    for unit in _SERVICES.split():
        box.run(f"mkdir -p /run/systemd/system/{unit}.service.d; printf '[Service]\\nRestartSec=2\\n' "
                f"> /run/systemd/system/{unit}.service.d/quick.conf")
    box.run(f"systemctl daemon-reload; systemctl start world-relay world-blog; systemctl stop {_SERVICES}; "
            f"cat > {_CONFIG} <<'END'\n{SETTINGS}END\n"
            "echo http://127.0.0.1:8099/rss > /srv/list.txt; devdigest blogs import /srv/list.txt; "
            "devdigest subscribers add ada@example.org --confirmed --source test")


def begun(box: Box) -> None:
    box.run(f"systemctl restart {_SERVICES}")


def until(box: Box, command: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while (done := box.try_to(command)).returncode:
        assert time.monotonic() < end, f"{command}: {done.stderr}{box.journal('devdigest-worker')[-3000:]}"
        time.sleep(1)
    return done.stdout


def are_at_work(box: Box) -> None:
    until(box, f"systemctl is-active {_SERVICES}")
    until(box, "curl -sf http://127.0.0.1:8080/health")


def relay_is_back(box: Box) -> None:
    box.run("systemctl start world-relay")
    until(box, "ss -ltn | grep -q :2525")


def said(box: Box, command: str) -> str:
    """All that a command printed, however it ended, on one line."""
    done = box.try_to(command)
    return " ".join((done.stdout + done.stderr).split())


def typed(box: Box, words: str) -> str:
    return box.run(words.strip().strip("`"))


def told(box: Box) -> int:
    """How many mails the owner has."""
    return int(box.run("grep -l ^owner@ /srv/mails/* 2>/dev/null | wc -l"))


def subjects(box: Box) -> list[str]:
    """Of Ada's mails, oldest first: by the days of their posts."""
    mails = box.run("for f in $(ls -tr /srv/mails/*); do grep -q ^ada@ $f && grep -h ^Subject $f; done; true")
    return re.findall(r"Post of (\S+)", mails)


def day(ago: int) -> date:
    return TODAY - timedelta(days=ago)


def test_without_a_relay_mails_wait_go_first_and_end_after_three_days_with_why(box: Box) -> None:
    box.run(f"devdigest run --today {day(6)}; systemctl stop world-relay")
    refused = box.try_to(f"devdigest run --today {day(5)}")
    assert (refused.returncode, "connection refused" in refused.stderr) == (1, True)
    assert "1 queued" in said(box, "devdigest status")
    assert "RED relay 127.0.0.1:2525: connection refused" in said(box, "devdigest check")
    relay_is_back(box)
    box.run(f"devdigest run --today {day(4)}")
    assert subjects(box) == [f"{day(ago):%m-%d}" for ago in (7, 6, 5)]
    box.run("systemctl stop world-relay")
    for ago in (3, 2, 1, 0):
        assert box.try_to(f"devdigest run --today {day(ago)}").returncode == 1
    assert re.search(r"given_up 0 .*connection refused", said(box, f"devdigest deliveries {day(3)}"))
    relay_is_back(box)
    box.run("devdigest deliver")
    assert subjects(box)[3:] == [f"{day(ago):%m-%d}" for ago in (3, 2, 1)]


def test_on_a_disk_nearly_full_it_stops_collecting_and_on_a_full_one_nothing_breaks(box: Box) -> None:
    begun(box)
    box.run("fallocate -l $(( $(df --output=avail -k /var | tail -1) - 90000 ))K /filler")
    until(box, "journalctl -u devdigest-worker -o cat | grep 'collect waits: '")
    assert said(box, "devdigest status").startswith("DISK")
    assert "RED disk" in said(box, "devdigest check")
    box.run("devdigest subscribers add bob@example.org --confirmed --source test")
    box.try_to("cat /dev/zero > /filler2; head -c 4096 /dev/zero >> /filler3")
    full = box.try_to("devdigest backup")
    assert (full.returncode, "make room" in full.stderr) == (1, True), full.stderr
    begun(box)
    are_at_work(box)
    assert said(box, "devdigest status").startswith("DISK 0 MB free")
    box.run("rm /filler*; devdigest collect")
    assert "DISK" not in said(box, "devdigest status")
    assert "ok database" in said(box, "devdigest check")
    assert "Traceback" not in box.journal("devdigest-worker")


@pytest.mark.parametrize("harm", [f"dd if=/dev/urandom of={_DATABASE} bs=4096 seek=2 count=30 conv=notrunc",
                                  f"truncate -s 60000 {_DATABASE}", f"rm {_DATABASE} {_DATABASE}-*"],
                         ids=["overwritten", "truncated", "deleted"])
@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
def test_a_database_that_is_lost_stops_all_mail_is_told_once_and_comes_back(box: Box, harm: str,
                                                                         running: bool) -> None:
    begun(box)
    are_at_work(box)
    box.run("devdigest backup")
    before, since = told(box), box.run("date +%s").strip()
    if running:
        box.run(harm)
    else:
        box.run(f"systemctl stop {_SERVICES}; touch {_DATABASE}-wal; {harm}; "
                f"systemctl start --no-block {_SERVICES}")
    until(box, "test -s /var/lib/devdigest/devdigest.db.lost")
    time.sleep(10)              # some more starts
    assert told(box) == before + 1
    status = said(box, "devdigest status")
    assert "nothing is mailed until it is there again" in status
    assert "devdigest restore" in said(box, "devdigest check")
    assert "Traceback" not in box.run(f"journalctl -u devdigest-worker -o cat --since @{since}")
    restored = typed(box, re.search(r"devdigest restore \S+", status)[0])
    assert "is whole and in place" in restored
    are_at_work(box)
    assert said(box, "devdigest status").startswith("HELD")
    assert "NO LOG" not in restored
    typed(box, "devdigest resume")
    assert not said(box, "devdigest status").startswith("HELD")
    box.run("rm -f /var/lib/devdigest/devdigest.db.damaged* /var/lib/devdigest/devdigest.db.before*")


def test_settings_that_are_broken_name_the_line_and_those_that_are_closed_or_gone_the_cure(box: Box) -> None:
    box.run(f"cp -p {_CONFIG} /root/kept; sed -i 's/^zone.*/zone = \"Mars\"/' {_CONFIG}")
    assert "[site] zone: expected a time zone" in said(box, "devdigest check")
    box.run(f"systemctl restart --no-block {_SERVICES}; cp -p /root/kept {_CONFIG}; "
            f"chown root:root {_CONFIG}; chmod 600 {_CONFIG}")
    typed(box, said(box, "devdigest status").partition("denied; ")[2])
    are_at_work(box)            # by itself
    box.run(f"rm {_CONFIG}")
    assert "`sudo ./setup.sh` writes it anew" in said(box, "devdigest status")
    box.run(f"cd {_HOME} && ./setup.sh --yes && devdigest status; cp -p /root/kept {_CONFIG}")
    begun(box)


def test_a_password_that_is_open_or_closed_to_the_service_names_the_cure(box: Box) -> None:
    box.run(f"printf secret > {_PASSWORD}; chown root:root {_PASSWORD}; chmod 600 {_PASSWORD}")
    typed(box, said(box, "devdigest status").partition("denied; ")[2])
    box.run(f"devdigest status; chmod 644 {_PASSWORD}")
    cure = re.search(r"RED config .* everyone on this machine → (.*?passw\S+)", said(box, "devdigest check"))
    typed(box, cure[1])
    assert "ok config" in said(box, "devdigest check")
    box.run(f"rm {_PASSWORD}")
    begun(box)
    are_at_work(box)


def test_a_clock_that_is_not_in_sync_holds_everything_up_until_it_is(box: Box) -> None:
    box.run(f"cp -p {_CONFIG} /root/kept; sed -i s/trust/check/ {_CONFIG}; rm -f /run/systemd/timesync/*")
    begun(box)
    until(box, "systemctl show -p StatusText devdigest-worker | grep 'waiting: the clock is not sync'")
    assert "RED clock" in said(box, "devdigest check")
    box.run("mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized")
    until(box, "systemctl show -p StatusText devdigest-worker | grep 'waiting; next issue'", 120)
    box.run(f"cp -p /root/kept {_CONFIG}")
    begun(box)


def test_a_service_that_is_killed_comes_back_and_check_says_how_often(box: Box) -> None:
    begun(box)
    for unit in _SERVICES.split():
        box.run(f"kill -9 $(systemctl show -p MainPID --value {unit})")
    time.sleep(1)
    are_at_work(box)
    assert "web runs, restarted 1 times, worker runs, restarted 1 times" in said(box, "devdigest check")


def test_without_the_network_it_goes_on_and_check_says_what_is_missing(box: Box) -> None:
    box.net(False)
    try:
        box.run("devdigest blogs add http://192.0.2.99/rss 2>&1 || true")
        assert "RED network" in said(box, "devdigest check")
        are_at_work(box)
    finally:
        box.net(True)
    assert "ok network" in said(box, "devdigest check")


def test_on_a_card_that_went_read_only_both_wait_and_say_so(box: Box) -> None:
    box.run(f"systemctl stop {_SERVICES}; cd /; mount --bind /var/lib/devdigest /var/lib/devdigest; "
            f"mount -o remount,ro,bind /var/lib/devdigest; systemctl start --no-block {_SERVICES}; sleep 4")
    try:
        for command in ("status", "check"):
            assert "is mounted read-only, as after errors of the card: `sudo reboot`" in said(
                box, f"devdigest {command}")
    finally:
        box.run("umount /var/lib/devdigest")
    are_at_work(box)
