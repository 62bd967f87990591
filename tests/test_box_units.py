"""The two services under a real systemd, placed by hand: hardened, watched, quiet when idle, whatever the
clock says. Needs the box; minutes long.
"""
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from the_box import ROOT, Box, booted

pytestmark = pytest.mark.box

RELEASE = "/opt/devdigest/current"
SETTINGS = f"""[site]
name = "Test"
url = "http://127.0.0.1:8080"
zone = "Etc/GMT{datetime.now(UTC).hour - 12:+d}"
clock = "trust"
[collect]
allow_private = true
[mail]
maildir = "/var/lib/devdigest/mail"
[database]
path = "/var/lib/devdigest/devdigest.db"
"""
RECOVER = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
PROGRAM = f"""#!/bin/sh
export PYTHONPATH={RELEASE} PYTHONDONTWRITEBYTECODE=1
exec {RELEASE}/venv/bin/python -P -m devdigest "$@"
"""
TYPED = ("CREDENTIALS_DIRECTORY=/etc/devdigest/credentials setpriv --reuid devdigest --regid devdigest "
         f"--init-groups {RELEASE}/bin/devdigest --config /etc/devdigest/config.toml")


@pytest.fixture(scope="module", params=["bookworm", pytest.param("trixie", marks=pytest.mark.slow)])
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    with booted(f"units{request.param[:4]}", suite=request.param) as machine:
        _install(machine)
        yield machine


def _install(box: Box) -> None:
    box.run("apt-get -q update && apt-get -q install -y python3-venv faketime curl >/dev/null")
    box.run("useradd --system --shell /usr/sbin/nologin --no-create-home devdigest; "
            "install -d -m 750 -g devdigest /etc/devdigest /etc/devdigest/credentials; "
            f"mkdir -p {RELEASE}/bin && python3 -m venv {RELEASE}/venv")
    for name in ("devdigest", "requirements.txt"):
        box.push(ROOT / name, f"{RELEASE}/{name}")
    box.run(f"{RELEASE}/venv/bin/pip install -q -r {RELEASE}/requirements.txt")
    box.push(ROOT / "deploy/systemd", "/etc/systemd/system")
    for path, text in ((f"{RELEASE}/bin/devdigest", PROGRAM), ("/etc/devdigest/config.toml", SETTINGS),
                       ("/etc/systemd/system/devdigest-recover.service", RECOVER)):
        box.run(f"cat > {path} <<'END'\n{text}\nEND")
    box.run(f"chmod 755 {RELEASE}/bin/devdigest; chown root:devdigest /etc/devdigest/config.toml; "
            "chmod 640 /etc/devdigest/config.toml; systemctl daemon-reload")
    box.run(f"install -d -m 750 -o devdigest -g devdigest /var/lib/devdigest && {TYPED} init")
    box.run("systemctl start devdigest.target; sleep 3")


