"""Units of measurement: which spellings mean the same, and how one converts to another."""

from dataclasses import dataclass


class UnitError(ValueError):
    """A unit that is not known, or that cannot be converted to the one a metric needs."""


@dataclass(frozen=True)
class _Unit:
    dimension: str
    factor: float
    """How many base units of the dimension one of this unit is."""


_SPELLINGS: dict[tuple[str, float], tuple[str, ...]] = {
    ("tokens per time", 1): (
        "tok/s",
        "tokens/s",
        "token/s",
        "tokens/sec",
        "tok/sec",
        "t/s",
        "tps",
        "toks/s",
        "tokens per second",
        "tokens_per_second",
    ),
    ("tokens per time and user", 1): ("tok/s/user", "tokens/s/user", "tokens/sec/user"),
    ("tokens per time and GPU", 1): ("tok/s/gpu", "tokens/s/gpu", "tokens/sec/gpu"),
    ("tokens per time", 1 / 60): ("tok/min", "tokens/min", "tokens per minute"),
    ("requests per time", 1): (
        "req/s",
        "reqs/s",
        "requests/s",
        "requests/sec",
        "req/sec",
        "rps",
        "requests per second",
        "queries/s",
    ),
    ("requests per time", 1 / 60): ("req/min", "requests/min", "requests per minute"),
    ("time", 1): ("s", "sec", "secs", "second", "seconds", "s/token"),
    ("time", 1e-3): ("ms", "msec", "millisecond", "milliseconds", "ms/token"),
    ("time", 1e-6): ("us", "µs", "μs", "usec", "microsecond", "microseconds"),
    ("time", 1e-9): ("ns", "nsec", "nanosecond", "nanoseconds"),
    ("time", 60): ("min", "minute", "minutes"),
    ("memory", 1): ("b", "byte", "bytes"),
    ("memory", 1e3): ("kb", "kilobyte", "kilobytes"),
    ("memory", 1e6): ("mb", "megabyte", "megabytes"),
    ("memory", 1e9): ("gb", "gigabyte", "gigabytes"),
    ("memory", 1e12): ("tb", "terabyte", "terabytes"),
    ("memory", 2**10): ("kib", "kibibyte", "kibibytes"),
    ("memory", 2**20): ("mib", "mebibyte", "mebibytes"),
    ("memory", 2**30): ("gib", "gibibyte", "gibibytes"),
    ("memory", 2**40): ("tib", "tebibyte", "tebibytes"),
    ("power", 1): ("w", "watt", "watts"),
    ("power", 1e-3): ("mw", "milliwatt", "milliwatts"),
    ("power", 1e3): ("kw", "kilowatt", "kilowatts"),
    ("energy per token", 1): ("j/token", "j/tok", "joules/token", "joules per token"),
    ("energy per token", 1e-3): ("mj/token", "mj/tok"),
    ("tokens per energy", 1): ("tok/kwh", "tokens/kwh"),
    ("share", 1): ("%", "percent"),
    ("share", 100): ("ratio", "fraction"),
}
# A share may be written without its "per user": the metric's name says it.
_ALSO_TAKES = {
    "tokens per time and user": "tokens per time",
    "tokens per time and GPU": "tokens per time",
}
_MEGAWATT = _Unit("power", 1e6)
_BITS = {"Kb", "Mb", "Gb", "Tb"}
_UNITS = {
    spelling: _Unit(dimension, factor)
    for (dimension, factor), spellings in _SPELLINGS.items()
    for spelling in spellings
}


def convert(value: float, unit: str, to_unit: str) -> float:
    """Return `value`, given in `unit`, in `to_unit` (a unit of the registry); raises UnitError."""
    return value * factor_between(unit, to_unit)


def factor_between(unit: str, to_unit: str) -> float:
    """Return by what a figure in `unit` is multiplied to be in `to_unit` (of the registry).

    Raises UnitError, with a sentence that says which units would be right, when `unit` is not
    known or measures something else.
    """
    target = _UNITS[to_unit.lower()]
    source = _find(unit)
    if source is None or source.dimension not in (
        target.dimension,
        _ALSO_TAKES.get(target.dimension),
    ):
        accepted = ", ".join(_examples(target.dimension))
        problem = "is not a known unit" if source is None else f"measures {source.dimension}"
        raise UnitError(f"“{unit}” {problem}; this metric takes {accepted}.")
    return source.factor / target.factor


def _find(unit: str) -> _Unit | None:
    """Return the unit of a spelling; capitals count only where they tell units apart."""
    tidy = " ".join(unit.split())
    if tidy == "MW":
        return _MEGAWATT
    return None if tidy in _BITS else _UNITS.get(tidy.lower())


def _examples(dimension: str) -> list[str]:
    """Return the main spelling of each unit of a dimension."""
    return [
        _display(spellings[0])
        for (candidate, _factor), spellings in _SPELLINGS.items()
        if candidate == dimension
    ]


def _display(spelling: str) -> str:
    """Return a unit's spelling with the capitals that people expect."""
    capitals = {"gb": "GB", "mb": "MB", "kb": "kB", "tb": "TB", "w": "W", "kw": "kW", "mw": "mW"}
    binary = {"kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB", "b": "B"}
    return {**capitals, **binary, "j/token": "J/token", "mj/token": "mJ/token"}.get(
        spelling, spelling
    ).replace("kwh", "kWh")
