"""Compares the demo's table, as each engine reads it, with the flights that went into it, row for row.

Input (JSON on stdin): {"metadata": path of a metadata.json, "flights": path of the Parquet file}
Output (JSON on stdout): {engine: {"rows", "missing", "extra"}}: rows of the table, flights that it lacks, rows that
are no flight; both counted with their multiplicity.
"""

import json
import sys

import duckdb

from engines import ENGINES

# What the demo does to the columns: `delay` is renamed, `delayed` is added for the rows from May on.
FLIGHTS = """
    SELECT date, delay::BIGINT AS delay_minutes, distance::BIGINT AS distance, origin, destination,
           CASE WHEN date >= TIMESTAMP '2001-05-01' THEN delay > 15 END AS delayed
    FROM read_parquet(?)
"""


def compare(table, flights):
    connection = duckdb.connect()
    connection.register("found", table)
    connection.execute(f"CREATE TABLE wanted AS {FLIGHTS}", [flights])
    columns = "date, delay_minutes::BIGINT AS delay_minutes, distance::BIGINT AS distance, origin, destination, delayed"
    connection.execute(f"CREATE TABLE got AS SELECT {columns} FROM found")
    count = lambda query: connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0]
    return {
        "rows": count("FROM got"),
        "missing": count("FROM wanted EXCEPT ALL FROM got"),
        "extra": count("FROM got EXCEPT ALL FROM wanted"),
    }


def main():
    question = json.load(sys.stdin)
    result = {}
    for make in ENGINES:
        engine = make()
        result[engine.name] = compare(engine.read(question["metadata"]), question["flights"])
    json.dump(result, sys.stdout)


main()
