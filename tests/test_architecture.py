"""The floors: a module imports only from below, and sideways only what the map allows."""
import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "devdigest"
INSTALLER = sorted((PACKAGE.parent / "deploy/installer").glob("*.py"))

# From the ground up. Within a floor a module may import those named before it where the floor is a list in
# order (ground, records, core, edges); steps import no other step but those that all may use.
GROUND = ["", "days", "urls", "zones", "relays", "rules", "config", "credentials", "text", "dates", "tokens",
          "clock", "heap", "locks", "presence", "room", "likeness", "copies", "backups", "addresses",
          "recipients", "inflate", "terms", "wear", "notify", "watched", "journal"]
RECORDS = ["columns", "table", "segments", "memory", "departures", "links", "models", "fetching", "readers",
           "outbox", "bulk", "counts", "reports", "troubles", "fulltext", "upgrades", "database"]
CORE = ["wording", "essence", "validators", "encoding", "jsonfeed", "feed", "expat_driver", "scan", "entries",
        "recognise", "portions", "documents", "parse", "identity", "choose", "bloglists", "opml", "discover",
        "replies", "feedback", "points", "wire", "edition", "letter", "draft", "compose", "notices",
        "owner_words", "owner_mails", "charts", "throttle", "quota", "forecast", "signatures", "fates",
        "events", "mime", "bounce_words", "bounce_notice", "ses_notice", "returned", "status_report", "dsn",
        "finding", "mail_records"]
EDGES = ["deadline", "connections", "fetch", "pace", "turns", "lanes", "frames", "parse_child", "parsing",
         "dialogue", "greeting", "smtp", "maildir", "line", "group_commit", "openssl", "sns", "provider",
         "imap", "name_server", "second_place", "heartbeat", "machine", "kernel_log", "routes", "nat_pmp",
         "front_door", "upnp", "own_address"]
STEPS = ["suppressions", "subscribers", "expiry", "replay", "backup", "backup_check", "clicks", "letters",
         "ledger", "courier", "crew", "plan", "sign_up", "account", "subscriber_lists", "blogs", "moves",
         "intake", "outcomes", "collect", "publish", "deliver", "bounces", "search", "whereabouts", "stats",
         "care", "agenda", "doubt", "deliveries", "phone", "looks", "mail_check", "sender_check",
         "installation_check", "hardware_check", "network_check", "name_check", "site_check",
         "certificate_check", "bounce_check", "records_check", "day_check", "status", "check", "examine",
         "patch", "lookout", "hindsight", "owed", "to_owner", "week", "holding", "aftermath", "restore"]
DOORS = ["terminal", "web", "owner_jobs", "lost", "worker", "sample_blogs"]
ENTRY = ["context", "step_command", "collect_command", "deliver_command", "commands", "web_command",
         "state_commands", "stats_command", "blog_commands", "examined", "examine_command",
         "subscriber_commands", "backup_commands", "bounce_commands", "delivery_commands", "check_command",
         "arguments", "cli", "trial", "rehearse", "__main__"]
FLOORS = [GROUND, RECORDS, CORE, EDGES, STEPS, DOORS, ENTRY]
ORDER = [module for floor in FLOORS for module in floor]
SHARED_STEPS = {"suppressions", "subscribers", "clicks", "letters", "ledger", "courier", "crew", "plan",
                "agenda", "expiry", "replay", "backup", "backup_check", "aftermath", "phone", "looks",
                "mail_check", "sender_check", "installation_check", "hardware_check", "network_check",
                "name_check", "site_check", "certificate_check", "bounce_check", "records_check", "day_check",
                "lookout", "moves", "intake", "outcomes"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "devdigest":
            found |= {f"devdigest.{alias.name}" if alias.name in ORDER else "devdigest"
                      for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    ours = {name for name in found if name == "devdigest" or name.startswith("devdigest.")}
    return {name.split(".")[1] if "." in name else "" for name in ours}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_below(path: Path) -> None:
    name = name_of(path)
    assert name in ORDER, f"{name} has no place on the map in tests/test_architecture.py"
    for other in imported(path) - {name}:
        assert ORDER.index(other) < ORDER.index(name), f"{name} imports {other}, which stands above it"
        if name in STEPS:
            assert other not in set(STEPS) - SHARED_STEPS, f"the step {name} imports the step {other}"
        if name in EDGES:
            assert other not in RECORDS, f"the edge {name} imports {other}: an edge knows no records"


@pytest.mark.parametrize("path", [*modules(), *INSTALLER], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 300
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 40, f"{node.name} is too long"


@pytest.mark.parametrize("path", [*modules(), *INSTALLER], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_only_doors_look_at_the_clock() -> None:
    doors = {*DOORS, *ENTRY}
    for path in modules():
        if name_of(path) not in doors:
            source = path.read_text(encoding="utf-8")
            assert "datetime.now(" not in source, path
            assert "time.time(" not in source, path


def test_every_module_on_the_map_exists() -> None:
    assert {name_of(path) for path in modules()} == set(ORDER)
