"""setup.sh in the box, and held still at a moment of its work, for the power to go or a kill to come."""
from the_box import Box

HOME = "/home/pi/devdigest"
OPT = "/opt/devdigest"
LOG = "/run/devdigest-setup.log"

# Moments, as bash's own words can tell them without starting a program, which would be too slow; $new is the
# release that comes, $pid the work.
BEGUN = "true"
FETCHING = "[[ -e $new/venv/bin/pip ]]"
REHEARSING = f"[[ -e {OPT}/upgrade/database/rehearsal.db ]]"
SWITCHED = f"[[ -e {OPT}/upgrade/state && {OPT}/current -ef $new ]]"
OVER = "[[ ! -e /proc/$pid ]]"


def in_phase(phase: str) -> str:
    return f"{{ read -r line < {OPT}/upgrade/state; }} 2> /dev/null && [[ $line == *'\"{phase}\"'* ]]"


def told(box: Box, flags: str) -> str:
    """What it prints, whatever comes of it."""
    done = box.try_to(f"cd {HOME} && ./setup.sh --yes {flags}")
    print(done.stdout, done.stderr)
    return done.stdout


def set_up(box: Box, flags: str = "--now") -> str:
    """The last line, which tells the result."""
    return told(box, flags).splitlines()[-1]


def hold(box: Box, moment: str, version: str, flags: str = "--now") -> None:
    """Sets that version up, and holds the work still at the moment; fails where it came to its end before."""
    box.run(f"""sync; cd {HOME}; ./setup.sh --yes {flags} > /dev/null 2>&1 &
        until pid=$(systemctl show -P MainPID devdigest-setup) && [[ $pid -gt 0 ]]; do sleep 0.05; done
        until {{ {moment}; }}; do
            for new in {OPT}/releases/{version}-*; do :; done
            [[ -e /proc/$pid ]] || {{ {moment}; }} || {{ cat {LOG}; exit 1; }}
        done
        kill -STOP $pid 2> /dev/null || {OVER}""")
