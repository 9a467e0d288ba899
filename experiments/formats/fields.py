"""Fields that several formats share: numbers that are numbers, times that can be stored."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100


def _moment(value: Any) -> datetime:
    """Read an ISO 8601 time; numbers are refused, for nobody can tell seconds from days.

    A time with a zone is returned in UTC, one without as it is.
    """
    if not isinstance(value, str):
        raise ValueError("A time is written like 2026-11-20T09:30:00Z.")  # noqa: TRY004 - pydantic
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("A time is written like 2026-11-20T09:30:00Z.") from None
    # A year at the edge is refused before it is moved to UTC, where it may leave the calendar.
    _check_year(moment)
    moment = moment.astimezone(UTC) if moment.tzinfo else moment
    _check_year(moment)
    return moment


def _check_year(moment: datetime) -> None:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(
            f"The year of a measurement lies between {EARLIEST_YEAR} and {LATEST_YEAR}."
        )


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("A number is needed here, not true or false.")  # noqa: TRY004 - pydantic
    return value


Time = Annotated[datetime, BeforeValidator(_moment)]
NotBoolean = BeforeValidator(_no_boolean)
