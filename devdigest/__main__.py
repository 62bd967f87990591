"""`python -m devdigest`: the command line without an installed script."""
import sys

from devdigest.cli import main

if __name__ == "__main__":
    # names of blogs are Korean, and a terminal need not be able to show them
    sys.stdout.reconfigure(errors="replace")
    sys.stderr.reconfigure(errors="replace")
    sys.exit(main())
