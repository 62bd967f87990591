"""What `check` shows on an SSH terminal."""
from devdigest.check_command import lines
from devdigest.finding import IGNORED, NOT_ASKED, OK, RED, WARN, Finding
from devdigest.terminal import width

LAN = "no public name in [site] url: for the LAN alone"
FOUND = [
    Finding("disk", OK, "3,600 MB free at /var/lib/devdigest"),
    Finding("journal", WARN, "the logs of earlier boots are lost, and with them why it went wrong",
            "sudo ./setup.sh --reconfigure --yes --keep-logs yes"),
    Finding("card", NOT_ASKED, "the kernel's log is empty, or closed to this user"),
    Finding("cgnat", IGNORED, "the provider shares one address among many"),
    Finding("name", NOT_ASKED, LAN), Finding("outside", NOT_ASKED, LAN),
    Finding("spf", RED, "example.org has no SPF record",
            'example.org. TXT "v=spf1 include:spf.example.net ~all"')]


def test_findings_are_counted_told_with_their_cures_and_what_was_not_asked_comes_last() -> None:
    assert "\n".join(lines(FOUND)) == """\
1 RED, 1 warn, 1 ignored, 1 ok
 ok      disk        3,600 MB free at /var/lib/devdigest
 warn    journal     the logs of earlier boots are lost, and with them why it
                     went wrong
         → sudo ./setup.sh --reconfigure --yes --keep-logs yes
 ignored cgnat       the provider shares one address among many
 RED     spf         example.org has no SPF record
         → example.org. TXT "v=spf1 include:spf.example.net ~all"
 –       card: the kernel's log is empty, or closed to this user
 –       name, outside: no public name in [site] url: for the LAN alone"""


def test_no_line_is_wider_than_the_terminal_but_what_is_to_be_typed() -> None:
    long = [Finding("name", RED, "한국어로 쓴 긴 문장 " * 20, "sudo " + "x" * 99)]
    assert [width(line) > 80 for line in lines(long)].count(True) == 1


def test_where_all_is_well_that_is_the_first_word() -> None:
    assert list(lines([Finding("disk", OK, "well")])) == ["1 ok", " ok      disk        well"]
