"""How the backups stand, for `status` and `check`."""
from datetime import datetime, timedelta
from typing import Any

from devdigest import backups
from devdigest.backup import COPIED, COPY_FAULT, FAULT
from devdigest.config import Config
from devdigest.finding import OK, RED, WARN, Finding
from devdigest.memory import Run, Setting

_LATE = timedelta(hours=50)         # a night without power, and one that failed
_COPY_LATE = timedelta(days=3)


def facts(config: Config) -> dict[str, Any]:
    run, there = Run.last("backup"), backups.found(config.backups)
    return {"newest": str(there[0]) if there else None, "count": len(there),
            "made": run and run.started.isoformat(timespec="seconds"), "said": run.said if run else "",
            "fault": Setting.read(FAULT) or "", "copy_to": config.backup.copy_to,
            "copied": Setting.read(COPIED), "copy_fault": Setting.read(COPY_FAULT) or ""}


def line(told: dict[str, Any], made: str) -> str:
    """What `status` says; `made`: when, in local time."""
    text = f"{made}: {told['said']}" if told["made"] else "none yet; `devdigest backup`"
    if told["count"]:
        text += f"; {told['count']} kept"
    if told["fault"]:
        text += f"; FAILED since: {told['fault']}"
    if told["copy_fault"]:
        text += f"; NOT COPIED: {told['copy_fault']}"
    return text


def finding(config: Config, now: datetime) -> Finding:
    """Its age, that it was proven and is there still, and its copy."""
    run, there = Run.last("backup"), backups.found(config.backups)
    cure = "devdigest backup"
    if fault := Setting.read(FAULT):
        return Finding("backup", RED, fault, f"{cure}, once that is mended")
    if not there:
        return Finding("backup", WARN if run is None else RED, f"none at {config.backups}", cure)
    if run is None:
        return Finding("backup", WARN, f"none since the database was restored; {len(there)} kept", cure)
    told = f"{run.started.astimezone(config.site.timezone):%Y-%m-%d %H:%M}, proven; {len(there)} kept"
    if now - run.started > _LATE:
        return Finding("backup", RED, f"the last one is of {told}", cure)
    if not config.backup.copy_to:
        return Finding("backup", OK, f"{told}; none on another disk: set [backup] copy_to")
    return _copy(config, now, told)


def _copy(config: Config, now: datetime, told: str) -> Finding:
    fault, copied = Setting.read(COPY_FAULT), Setting.read(COPIED)
    if fault:
        late = copied is None or now - datetime.fromisoformat(copied) > _COPY_LATE
        return Finding("backup", RED if late else WARN, f"{told}; not copied: {fault}", "devdigest backup")
    return Finding("backup", OK, f"{told}; copied to {config.backup.copy_to}")
