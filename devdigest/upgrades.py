"""The numbered steps from one version of the database to the next. Never change one that was released.

A new database is made at the newest version at once; a test compares both ways, from tests/schema-1.sql.
"""
from devdigest import fetching, fulltext, links

_TO_2 = (       # the site: consent from the form, links of one purpose, search, tags, counts
    "ALTER TABLE blog ADD COLUMN fault_kind TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE post ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE issue_post ADD COLUMN tags TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE issue_post ADD COLUMN readers INTEGER",
    "ALTER TABLE subscriber ADD COLUMN moving_to TEXT",
    "ALTER TABLE delivery ADD COLUMN purpose TEXT NOT NULL DEFAULT 'issue' "
    "CHECK (purpose IN ('issue', 'confirm', 'account', 'move'))",
    "UPDATE delivery SET purpose = 'confirm' WHERE issue_id IS NULL",
    "ALTER TABLE consent RENAME TO consent_1",
    "DROP INDEX consent_subscriber_id",
    """CREATE TABLE "consent" ("id" INTEGER NOT NULL PRIMARY KEY, "subscriber_id" INTEGER NOT NULL,
        "source" TEXT NOT NULL, "language" TEXT NOT NULL, "asked" TEXT, "asked_from" TEXT NOT NULL,
        "asked_by" TEXT NOT NULL, "wording" TEXT NOT NULL, "form" TEXT NOT NULL, "mailed" TEXT,
        "token" TEXT NOT NULL, "given" TEXT, "given_from" TEXT NOT NULL, "given_by" TEXT NOT NULL,
        FOREIGN KEY ("subscriber_id") REFERENCES "subscriber" ("id") ON DELETE CASCADE)""",
    """INSERT INTO consent SELECT id, subscriber_id, source, '', NULL, '', '', '', '', NULL, '', given, '', ''
        FROM consent_1""",
    "DROP TABLE consent_1",
    """CREATE INDEX "consent_subscriber_id" ON "consent" ("subscriber_id")""",
    """CREATE TABLE "event" ("day" TEXT NOT NULL,
        "name" TEXT NOT NULL CHECK (name IN ('asked', 'confirmed', 'cancelled', 'mailed')),
        "count" INTEGER NOT NULL, PRIMARY KEY ("day", "name")) WITHOUT ROWID""",
    # the days as they are in UTC: no zone is known here
    "INSERT INTO event SELECT substr(created, 1, 10), 'asked', count(*) FROM subscriber GROUP BY 1",
    "INSERT INTO event SELECT substr(confirmed, 1, 10), 'confirmed', count(*) FROM subscriber "
    "WHERE confirmed IS NOT NULL GROUP BY 1",
    "INSERT INTO event SELECT substr(cancelled, 1, 10), 'cancelled', count(*) FROM subscriber "
    "WHERE cancelled IS NOT NULL AND confirmed IS NOT NULL GROUP BY 1",
    "INSERT INTO event SELECT issue.day, 'mailed', count(*) FROM delivery "
    "JOIN issue ON issue.id = delivery.issue_id WHERE delivery.state = 'sent' GROUP BY 1",
    """CREATE TABLE "opened" ("reader" TEXT NOT NULL, "post" INTEGER NOT NULL, "day" TEXT NOT NULL,
        "at" TEXT NOT NULL, "hour" INTEGER NOT NULL, "times" INTEGER NOT NULL, "machine" INTEGER NOT NULL,
        PRIMARY KEY ("reader", "post"))""",
    """CREATE TABLE "click" ("post" INTEGER NOT NULL, "day" TEXT NOT NULL, "hour" INTEGER NOT NULL,
        "readers" INTEGER NOT NULL, "times" INTEGER NOT NULL,
        PRIMARY KEY ("day", "hour", "post")) WITHOUT ROWID""",
    """CREATE TABLE "attempt" ("id" INTEGER NOT NULL PRIMARY KEY, "asked" TEXT NOT NULL,
        "address" TEXT NOT NULL, "network" TEXT NOT NULL, "mailed" INTEGER NOT NULL)""",
    """CREATE INDEX "attempt_asked" ON "attempt" ("asked")""",
    """CREATE INDEX "attempt_address" ON "attempt" ("address")""",
    fulltext.TABLE,
    fulltext.FILL,
)

