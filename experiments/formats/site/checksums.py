"""Whether what was exported came as it was: nobody's figures change quietly on the way."""

from collections.abc import Mapping
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.origin import CHANGED, CHECKSUM, EXPORT_FORMAT, checksum
from experiments.formats.problems import join_path


def changed_problems(
    is_exported: bool, stated: str | None, record: Mapping[str, Any], path: str
) -> list[Problem]:
    """Return a problem where an exported record is not what its checksum was made from."""
    if not is_exported or stated == checksum(record):
        return []
    return [Problem(join_path(path, CHECKSUM), CHANGED, stated)]


def is_export(value: Any) -> bool:
    """Tell whether a document is an export of this site, or its first line."""
    head = value.get("export") if isinstance(value, dict) else None
    return isinstance(head, dict) and head.get("format") == EXPORT_FORMAT
