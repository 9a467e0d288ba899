"""Where answers are kept that are still good: each process's memory, or a Redis for all."""

from typing import Any

MOST_KEPT = 200
"""Answers in the memory of a process: 25 MB at most, by the largest that is kept."""

_PATIENCE_S = 0.5


def connection_settings(url: str | None) -> dict[str, Any]:
    """Return Django's settings of the cache; connects to nothing."""
    if url is None:
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": MOST_KEPT},
        }
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "benchsite",
        # A cache that is slower than making the answer anew helps nobody.
        "OPTIONS": {"socket_connect_timeout": _PATIENCE_S, "socket_timeout": _PATIENCE_S},
    }
