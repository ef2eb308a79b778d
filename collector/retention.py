"""What is forgotten, and when: events about single crossings and visits first, sums never by this.

Times are those of arrival, by the collector's own clock: a device's wrong clock cannot keep anything longer.
"""

from __future__ import annotations

from typing import Final

from collector.database import Database
from collector.ledger import forget

EVENT_DAYS: Final = 30  # long enough to check a week's numbers against its events twice
QUARANTINE_DAYS: Final = 180  # as long as an old recipient key is kept
DAY_MS: Final = 86_400_000


def retain(database: Database, now_ms: int, event_days: int = EVENT_DAYS) -> dict[str, int]:
    """Remove what is older than it may be; how many rows of each."""
    with database.transaction():
        return {
            "event": database.changed("DELETE FROM event WHERE received_ms < ?", (now_ms - event_days * DAY_MS,)),
            "quarantine": database.changed("DELETE FROM quarantine WHERE received_ms < ?", (now_ms - QUARANTINE_DAYS * DAY_MS,)),
            "ledger": forget(database, now_ms),
        }
