"""`python -m devdigest`: the command line without an installed script."""
import sys

from devdigest.cli import main

if __name__ == "__main__":
    sys.exit(main())