def until(box: Box, command: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while (done := box.try_to(command)).returncode:
        assert time.monotonic() < end, f"{command}: {done.stderr}{box.journal('devdigest-worker')}"
        time.sleep(1)
    return done.stdout


def shown(box: Box, unit: str, what: str) -> str:
    return box.run(f"systemctl show -p {what} --value {unit}").strip()


@pytest.mark.parametrize("unit", ["devdigest-web", "devdigest-worker"])
def test_systemd_finds_no_fault_and_little_exposure(box: Box, unit: str) -> None:
    done = box.try_to(f"systemd-analyze verify /etc/systemd/system/{unit}.service")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    said = box.run(f"systemd-analyze security --no-pager {unit}.service")
    assert float(re.search(r"Overall exposure level .*: ([\d.]+)", said)[1]) <= 1.5, said


def test_both_are_ready_and_say_what_they_do(box: Box) -> None:
    assert shown(box, "devdigest-web", "ActiveState") == "active"
    assert shown(box, "devdigest-web", "StatusText").startswith("site on http://127.0.0.1:8080")
    until(box, "systemctl show -p StatusText devdigest-worker | grep 'waiting; next issue'")
    assert '"ok"' in box.run("curl -sf http://127.0.0.1:8080/health")


def test_under_all_its_restrictions_it_does_the_whole_day(box: Box) -> None:
    """Fetches, parses in its child, makes an issue and mails it."""
    box.run("mkdir -p /srv/blog; now=$(date -R -d yesterday); cat > /srv/blog/rss <<END\n<rss version='2.0'>"
            "<channel><title>Blog</title><item><title>Hello</title><guid>1</guid><pubDate>$now</pubDate>"
            "</item></channel></rss>\nEND\n")
    box.run("systemd-run --unit=blog python3 -m http.server 8099 --bind 127.0.0.1 -d /srv/blog; sleep 1; "
            f"echo http://127.0.0.1:8099/rss > /srv/list.txt; {TYPED} blogs import /srv/list.txt; "
            f"{TYPED} subscribers add ada@example.org --confirmed")
    until(box, "ls /var/lib/devdigest/mail/new/*", 120)
    said = box.run("journalctl -u devdigest-worker -o cat --no-pager")
    assert "1 blogs, 1 read, 0 failed, 1 new posts" in said
    assert "deliver: 1 sent" in said
    assert "Traceback" not in said
    assert box.run("journalctl -u devdigest-worker -p warning -o cat --no-pager") == ""
    assert "ada@" not in said


def test_the_site_reaches_nothing_beyond_this_machine(box: Box) -> None:
    """The same restriction, tried by a program that may do nothing else."""
    box.run("systemd-run --unit=page python3 -m http.server 8098 --bind 0.0.0.0 -d /srv; sleep 1")
    there = box.run("hostname -I").split()[0]       # its own address, but not that of the loopback device
    limits = "-p IPAddressDeny=any -p IPAddressAllow=localhost"
    ask = "curl -sf -m 3 -o /dev/null http://{}:8098/"
    assert box.try_to(f"systemd-run -q --wait {limits} {ask.format('127.0.0.1')}").returncode == 0
    assert box.try_to(f"systemd-run -q --wait {ask.format(there)}").returncode == 0
    assert box.try_to(f"systemd-run -q --wait {limits} {ask.format(there)}").returncode != 0
    assert "0.0.0.0/0" in shown(box, "devdigest-web", "IPAddressDeny")


def test_who_does_not_answer_the_watchdog_is_ended_and_comes_back(box: Box) -> None:
    box.run("for unit in web worker; do mkdir -p /run/systemd/system/devdigest-$unit.service.d; printf "
            "'[Service]\\nWatchdogSec=6\\nRestartSec=1\\n' > /run/systemd/system/devdigest-$unit.service.d/"
            "quick.conf; done; systemctl daemon-reload; systemctl restart devdigest-web devdigest-worker")
    try:
        time.sleep(15)
        for unit in ("devdigest-web", "devdigest-worker"):
            assert shown(box, unit, "NRestarts") == "0"         # fed in time
            before = shown(box, unit, "MainPID")
            box.run(f"kill -STOP {before}")
            begun_again = f"test $(systemctl show -p NRestarts --value {unit}) = 1"
            until(box, f"{begun_again} && systemctl is-active {unit}")
            assert shown(box, unit, "MainPID") != before
            assert "Watchdog timeout" in box.journal(unit)
    finally:
        box.run("rm /run/systemd/system/devdigest-*.service.d/quick.conf; systemctl daemon-reload; "
                "systemctl restart devdigest-web devdigest-worker")


@pytest.mark.slow
def test_a_job_that_hangs_is_ended_by_the_watchdog(box: Box) -> None:
    """A password in a pipe into which nobody writes; ten minutes are granted to the job, two to the whole."""
    box.run("mkfifo -m 644 /etc/devdigest/slow; cp -p /etc/devdigest/config.toml /root/; printf '[bounces]\\n"
            "address = \"b@example.org\"\\nimap = \"127.0.0.1\"\\nuser = \"u\"\\npassword_file = "
            "\"/etc/devdigest/slow\"\\n' >> /etc/devdigest/config.toml; systemctl restart devdigest-worker")
    try:
        until(box, "test $(systemctl show -p NRestarts --value devdigest-worker) = 1", 15 * 60)
        said = box.run("journalctl -u devdigest-worker -o cat --no-pager")
        assert "bounces: no progress for 10 min" in said
        assert "credentials.py" in said         # where it hung: the dump of each thread
    finally:
        box.run("mv /root/config.toml /etc/devdigest/; rm /etc/devdigest/slow; "
                "systemctl restart devdigest-worker")


@pytest.mark.parametrize(("clock", "said"), [
    ("@1970-02-01 00:00:00", "the clock shows 1970-02-01 00:00 UTC, earlier than this release"),
    ("+366d", "")])
def test_by_a_wrong_clock_at_boot_nothing_is_done_before_the_owner_says_so(box: Box, clock: str,
                                                                          said: str) -> None:
    if "VERSION_CODENAME=bookworm" in box.run("cat /etc/os-release"):
        pytest.skip("libfaketime 0.9.10 of Debian 12 makes every sleep of Python fail with EINVAL")
    library = box.run("ls /usr/lib/*/faketime/libfaketime.so.1").strip()
    box.run("mkdir -p /run/systemd/system/devdigest-worker.service.d; cat > /run/systemd/system/"
            f"devdigest-worker.service.d/clock.conf <<'END'\n[Service]\nEnvironment=LD_PRELOAD={library}\n"
            f"Environment=\"FAKETIME={clock}\" FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_DISABLE_SHM=1\n"
            "END\n"
            "sed -i s/trust/check/ /etc/devdigest/config.toml; touch /run/systemd/timesync/synchronized "
            "|| { mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized; }; "
            "systemctl daemon-reload; systemctl restart devdigest-worker; sleep 5")
    try:
        assert shown(box, "devdigest-worker", "ActiveState") == "active"
        if said:
            assert said in shown(box, "devdigest-worker", "StatusText")
            return
        # it was in sync with a server that was wrong: believed, until it is mended
        box.run("rm /run/systemd/system/devdigest-worker.service.d/clock.conf; systemctl daemon-reload; "
                "systemctl restart devdigest-worker; sleep 5")
        assert "`devdigest resume --clock`" in shown(box, "devdigest-worker", "StatusText")
        assert box.try_to(f"{TYPED} check").returncode == 1
        box.run(f"{TYPED} resume --clock")
        until(box, "systemctl show -p StatusText devdigest-worker | grep 'waiting; next issue'", 150)
    finally:
        box.run("rm -f /run/systemd/system/devdigest-worker.service.d/clock.conf; sed -i s/check/trust/ "
                "/etc/devdigest/config.toml; systemctl daemon-reload; systemctl restart devdigest-worker")


def test_a_database_that_is_missing_is_said_and_not_made(box: Box) -> None:
    box.run("systemctl stop devdigest.target devdigest-web devdigest-worker; cd /var/lib/devdigest; "
            "mkdir /root/aside; mv devdigest.db* /root/aside/")
    try:
        assert box.try_to("systemctl start devdigest-worker").returncode != 0
        assert "devdigest.db: there is no database; `devdigest init`" in box.journal("devdigest-worker")
        assert box.try_to("ls /var/lib/devdigest/devdigest.db").returncode != 0
    finally:
        box.run("mv /root/aside/* /var/lib/devdigest/; systemctl restart devdigest.target devdigest-web "
                "devdigest-worker")


@pytest.mark.slow
def test_with_nothing_to_do_it_costs_next_to_nothing(box: Box) -> None:
    """PSS of both, share of a core, and what goes to the card a day."""
    units, seconds = ("devdigest-web", "devdigest-worker"), 180
    until(box, "systemctl show -p StatusText devdigest-worker | grep waiting")
    time.sleep(30)
    before = [_spent(box, unit) for unit in units]
    time.sleep(seconds)
    after = [_spent(box, unit) for unit in units]
    busy = sum(new[0] - old[0] for old, new in zip(before, after, strict=True)) / 1_000_000 / seconds
    written = sum(new[1] - old[1] for old, new in zip(before, after, strict=True)) * 86_400 / seconds
    memory = sum(new[2] for new in after)
    print(f"idle: {memory / 1000:.0f} MB, {busy:.3%} of a core, {written / 1e6:.1f} MB a day")
    assert memory < 90_000
    assert busy < 0.005
    assert written < 10_000_000


def _spent(box: Box, unit: str) -> tuple[int, int, int]:
    """Microseconds of the processor, bytes to the disk, KiB of memory."""
    group, process = shown(box, unit, "ControlGroup"), shown(box, unit, "MainPID")
    said = box.run(f"grep usage_usec /sys/fs/cgroup{group}/cpu.stat; grep ^write_bytes /proc/{process}/io; "
                   f"grep ^Pss: /proc/{process}/smaps_rollup")
    return tuple(map(int, re.findall(r"\d+", said)))[:3]
