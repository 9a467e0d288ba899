"""What can be chosen to filter by: values that there are, whether or not anything passes now."""

from dataclasses import dataclass

from experiments.grid import sql

_OFFERED = """
SELECT DISTINCT 'backend', backend, NULL, NULL FROM experiments_gridcell
UNION ALL
(SELECT 'quantization', quantization, NULL, NULL FROM experiments_gridcell
 UNION
 SELECT 'quantization', variant.quantization, NULL, NULL
 FROM benchmarks_benchmarkscore score
 JOIN benchmarks_modelvariant variant ON variant.id = score.variant_id
 WHERE score.review_state = 'published')
UNION ALL
(SELECT 'platform', key, name, category FROM hardware_platform
 WHERE id IN (SELECT platform_id FROM experiments_gridcell) ORDER BY name)
"""


@dataclass(frozen=True, kw_only=True)
class Offered:
    """The backends, quantizations and platforms (key, name, category) that have results."""

    backends: tuple[str, ...]
    quantizations: tuple[str, ...]
    platforms: tuple[tuple[str, str, str | None], ...]


def read_offered() -> Offered:
    """Return what can be chosen: one query, whose cost grows with combinations of choices."""
    rows = sql.rows_of(_OFFERED, ())
    return Offered(
        backends=tuple(row[1] for row in rows if row[0] == "backend"),
        quantizations=tuple(row[1] for row in rows if row[0] == "quantization"),
        platforms=tuple(row[1:] for row in rows if row[0] == "platform"),
    )
