"""DevDigest: reads developer blogs and mails yesterday's posts every morning."""
from datetime import UTC, datetime

__version__ = "0.1.0"

# No trustworthy clock shows an earlier time than this: a Pi without a battery clock wakes up in the past.
RELEASED = datetime(2026, 11, 22, tzinfo=UTC)
