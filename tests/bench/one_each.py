"""`devdigest` with a transaction for each feed, as most readers of feeds write: what batches are held against."""
import sys

from devdigest import cli, collect


class OneEach(collect.Batch):
    def add(self, outcome: collect.Outcome) -> int:
        return super().add(outcome) + self.end()


if __name__ == "__main__":
    collect.Batch = OneEach
    sys.exit(cli.main(sys.argv[1:]))