_TO_3 = ("ALTER TABLE blog ADD COLUMN essence TEXT NOT NULL DEFAULT ''",)

_TO_4 = (       # the collector: operators that want to be left alone, blogs that a run did not come to
    """CREATE TABLE "operator" ("name" TEXT NOT NULL PRIMARY KEY, "seconds" REAL NOT NULL, "not_before" TEXT)
        WITHOUT ROWID""",
    "ALTER TABLE run ADD COLUMN not_reached INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE run ADD COLUMN lanes INTEGER NOT NULL DEFAULT 0",
)

_FETCHING = ("fetched", "read", "status", "etag", "modified", "essence", "fault", "fault_kind", "failures",
             "not_before", "asked_to_wait", "moved_to", "moved_times")

_TO_5 = (       # what every collect writes apart from what only the owner changes
    """CREATE TABLE "fetching" ("blog_id" INTEGER NOT NULL PRIMARY KEY, "fetched" TEXT, "read" TEXT,
        "status" INTEGER, "etag" TEXT NOT NULL DEFAULT '', "modified" TEXT NOT NULL DEFAULT '',
        "validators" TEXT NOT NULL DEFAULT 'both', "essence" TEXT NOT NULL DEFAULT '',
        "fault" TEXT NOT NULL DEFAULT '', "fault_kind" TEXT NOT NULL DEFAULT '',
        "failures" INTEGER NOT NULL DEFAULT 0, "not_before" TEXT, "asked_to_wait" INTEGER NOT NULL DEFAULT 0,
        "moved_to" TEXT NOT NULL DEFAULT '', "moved_times" INTEGER NOT NULL DEFAULT 0,
        FOREIGN KEY ("blog_id") REFERENCES "blog" ("id"))""",
    f"INSERT INTO fetching (blog_id, {', '.join(_FETCHING)}) SELECT id, {', '.join(_FETCHING)} FROM blog",
    *(f"ALTER TABLE blog DROP COLUMN {column}" for column in _FETCHING),
    fetching.TRIGGER,
    "ALTER TABLE run ADD COLUMN written INTEGER",
)

_TO_6 = (       # what comes back: posts of providers, reports of each reader's mails, alarms of issues
    """CREATE TABLE "hook" ("id" INTEGER NOT NULL PRIMARY KEY, "digest" TEXT NOT NULL,
        "provider" TEXT NOT NULL, "received" TEXT NOT NULL, "headers" TEXT NOT NULL, "body" BLOB NOT NULL,
        "size" INTEGER NOT NULL)""",
    """CREATE UNIQUE INDEX "hook_digest" ON "hook" ("digest")""",
    """CREATE INDEX "hook_size" ON "hook" ("size")""",
    """CREATE TABLE "bounce" ("id" INTEGER NOT NULL PRIMARY KEY, "subscriber_id" INTEGER NOT NULL,
        "address" TEXT NOT NULL, "delivery_id" INTEGER, "issue_id" INTEGER, "at" TEXT NOT NULL,
        "day" TEXT NOT NULL, "kind" TEXT NOT NULL, "reason" TEXT NOT NULL, "status" TEXT NOT NULL,
        "said" TEXT NOT NULL, "source" TEXT NOT NULL, "proven" INTEGER NOT NULL, "permanent" INTEGER NOT NULL,
        "event" TEXT NOT NULL, "followed" TEXT NOT NULL CHECK (followed IN ('', 'suppressed', 'in doubt',
        'ignored')),
        FOREIGN KEY ("subscriber_id") REFERENCES "subscriber" ("id") ON DELETE CASCADE,
        FOREIGN KEY ("delivery_id") REFERENCES "delivery" ("id") ON DELETE SET NULL,
        FOREIGN KEY ("issue_id") REFERENCES "issue" ("id"))""",
    """CREATE INDEX "bounce_subscriber_id" ON "bounce" ("subscriber_id")""",
    """CREATE INDEX "bounce_address" ON "bounce" ("address")""",
    """CREATE INDEX "bounce_delivery_id" ON "bounce" ("delivery_id")""",
    """CREATE INDEX "bounce_issue_id" ON "bounce" ("issue_id")""",
    """CREATE INDEX "bounce_at" ON "bounce" ("at")""",
    """CREATE UNIQUE INDEX "bounce_once" ON "bounce" ("source", "event", "address") WHERE "event" != ''""",
    """CREATE TABLE "alarm" ("issue_id" INTEGER NOT NULL PRIMARY KEY, "since" TEXT NOT NULL,
        "said" TEXT NOT NULL, "decided" TEXT NOT NULL CHECK (decided IN ('', 'believed', 'ignored')),
        FOREIGN KEY ("issue_id") REFERENCES "issue" ("id"))""",
)

