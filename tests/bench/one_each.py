"""`devdigest` with a transaction for each feed: what its batches are held against."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from devdigest import cli, collect, outcomes


class OneEach(outcomes.Batch):
    def add(self, outcome: outcomes.Outcome) -> int:
        return super().add(outcome) + self.end()


if __name__ == "__main__":
    collect.Batch = OneEach
    sys.exit(cli.main(sys.argv[1:]))
