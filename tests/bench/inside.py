"""What can only be seen from inside the site: queries of a page, the rows and buffers they read.

Run as a process of its own beside the site: `python -m tests.bench.inside TASK` prints JSON.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from benchsite import env
from benchsite.database import running_server

REPEATS = 5


@dataclass(frozen=True)
class Query:
    """A query of a page; a prepared one is planned for any values."""

    sql: str
    values: Any
    is_prepared: bool

    def run(self) -> None:
        """Run it as the page does."""
        from django.db import connection

        from benchsite.common.prepared import prepared_cursor

        with prepared_cursor() if self.is_prepared else connection.cursor() as cursor:
            cursor.execute(self.sql, self.values)
            cursor.fetchall()

    def explain(self, options: str) -> list[Any]:
        """Run it and return its plan."""
        from django.db import connection

        with connection.cursor() as cursor:
            if not self.is_prepared:
                cursor.execute(f"EXPLAIN (ANALYZE, {options}) {self.sql}", self.values)
                return [row for (row,) in cursor.fetchall()]
            numbers = count(1)
            cursor.execute(
                f"PREPARE asked AS {re.sub('%s', lambda _: f'${next(numbers)}', self.sql)}"
            )
            values = f"({', '.join(['%s'] * len(self.values))})" if self.values else ""
            cursor.execute(f"EXPLAIN (ANALYZE, {options}) EXECUTE asked{values}", self.values)
            found = [row for (row,) in cursor.fetchall()]
            cursor.execute("DEALLOCATE asked")
            return found


def pages(addresses: dict[str, str]) -> dict[str, Any]:
    """Return for each page its queries, what they read, and the time (ms) of its SQL alone."""
    found = {}
    for name, address in addresses.items():
        queries = _queries_of(address)
        read = [_explained(query) for query in queries]
        found[name] = {
            "queries": len(queries),
            "rows": sum(rows for rows, _buffers in read),
            "buffers": sum(buffers for _rows, buffers in read),
            "sql_ms": _time_of(queries),
        }
    return found


def _explained(query: Query) -> tuple[int, int]:
    """Return rows that leave the scans of a query, and buffers touched."""
    ((plan,),) = query.explain("BUFFERS, FORMAT JSON")
    root = plan["Plan"]
    buffers = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return _scanned(root), buffers


def plans(addresses: dict[str, str]) -> dict[str, list[str]]:
    """Return the plans of the queries of the grid's own that a page is read by, as they ran."""
    return {
        name: [_plan_of(query) for query in _queries_of(address) if query.is_prepared]
        for name, address in addresses.items()
    }


def _queries_of(address: str) -> list[Query]:
    """Return the queries of a page that was asked for before."""
    from django.db import connection
    from django.db.backends.postgresql.base import ServerBindingCursor
    from django.test import Client

    found: list[Query] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        is_prepared = isinstance(context["cursor"].cursor, ServerBindingCursor)
        found.append(Query(sql, values, is_prepared))
        return execute(sql, values, many, context)

    client = Client(SERVER_NAME="127.0.0.1", HTTP_AUTHORIZATION="Basic bench")
    client.get(address)
    with connection.execute_wrapper(note):
        client.get(address)
    return found


def _plan_of(query: Query) -> str:
    """Return a plan as people read it; times and costs are another matter."""
    lines = query.explain("COSTS OFF, TIMING OFF, BUFFERS OFF, SUMMARY OFF")
    return "\n".join(line[:120] for line in lines if not _SAYS_LITTLE.match(line))


_SAYS_LITTLE = re.compile(r"\s*(Sort (Key|Method)|Window|Storage|Buckets|Batches|Group Key)\b")


def _scanned(node: dict[str, Any]) -> int:
    own = 0
    if "Relation Name" in node:
        own = round(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        )
    return own + sum(_scanned(child) for child in node.get("Plans", ()))


def _time_of(queries: list[Query]) -> float:
    """Return the median time (ms) of running the queries as they are."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        for query in queries:
            query.run()
        times.append(1000 * (time.perf_counter() - started))
    return sorted(times)[REPEATS // 2]


def subjects() -> dict[str, Any]:
    """Return runs to look at, a model to search and unfold, and a token to upload with."""
    from experiments.grid import GridCriteria, grid_page
    from experiments.models import ApiToken, Configuration

    row = grid_page(GridCriteria(), choices=False).rows[0]
    often = Configuration.objects.order_by("-runs")[:8]
    return {
        "runs": [str(item.representative_id) for item in often],
        "row": row.key,
        "word": row.model_name.rpartition("/")[2].partition("-")[0],
        "platform": row.best.platform_key if row.best else "",
        "token": ApiToken.issue(name="bench", scopes=["upload"]),
    }


def count_runs() -> int:
    """Return how many runs there are."""
    from experiments.models import TestRun

    return TestRun.objects.count()


def bare_copy(count: int) -> dict[str, Any]:
    """Return how many seconds COPY takes for the newest runs with their measurements."""
    from django.db import connection

    newest = f"(SELECT id FROM experiments_testrun ORDER BY created_at DESC LIMIT {count})"
    tables = {"experiments_testrun": "id", "experiments_measurement": "run_id"}
    seconds = 0.0
    with connection.cursor() as cursor:
        for table, key in tables.items():
            wanted = f"SELECT * FROM {table} WHERE {key} IN {newest}"
            with cursor.copy(f"COPY ({wanted}) TO STDOUT") as copy:
                data = b"".join(bytes(block) for block in copy)
            cursor.execute(f"CREATE TEMP TABLE copied (LIKE {table} INCLUDING ALL)")
            started = time.perf_counter()
            with cursor.copy("COPY copied FROM STDIN") as copy:
                copy.write(data)
            seconds += time.perf_counter() - started
            cursor.execute("DROP TABLE copied")
    return {"seconds": seconds}


def main() -> None:
    """Do a task of the command line: its name, then its argument as JSON."""
    import django

    task, *arguments = sys.argv[1:]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchsite.settings")
    with running_server(env.load()):
        django.setup()
        tasks: dict[str, Callable[..., Any]] = {
            "pages": pages,
            "plans": plans,
            "subjects": subjects,
            "bare_copy": bare_copy,
            "count_runs": count_runs,
        }
        answer = tasks[task](*map(json.loads, arguments))
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
