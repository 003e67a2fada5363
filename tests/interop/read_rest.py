"""Reads a table of a REST catalog: takes {uri, table} as JSON, prints its ids and how many snapshots it has."""

import json
import sys

from pyiceberg.catalog import load_catalog

order = json.load(sys.stdin)
table = load_catalog("rest", type="rest", uri=order["uri"]).load_table(order["table"])
ids = table.scan().to_arrow()["id"].to_pylist()
sys.stdout.write(json.dumps({"ids": ids, "snapshots": len(table.snapshots())}))
