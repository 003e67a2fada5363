"""Appends rows to a table of a REST catalog, one commit each, from several processes at once.

Takes {uri, table, writers, commits} as JSON; prints the ids that were committed, and those that the table then has.
"""

import json
import multiprocessing
import random
import sys
import time

import pyarrow as pa
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import CommitFailedException


def append_all(job):
    uri, name, writer, commits = job
    catalog = load_catalog("rest", type="rest", uri=uri)
    table = catalog.load_table(name)
    done = []
    for index in range(commits):
        row = {"id": 1000 * writer + index, "writer": f"pyiceberg-{writer}"}
        schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("writer", pa.string())])
        while True:
            try:
                table.append(pa.Table.from_pylist([row], schema=schema))
                break
            except CommitFailedException:
                time.sleep(random.uniform(0, 0.1))
                table = catalog.load_table(name)
        done.append(row["id"])
    return done


def main():
    order = json.load(sys.stdin)
    jobs = [(order["uri"], order["table"], writer, order["commits"]) for writer in range(1, order["writers"] + 1)]
    with multiprocessing.get_context("spawn").Pool(len(jobs)) as pool:
        done = [row for part in pool.map(append_all, jobs) for row in part]
    sys.stdout.write(json.dumps({"done": done}))


if __name__ == "__main__":
    main()
