"""The questions of one request to the grid, each a query whatever the number of rows."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models.expressions import RawSQL

from benchmarks.models import Benchmark, BenchmarkScore
from experiments.grid import sql
from experiments.grid.columns import COLUMNS, TABLES, WIDTH
from experiments.grid.counts import read_counts
from experiments.grid.criteria import SORT_KEYS, GridCriteria
from experiments.grid.filters import EVERYTHING, Where
from experiments.grid.rows import ConfigurationRow, GridPage, ModelRow, row_key

DEFAULT_BENCHMARK = "mmlu"

_PAGE = """
WITH {tables}, best AS ({best}), found AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY {order}) AS position
    FROM best ORDER BY position LIMIT %s OFFSET %s
), qualifying AS (
    SELECT model_id, count(DISTINCT cfg_platform) AS platforms FROM ({counted}) counted
    GROUP BY model_id
)
SELECT {columns}, found.platforms, coalesce(qualifying.platforms, 0)
FROM found {joins} LEFT JOIN qualifying USING (model_id)
ORDER BY position
"""
_BEST = """
(SELECT DISTINCT ON ({model}) {shown} FROM ({joined}) joined ORDER BY {model}, {best_first})
"""
_OF_MODELS_FOUND = "model_id IN (SELECT model_id FROM found)"
_CONFIGURATIONS = """
WITH {variants}, found AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY {order}) AS position
    FROM (SELECT * FROM ({joined}) joined ORDER BY {order} LIMIT %s OFFSET %s) joined
)
SELECT {columns} FROM found {joins} ORDER BY position
"""
# The first of each platform of a model, with the number of them all; all of platforms laid open.
_PLATFORMS = """
WITH {variants}, found AS MATERIALIZED (
    SELECT *, row_number() OVER (ORDER BY {best_first}) AS position
    FROM (
        SELECT *, count(*) OVER platform AS configurations,
            row_number() OVER (PARTITION BY model_id, cfg_platform ORDER BY {best_first}) AS place
        FROM ({joined}) joined WINDOW platform AS (PARTITION BY model_id, cfg_platform)
    ) ranked
    WHERE place = 1 OR (model_name, lora_adapter, cfg_platform_key) IN (
        SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])
    )
)
SELECT {columns}, found.configurations FROM found {joins} ORDER BY position
"""
_OF_THESE = "(model_name, lora_adapter) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"
_EACH = "WITH {variants} SELECT {column} FROM ({joined}) joined WHERE {column} IS NOT NULL"
_COUNT = "WITH {variants} SELECT count(*) FROM ({joined}) joined"


def default_benchmark() -> Benchmark | None:
    """Return MMLU where it has scores, else the benchmark with most current scores, else None."""
    return default_among(Benchmark.objects.with_use())


def default_among(benchmarks: Iterable[Benchmark]) -> Benchmark | None:
    """Return the same of benchmarks that were read `with_use()`, in the order of their slugs."""
    in_use = [item for item in benchmarks if item.use["scores"]]
    return max(
        in_use, key=lambda item: (item.slug == DEFAULT_BENCHMARK, item.use["scores"]), default=None
    )


class GridQuery:
    """What one request asks, with the benchmark, the protocol, and the load that are shown.

    Further questions about a page that was read before take what it is based on from it.
    """

    def __init__(
        self, criteria: GridCriteria, page: GridPage | None = None, *, choices: bool = False
    ) -> None:
        self.criteria = criteria
        if page is not None:
            self.ranking_protocol, self.counts = page.ranking_protocol, page.counts
        else:
            benchmark = criteria.benchmark
            self.ranking_protocol = (
                BenchmarkScore.objects.ranking_protocol(benchmark) if benchmark else None
            )
            self.counts = read_counts(criteria, self.ranking_protocol, choices=choices)
        self.load_used, self.kind_used = self.counts.loads.used(criteria)
        self._load = (self.load_used, self.kind_used)
        self._variants = sql.variants(criteria, self.ranking_protocol)

    def model_rows(self, *, limit: int, offset: int) -> list[ModelRow]:
        """Return the best configuration of each model, in the order of the page."""
        criteria = self.criteria
        key = SORT_KEYS[criteria.sort_by]
        ranked = {"cfg_speed", "cfg_efficiency", key.field} - {"cfg_backend", "cfg_platform_name"}
        best_first = ", ".join([*self._best_first(), "quantization, cfg_pk, variant_id"])
        found = sql.ranked(criteria, key, self._load, best_first)
        source = sql.source_to_count(criteria)
        counted = sql.joined(criteria, source, self._load, also=Where(_OF_MODELS_FOUND))
        of_runs = sorted(name for name in ranked if name.startswith("cfg_"))
        shown = ", ".join([sql.OF_VARIANT, "cfg_pk, cfg_backend, cfg_platform_name", *of_runs])

        def best_of(rows: Where, model: str) -> Where:
            text = _BEST.format(model=model, shown=shown, joined=rows.sql, best_first=best_first)
            return Where(text, rows.values)

        alone = [best_of(rows, "model_name, lora_adapter") for rows in sql.alone(criteria)]
        best = sql.united([best_of(found.rows, "model_id"), *alone])
        tables = sql.listed([self._variants, *found.tables])
        text = _PAGE.format(
            tables=tables.sql,
            best=best.sql,
            counted=counted.sql,
            order=", ".join([*self._page_order(), _BY_NAME]),
            columns=COLUMNS,
            joins=TABLES,
        )
        values = (*tables.values, *best.values, limit, offset, *counted.values)
        return [_model_row(row) for row in sql.rows_of(text, values)]

    def configurations(self, *, limit: int, offset: int) -> list[ConfigurationRow]:
        """Return single configurations in the order of the page."""
        joined = self._every_configuration()
        text = _CONFIGURATIONS.format(
            variants=self._variants.sql,
            joined=joined.sql,
            order=", ".join([*self._page_order(), _BY_NAME]),
            columns=COLUMNS,
            joins=TABLES,
        )
        values = (*self._variants.values, *joined.values, limit, offset)
        return [ConfigurationRow._make(row) for row in sql.rows_of(text, values)]

    def platforms(
        self, models: Collection[tuple[str, str]], opened: Collection[tuple[str, str, str]]
    ) -> list[tuple[ConfigurationRow, int]]:
        """Return the best on each platform of models, each with the number of configurations there.

        Those of platforms that are laid open (model, adapter, key) all follow, the best first.
        """
        joined = self._every_configuration(Where(_OF_THESE, _columns_of(models, 2)))
        text = _PLATFORMS.format(
            variants=self._variants.sql,
            joined=joined.sql,
            best_first=", ".join([*self._best_first(), _BY_NAME]),
            columns=COLUMNS,
            joins=TABLES,
        )
        values = (*self._variants.values, *joined.values, *_columns_of(opened, 3))
        return [
            (ConfigurationRow._make(row[:WIDTH]), row[WIDTH]) for row in sql.rows_of(text, values)
        ]

    def each(self, column: str) -> RawSQL:
        """Return a subquery of a column (`cfg_pk`, `variant_id`) of all rows that are shown."""
        joined = sql.united([self._every_configuration(), *sql.alone(self.criteria)])
        text = _EACH.format(variants=self._variants.sql, column=column, joined=joined.sql)
        return RawSQL(text, (*self._variants.values, *joined.values))  # noqa: S611 - no text from outside

    def count_configurations(self) -> int:
        """Return how many single configurations there are."""
        joined = self._every_configuration()
        text = _COUNT.format(variants=self._variants.sql, joined=joined.sql)
        ((count,),) = sql.rows_of(text, (*self._variants.values, *joined.values))
        return int(count)

    def _every_configuration(self, also: Where = EVERYTHING) -> Where:
        source = sql.every_configuration()
        return sql.joined(self.criteria, source, self._load, also=also)

    def _best_first(self) -> list[str]:
        """The order that decides which configuration stands for a model.

        Without a generation speed (prompt-only runs) a configuration never stands before one that
        has it; then the sort key where it has a better end, quality, speed, efficiency, name, id.
        """
        criteria = self.criteria
        key = SORT_KEYS[criteria.sort_by]
        by_key = [_order(key.field, descending=criteria.better_is_higher(key))]
        judged = key.higher_is_better is not None
        return [_WITHOUT_SPEED_LAST, *(by_key if judged else []), *self._ties()]

    def _page_order(self) -> list[str]:
        """The order by the sort key, missing values last both ways, then by the ties.

        By any measured figure, rows without a generation speed (prompt-only) come after the rest.
        """
        key = SORT_KEYS[self.criteria.sort_by]
        lead = [_WITHOUT_SPEED_LAST] if key.is_figure else []
        return [*lead, _order(key.field, descending=self.criteria.descending), *self._ties()]

    def _ties(self) -> list[str]:
        quality = SORT_KEYS["quality"]
        return [
            _order(quality.field, descending=self.criteria.better_is_higher(quality)),
            _order("cfg_speed", descending=True),
            _order("cfg_efficiency", descending=True),
        ]


_BY_NAME = "name_key, model_name, lora_adapter, quantization, cfg_pk, variant_id"
_WITHOUT_SPEED_LAST = "cfg_speed IS NULL"


def _columns_of(rows: Collection[tuple[str, ...]], width: int) -> tuple[list[str], ...]:
    """Return rows column by column, as unnest() takes them."""
    return tuple([row[place] for row in rows] for place in range(width))


def _order(column: str, *, descending: bool) -> str:
    return f"{column} {'DESC' if descending else 'ASC'} NULLS LAST"


def _model_row(row: tuple[Any, ...]) -> ModelRow:
    found = ConfigurationRow._make(row[:WIDTH])
    total, qualifying = row[WIDTH:]
    return ModelRow(
        key=row_key(found.model_name, found.lora_adapter),
        model_name=found.model_name,
        lora_adapter=found.lora_adapter,
        variant_id=found.variant_id,
        quantization=found.quantization,
        best=found if row[0] is not None else None,
        quality_score=found.quality_score,
        quality_protocol=found.quality_protocol,
        quality_ranked=found.quality_ranked,
        total_platforms=total,
        qualifying_platforms=qualifying,
    )
