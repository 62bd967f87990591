#!/usr/bin/env bash
# Sets DevDigest up: as root it installs the appliance, or upgrades it. Without root, `try` shows the whole job
# on sample blogs, and `test` runs the tests.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/.venv"
# nothing is left beside .venv and var
export PYTHONPYCACHEPREFIX="$venv/pycache" HYPOTHESIS_STORAGE_DIRECTORY="$venv/hypothesis"

usage() {
    cat <<'EOF'
usage: sudo ./setup.sh [OPTIONS]            install the appliance; again: upgrade it (--help tells the rest)
       ./setup.sh try [--once] [--port N]   the whole job on sample blogs; no root, no questions
       ./setup.sh test [ARGS]               install what the tests need, then run them (ARGS go to pytest)
EOF
}

die() {
    printf 'setup.sh: %s\n' "$*" >&2
    exit 1
}

need_python() {
    command -v python3 >/dev/null || die "python3 is missing: sudo apt install python3 python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "Python 3.11 or newer is needed, this is $(python3 --version); Debian 12 brings it"
}

need_venv() {
    python3 -c 'import venv, ensurepip' 2>/dev/null || die "venv is missing: sudo apt install python3-venv"
}

# What .venv was made from: made anew when Python or a pinned version changes.
fingerprint() {
    { python3 --version && cat "$here"/requirements.txt "$here"/requirements-dev.txt; } | sha256sum
}

installed() {
    [ -f "$venv/.$1" ] && [ "$(cat "$venv/.$1")" = "$(fingerprint)" ]
}

# install_requirements NAME [INCLUDED]: NAME.txt, which brings INCLUDED.txt along.
install_requirements() {
    installed "$1" && return
    say_step "installing $1.txt into .venv"
    installed requirements || python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/$1.txt" ||
        die "the packages could not be fetched: is there a way to the internet? (pip's words above)"
    write_launcher
    local list
    for list in "$@"; do
        fingerprint > "$venv/.$list"
    done
}

# What the owner types: it works from any folder, and leaves no compiled files in the checkout.
write_launcher() {
    cat > "$venv/bin/devdigest" <<'EOF'
#!/bin/sh
here=$(cd "$(dirname "$0")/../.." && pwd)
export PYTHONPATH="$here" PYTHONPYCACHEPREFIX="$here/.venv/pycache"
exec "$here/.venv/bin/python" -m devdigest "$@"
EOF
    chmod +x "$venv/bin/devdigest"
}

say_step() {
    printf '→ %s\n' "$*" >&2
}

try_out() {
    need_python
    need_venv
    install_requirements requirements
    cd "$here"
    exec "$venv/bin/python" -m devdigest.trial "$@"
}

run_tests() {
    need_python
    need_venv
    install_requirements requirements-dev requirements
    cd "$here"
    exec "$venv/bin/python" -m pytest "$@"
}

# The installer is Python's own library alone: nothing is fetched before it has looked at the machine.
install_appliance() {
    export PYTHONDONTWRITEBYTECODE=1
    need_python
    if [ "$(id -u)" -ne 0 ]; then
        printf 'setup.sh: this needs root: sudo ./setup.sh%s\n' "${*:+ $*}" >&2
        exit 2
    fi
    # -P: whatever lies in the folder where it is typed is not taken for a module
    PYTHONPATH="$here/deploy:$here" exec python3 -P -m installer "$@"
}

main() {
    case "${1-}" in
        try) shift; try_out "$@" ;;
        test) shift; run_tests "$@" ;;
        -h | --help)
            usage
            PYTHONPATH="$here/deploy:$here" PYTHONDONTWRITEBYTECODE=1 python3 -P -m installer --help
            ;;
        "" | -*) install_appliance "$@" ;;
        *) usage >&2; exit 2 ;;
    esac
}

main "$@"
