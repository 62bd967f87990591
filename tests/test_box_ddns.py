"""devdigest-ddns.service on a real systemd: its sandbox, its patience, no network when the machine boots."""
import json
import re
import time
from collections.abc import Iterator

import pytest
from the_box import ROOT, Box, booted

pytestmark = [pytest.mark.box, pytest.mark.slow]

PROVIDER = "dyn.example.org"        # found only once the network is there
WRITE = f"""
import sys
from installer import ddns
from installer.answers import Answers
from installer.layout import Layout
answers = Answers(name="ada.example.org", ddns="dyndns2", ddns_server="http://127.0.0.1:8245",
                  ddns_user="ada")
print(*ddns.write(Layout(), answers, sys.argv[1], ("http://{PROVIDER}:8245/ip",)))
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with booted("ddns") as box:
        box.push(ROOT, "/opt/devdigest/current")
        box.run("command -v curl || "
                "(apt-get update -q && apt-get install -y -q --no-install-recommends curl </dev/null)")
        serve(box)
        network(box, True)
        by_timer(box)
        configure(box, "s3cret")
        yield box


def serve(box: Box) -> None:
    box.run("systemd-run -q --unit=provider python3 /opt/devdigest/current/tests/dyndns.py 8245; sleep 1")


def network(box: Box, there: bool) -> None:
    """Whether the name of the provider is found."""
    box.run(f"echo '127.0.0.1 {PROVIDER}' >> /etc/hosts" if there else f"sed -i /{PROVIDER}/d /etc/hosts")


def configure(box: Box, secret: str) -> None:
    box.run("cd / && PYTHONPATH=/opt/devdigest/current/deploy:/opt/devdigest/current python3 -P - "
            f"{secret} <<'EOF'\n{WRITE}\nEOF\n"
            "systemctl daemon-reload; systemctl enable -q --now devdigest-ddns.timer")


def by_timer(box: Box, so: bool = True) -> None:
    """Whether turns are such as the timer begins: systemd tells them so."""
    place = "/run/systemd/system/devdigest-ddns.service.d"
    box.run((f"mkdir -p {place} && printf '[Service]\\nEnvironment=TRIGGER_UNIT=timer\\n' > {place}/turn.conf"
             if so else f"rm -r {place}") + " && systemctl daemon-reload")


def asked(box: Box) -> list[str]:
    found: list[str] = json.loads(box.run("curl -s http://127.0.0.1:8245/asked"))
    return [path for path in found if path.startswith("/nic/")]


def state(box: Box) -> dict[str, str]:
    found: dict[str, str] = json.loads(box.run("su -s /bin/sh nobody -c 'cat /run/devdigest-ddns.json'"))
    return found


def turn(box: Box) -> None:
    box.run("systemctl start devdigest-ddns")


def test_the_first_turn_comes_with_the_timer_and_registers_the_address(box: Box) -> None:
    for _ in range(40):
        if "verdict" in box.run("cat /run/devdigest-ddns.json 2>/dev/null || true"):
            break
        time.sleep(0.5)
    assert (state(box)["verdict"], state(box)["address"]) == ("good", "8.8.4.4")
    turn(box)
    assert len(asked(box)) == 1, "nothing changed, so nobody was asked"


def test_a_new_address_is_registered_at_the_next_turn(box: Box) -> None:
    box.run("curl -s 'http://127.0.0.1:8245/control?address=8.8.8.8'")
    turn(box)
    assert state(box)["address"] == "8.8.8.8"
    assert len(asked(box)) == 2


def test_the_journal_has_a_line_for_what_changed_and_none_for_turns_and_secrets(box: Box) -> None:
    said = box.journal("devdigest-ddns")
    assert said.count("good 8.8.") == 2
    assert "Starting" not in said
    assert "s3cret" not in said


def test_a_wrong_password_is_tried_once_and_a_new_one_at_once(box: Box) -> None:
    configure(box, "wrong")
    for _ in range(3):
        turn(box)
    assert (state(box)["verdict"], state(box)["words"]) == ("refused", "badauth")
    assert len(asked(box)) == 3
    configure(box, "s3cret")
    turn(box)
    assert state(box)["verdict"] == "good"


def test_by_hand_it_is_asked_whatever_was_known(box: Box) -> None:
    before = len(asked(box))
    turn(box)
    assert len(asked(box)) == before
    by_timer(box, False)
    box.run("systemctl restart devdigest-ddns")
    by_timer(box)
    assert len(asked(box)) == before + 1


def test_a_provider_that_hangs_is_let_go_and_asked_later(box: Box) -> None:
    box.run("curl -s 'http://127.0.0.1:8245/control?mode=hang&address=8.8.4.4'")
    began = time.monotonic()
    turn(box)
    assert 10 < time.monotonic() - began < 28
    assert (state(box)["verdict"], "timed out" in state(box)["words"]) == ("later", True)
    box.run("curl -s 'http://127.0.0.1:8245/control?mode=good'")
    by_timer(box, False)
    turn(box)
    by_timer(box)
    assert state(box)["address"] == "8.8.4.4"


def test_no_network_at_boot_heals_by_itself(box: Box) -> None:
    network(box, False)
    box.run("sync")
    box.cut()
    serve(box)
    by_timer(box)
    turn(box)
    assert "not known" in box.journal("devdigest-ddns")
    assert not asked(box), "without an own address nothing is registered"
    network(box, True)
    turn(box)
    assert state(box)["verdict"] == "good"
    assert "devdigest-ddns.timer" in box.run("systemctl list-timers --no-legend")


def test_the_secret_is_roots_and_the_sandbox_is_tight(box: Box) -> None:
    assert box.run("stat -c '%U %a' /etc/devdigest/ddns/secret") == "root 600\n"
    told = box.run("systemd-analyze security devdigest-ddns.service --no-pager | tail -1")
    assert float(re.search(r"level for \S+: ([\d.]+)", told)[1]) <= 1.5, told
    assert not box.run("systemd-analyze verify /etc/systemd/system/devdigest-ddns.* 2>&1").strip()


def test_nothing_of_it_is_left(box: Box) -> None:
    box.run("systemctl disable -q --now devdigest-ddns.timer; "
            "cd / && PYTHONPATH=/opt/devdigest/current/deploy:/opt/devdigest/current python3 -P -c "
            "'from installer import ddns; from installer.layout import Layout; ddns.remove(Layout())'; "
            "systemctl daemon-reload")
    assert not box.run("ls -d /etc/devdigest/ddns /etc/systemd/system/devdigest-ddns* 2>/dev/null || true")
