"""The night's care, by itself: what it costs a database is measured beside what a collect does."""
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from devdigest import config, database
from devdigest.care import care

if __name__ == "__main__":
    settings = config.load(Path(sys.argv[1]))
    database.open(settings.database.path)
    care(settings, datetime.now(UTC))
