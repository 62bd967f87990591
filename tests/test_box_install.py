"""A fresh installation in a throw-away machine, from nothing to the first issue in a Maildir."""
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from box_setup import HOME, hold, in_phase
from the_box import Box, booted

pytestmark = pytest.mark.box

ROOT = Path(__file__).parents[1]
_ANSWERS = "--yes --relay maildir --blogs none --language en --time 19:59"

# A server of the sample blogs, and the list of them, for as long as the machine runs.
_SAMPLE = f"""
import sys, threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo
sys.path.insert(0, "{HOME}")
from devdigest.sample_blogs import SampleBlogs
with SampleBlogs(datetime.now(ZoneInfo("Asia/Seoul"))) as sample:
    Path("/home/pi/list.yml").write_text(sample.list_of("people"), encoding="utf-8")
    threading.Event().wait()
"""
# What only a test wants: feeds on loopback, the host's clock believed, and any hour of the day.
_EDITS = r"""
sed -i 's/^time = .*/time = "00:02"\nlatest = "23:58"/' /etc/devdigest/config.toml
printf '\n[collect]\ntimes = ["00:00"]\nallow_private = true\ngap = 0.0\n' >> /etc/devdigest/config.toml
sed -i 's/^\[site\]/[site]\nclock = "trust"/' /etc/devdigest/config.toml
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with booted("install") as box:
        box.push(ROOT, HOME)
        yield box


@pytest.fixture(scope="module")
def installed(box: Box) -> str:
    """What the first run printed."""
    begun = time.monotonic()
    said = box.run(f"chown -R pi: {HOME}; chmod 700 /home/pi; {as_pi(f'sudo ./setup.sh {_ANSWERS}')}")
    print(f"installed in {time.monotonic() - begun:.0f} s")
    return said


def as_pi(command: str) -> str:
    return f"su - pi -c \"cd {HOME} && {command}\""


def test_without_root_it_prints_the_same_line_with_sudo(box: Box) -> None:
    tried = box.try_to(as_pi("./setup.sh --yes --name digest.example.org"))
    assert (tried.returncode, tried.stderr) == (
        2, "setup.sh: this needs root: sudo ./setup.sh --yes --name digest.example.org\n")


def test_without_answers_all_that_is_missing_is_told_and_nothing_is_touched(box: Box) -> None:
    everything = "cat /etc/passwd; find / -xdev -newer /tmp/mark -type f -not -path '/var/log/*'"
    before = box.run(f"touch /tmp/mark; sleep 1; {everything}")
    tried = box.try_to(as_pi("sudo ./setup.sh --yes"))
    assert tried.returncode == 2
    assert "--sender" in tried.stderr
    assert "--relay" in tried.stderr
    assert box.run(everything).replace("/home/pi/.sudo_as_admin_successful\n", "") == before


@pytest.mark.slow
def test_the_power_may_go_in_the_first_installation(box: Box) -> None:
    """The second run, which the others look at, begins on what that left."""
    hold(box, in_phase("switching"), "0.1.0", _ANSWERS)
    box.cut()
    assert box.run("systemctl is-system-running").strip() == "running"
    assert box.try_to("systemctl is-active devdigest-web devdigest-worker").stdout.split() == ["inactive"] * 2


def test_a_fresh_installation_ends_with_both_services_at_work(box: Box, installed: str) -> None:
    assert installed.splitlines()[-1].startswith("result=installed version=0.1.0-")
    assert "FAIL" not in installed
    assert max(map(len, installed.splitlines())) <= 80
    assert box.run("systemctl is-active devdigest-web devdigest-worker devdigest.target caddy").split() == \
        ["active"] * 4
    assert '"release": "0.1.0-' in box.run("python3 -c \"import urllib.request as u; "
                                           "print(u.urlopen('http://127.0.0.1:8080/health').read().decode())\"")


def test_the_second_run_says_unchanged(box: Box, installed: str) -> None:
    again = box.run(as_pi("sudo ./setup.sh --yes"))
    assert again.splitlines()[-1] == installed.splitlines()[-1].replace("installed", "unchanged")
    assert " ok    settings" not in again


def test_one_types_devdigest_with_sudo_and_it_acts_as_the_service(box: Box, installed: str) -> None:
    assert "next issue" in box.run(as_pi("sudo devdigest status"))
    refused = box.try_to(as_pi("devdigest status"))
    assert (refused.returncode, refused.stderr.count("sudo devdigest status")) == (2, 1)
    assert box.run("find /var/lib/devdigest ! -user devdigest").strip() == ""


def test_files_of_a_closed_home_can_be_named(box: Box, installed: str) -> None:
    box.run(as_pi("printf 'ada@example.org\\n' > readers.csv; chmod 600 readers.csv"))
    take_in = "sudo devdigest subscribers import readers.csv --confirmed --source test"
    assert "1 added" in box.run(as_pi(take_in))
    assert "1 known" in box.run(as_pi(take_in.replace("readers", "./readers")))
    # that right is for these commands alone
    assert box.try_to(as_pi("sudo devdigest --config readers.csv status")).returncode == 2
    box.run(as_pi("rm readers.csv"))        # without git it would count as a change of the code


def test_check_by_hand_may_read_what_the_kernel_says_and_no_service_may(box: Box, installed: str) -> None:
    assert "closed to this user" not in box.try_to(as_pi("sudo devdigest check --json")).stdout
    reader = box.run("getent group systemd-journal | cut -d: -f3").strip()
    for unit in ("web", "worker"):
        groups = f"grep ^Groups: /proc/$(systemctl show -P MainPID devdigest-{unit})/status"
        assert reader not in box.run(groups).split()


def test_a_lost_line_ends_only_the_following(box: Box, installed: str) -> None:
    cut = box.run(f"{HOME}/setup.sh --yes --now & "
                  "until pid=$(systemctl show -P MainPID devdigest-setup); [ $pid -gt 0 ]; do sleep 0.1; "
                  "done; "
                  "kill -STOP $pid; kill -HUP $!; wait $! || true; systemctl is-active devdigest-setup; "
                  "kill -CONT $pid")
    assert cut.splitlines()[-1] == "active"
    assert "result=" not in cut
    box.run("for i in $(seq 300); do systemctl is-active -q devdigest-setup || break; sleep 1; done")
    assert "result=unchanged" in box.run("cat /run/devdigest-setup.log")


def test_the_first_issue_comes_by_itself(box: Box, installed: str) -> None:
    box.run("cat > /root/sample.py <<'EOT'\n" + _SAMPLE + "EOT\n"
            "systemd-run -q --unit=sample python3 /root/sample.py; "
            "for i in $(seq 50); do test -s /home/pi/list.yml && break; sleep 0.1; done")
    box.run("systemctl stop devdigest-worker devdigest-web; rm /var/lib/devdigest/devdigest.db*" + _EDITS)
    box.run(as_pi("sudo devdigest init && sudo devdigest blogs import /home/pi/list.yml && "
                  "sudo devdigest subscribers add ada@example.org --confirmed --source test"))
    box.run("systemctl start devdigest.target devdigest-worker devdigest-web")
    mail = box.run("for i in $(seq 120); do cat /var/lib/devdigest/mail/new/* 2>/dev/null && exit; sleep 1; "
                   "done; journalctl -u devdigest-worker -n 30; exit 1")
    assert "To: ada@example.org" in mail
    warned = box.run("journalctl -q -p warning -u 'devdigest*' -o cat").splitlines()
    # until the edits above: the box has no clock of its own
    assert [line for line in warned if "clock is not synchronised" not in line] == []