_TO_7 = (       # posts by their link: what the b-tree did, at a tenth of the bytes a day
    links.TABLE,
    links.PUT_IN,
    "DROP INDEX post_key",
)

_TO_8 = (       # what the owner was told of, and jobs that fail
    """CREATE TABLE "trouble" ("id" INTEGER NOT NULL PRIMARY KEY, "key" TEXT NOT NULL, "name" TEXT NOT NULL,
        "fact" TEXT NOT NULL, "cure" TEXT NOT NULL, "since" TEXT NOT NULL, "seen" TEXT NOT NULL, "told" TEXT,
        "gone" TEXT, "over" TEXT, "over_told" TEXT)""",
    """CREATE INDEX "trouble_key" ON "trouble" ("key")""",
    """CREATE TABLE "failure" ("job" TEXT NOT NULL PRIMARY KEY, "times" INTEGER NOT NULL,
        "since" TEXT NOT NULL, "said" TEXT NOT NULL) WITHOUT ROWID""",
)

_BESIDES = ("status", "etag", "modified", "essence", "fault", "fault_kind", "failures",
            "asked_to_wait", "moved_to", "moved_times")


def _second(column: str) -> str:
    """Of an instant as text: its second, counted from 1970; of none, none."""
    return f"CAST(strftime('%s', substr({column}, 1, 19)) AS INTEGER)"


_TO_9 = (       # what every collect writes anew is narrower, and indexes are put in order at night
    "DROP TRIGGER blog_fetching",
    "ALTER TABLE fetching RENAME TO fetching_8",
    """CREATE TABLE "fetching" ("blog_id" INTEGER NOT NULL PRIMARY KEY, "fetched" INTEGER, "read" INTEGER,
        "status" INTEGER, "etag" TEXT NOT NULL DEFAULT '', "modified" TEXT NOT NULL DEFAULT '',
        "validators" TEXT NOT NULL DEFAULT '', "essence" TEXT NOT NULL DEFAULT '',
        "fault" TEXT NOT NULL DEFAULT '', "fault_kind" TEXT NOT NULL DEFAULT '',
        "failures" INTEGER NOT NULL DEFAULT 0, "not_before" INTEGER,
        "asked_to_wait" INTEGER NOT NULL DEFAULT 0, "moved_to" TEXT NOT NULL DEFAULT '',
        "moved_times" INTEGER NOT NULL DEFAULT 0, FOREIGN KEY ("blog_id") REFERENCES "blog" ("id"))""",
    f"INSERT INTO fetching (blog_id, fetched, read, not_before, validators, {', '.join(_BESIDES)}) "
    f"SELECT blog_id, {_second('fetched')}, {_second('read')}, {_second('not_before')}, "
    f"replace(validators, 'both', ''), {', '.join(_BESIDES)} FROM fetching_8",
    "DROP TABLE fetching_8",
    fetching.TRIGGER,
    *fulltext.SETTINGS,
    *links.SETTINGS,
)

UPGRADES: tuple[tuple[str, ...], ...] = (_TO_2, _TO_3, _TO_4, _TO_5, _TO_6, _TO_7, _TO_8, _TO_9)
