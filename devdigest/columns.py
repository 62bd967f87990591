"""Columns that keep instants and calendar days so that their order is the order of time."""
from datetime import UTC, date, datetime, timedelta

from peewee import IntegerField, TextField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UtcField(TextField):
    """An aware instant as `2026-11-22T01:00:00.000000Z`: text order is time order. A naive one is refused."""

    def db_value(self, value: datetime | None) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a zone: {value}")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def python_value(self, value: str | None) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class NarrowUtcField(IntegerField):
    """An instant's second, counted from 1970: a seventh of the bytes, where every collect writes all rows."""

    def db_value(self, value: datetime | None) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without a zone: {value}")
        return (value - _EPOCH) // timedelta(seconds=1)

    def python_value(self, value: int | None) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(seconds=value)


class UsualField(TextField):
    """Text of which the usual one, its default, takes no byte."""

    def db_value(self, value: str) -> str:
        return "" if value == self.default else value

    def python_value(self, value: str) -> str:
        return value or self.default


class DayField(TextField):
    """A calendar day as `2026-11-22`."""

    def db_value(self, value: date | None) -> str | None:
        return None if value is None else value.strftime("%Y-%m-%d")

    def python_value(self, value: str | None) -> date | None:
        return None if value is None else date.fromisoformat(value)


class WhenField(UtcField):
    """What a feed declares: an aware instant, or a calendar day without a time."""

    def db_value(self, value: datetime | date | None) -> str | None:
        if isinstance(value, datetime) or value is None:
            return super().db_value(value)
        return value.isoformat()

    def python_value(self, value: str | None) -> datetime | date | None:     # type: ignore[override]
        return date.fromisoformat(value) if value and len(value) == 10 else super().python_value(value)
