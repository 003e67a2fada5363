"""Reads Iceberg tables with other engines, for interop.test.ts.

Input (JSON on stdin): [{"name", "metadata": path of a metadata.json, "reads": [{"name", "snapshotId": text or null}]}]
Output (JSON on stdout): {table: {engine: {read: {"rows": [canonical line]} or {"error": text}}}}

Besides the rows themselves, each engine is asked for every single value of the current rows by an equality filter, so
that the bounds, counts and partition values in our metadata are used for pruning by someone else: a filter that finds
fewer rows than the values themselves say is reported under "filters".

Rows are written in the canonical form of ../conformance/canonical.ts.
"""

import json
import math
import pathlib
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa

from engines import ENGINES


# ---------------------------------------------------------------- canonical text


def number_text(value):
    """As JavaScript's String(number): shortest digits, exponents from 1e21 up and 1e-7 down."""
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    if value == 0:
        return '"-0.0"' if math.copysign(1, value) < 0 else "0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    digits = "".join(map(str, digits))
    stripped = digits.rstrip("0")
    exponent += len(digits) - len(stripped)
    digits = stripped
    point = len(digits) + exponent
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
        text = f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return f"-{text}" if sign else text


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def utf16(text):
    return text.encode("utf-16-be", "surrogatepass")


def timestamp_text(units, per_second, suffix):
    seconds, fraction = divmod(units, per_second)
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    width = len(str(per_second)) - 1
    return quote(f"{moment.year:04}-{moment:%m-%dT%H:%M:%S}.{fraction:0{width}}{suffix}")


def time_text(micros):
    seconds, fraction = divmod(micros, 10**6)
    return quote(f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}")


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def units_of(scalar, per_second):
    """The integer of a timestamp or time scalar, in `per_second` units; whatever unit the engine chose, exactly."""
    value, unit = scalar.value, UNITS[scalar.type.unit]
    return value * (per_second // unit) if unit <= per_second else value // (unit // per_second)


def uuid_text(scalar):
    value = scalar.as_py()
    if isinstance(value, bytes):
        text = value.hex()
        return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])
    return str(value)


def decimal_text(iceberg_type, scalar):
    scale = int(iceberg_type.split(",")[1].rstrip(")"))
    return quote(f"{scalar.as_py():.{scale}f}")


PRIMITIVES = {
    "boolean": lambda _, s: "true" if s.as_py() else "false",
    "int": lambda _, s: str(s.as_py()),
    "long": lambda _, s: quote(str(s.as_py())),
    "float": lambda _, s: number_text(s.as_py()),
    "double": lambda _, s: number_text(s.as_py()),
    "decimal": decimal_text,
    "date": lambda _, s: quote((date(1970, 1, 1) + timedelta(days=s.cast(pa.int32()).as_py())).isoformat()),
    "time": lambda _, s: time_text(units_of(s, 10**6)),
    "timestamp": lambda _, s: timestamp_text(units_of(s, 10**6), 10**6, ""),
    "timestamptz": lambda _, s: timestamp_text(units_of(s, 10**6), 10**6, "Z"),
    "timestamp_ns": lambda _, s: timestamp_text(units_of(s, 10**9), 10**9, ""),
    "timestamptz_ns": lambda _, s: timestamp_text(units_of(s, 10**9), 10**9, "Z"),
    "string": lambda _, s: quote(s.as_py()),
    "uuid": lambda _, s: quote(uuid_text(s)),
    "fixed": lambda _, s: quote(bytes(s.as_py()).hex()),
    "binary": lambda _, s: quote(bytes(s.as_py()).hex()),
    "geometry": lambda _, s: quote(bytes(s.as_py()).hex()),
    "variant": lambda _, s: quote(s.as_py()),  # JSON text
    "unknown": lambda _, s: "null",
}


def text(iceberg_type, scalar):
    if not scalar.is_valid:
        return "null"
    if isinstance(iceberg_type, str):
        kind = iceberg_type.split("(")[0].split("[")[0].strip()
        return PRIMITIVES[kind](iceberg_type, scalar)
    if iceberg_type["type"] == "struct":
        return struct_text(iceberg_type, scalar)
    if iceberg_type["type"] == "list":
        return "[" + ",".join(text(iceberg_type["element"], item) for item in scalar.values) + "]"
    entries = [(text(iceberg_type["key"], e[0]), text(iceberg_type["value"], e[1])) for e in map(pair, scalar.values)]
    return "[" + ",".join(f"[{key},{value}]" for key, value in sorted(entries, key=lambda e: utf16(e[0]))) + "]"


def pair(entry):
    return entry[0], entry[1]


def struct_text(struct_type, scalar):
    fields = struct_type["fields"]
    return "{" + ",".join(f"{quote(f['name'])}:{text(f['type'], scalar[i])}" for i, f in enumerate(fields)) + "}"


def canonical_rows(schema, table):
    names = [field["name"] for field in schema["fields"]]
    if table.column_names != names:
        raise ValueError(f"the engine gives columns {table.column_names}, not {names}")
    columns = [column.combine_chunks() for column in table.columns]
    lines = []
    for row in range(table.num_rows):
        cells = (f"{quote(f['name'])}:{text(f['type'], columns[i][row])}" for i, f in enumerate(schema["fields"]))
        lines.append("{" + ",".join(cells) + "}")
    return sorted(lines, key=utf16)


# ---------------------------------------------------------------- questions


FILTERABLE = {"boolean", "int", "long", "double", "decimal", "date", "timestamp", "timestamptz", "string"}


def filter_mismatches(engine, metadata, schema, rows):
    """Equality filters on every value of every top-level column; what finds another number of rows than it should."""
    mismatches = []
    for index, field in enumerate(schema["fields"]):
        if not isinstance(field["type"], str) or field["type"].split("(")[0] not in FILTERABLE:
            continue
        values = [value for value in rows.column(index).to_pylist() if value is not None]
        for value in sorted({v for v in values if not (isinstance(v, float) and math.isnan(v))})[: engine.filtered_values]:
            wanted = sum(1 for other in values if other == value)
            try:
                found = engine.count_equal(metadata, field["name"], value)
            except Exception as error:  # a filter the engine can't express is no finding about our files
                mismatches.append(f"{field['name']} = {value!r}: {type(error).__name__}: {error}")
                continue
            if found != wanted:
                mismatches.append(f"{field['name']} = {value!r}: {found} rows of {wanted}")
    return mismatches


def schema_of(metadata_path, snapshot_id):
    metadata = json.loads(pathlib.Path(metadata_path).read_text())
    schema_id = metadata["current-schema-id"]
    for snapshot in metadata.get("snapshots", []) if snapshot_id is not None else []:
        if snapshot["snapshot-id"] == snapshot_id:
            schema_id = snapshot.get("schema-id", schema_id)
    return next(schema for schema in metadata["schemas"] if schema["schema-id"] == schema_id)


def answer(engine, table):
    answers = {}
    for read in table["reads"]:
        snapshot_id = None if read["snapshotId"] is None else int(read["snapshotId"])
        try:
            schema = schema_of(table["metadata"], snapshot_id)
            rows = engine.read(table["metadata"], snapshot_id)
            answers[read["name"]] = {"rows": canonical_rows(schema, rows)}
            if snapshot_id is None:
                answers["filters"] = {"rows": filter_mismatches(engine, table["metadata"], schema, rows)}
        except Exception as error:
            answers[read["name"]] = {"error": f"{type(error).__name__}: {error}"}
    return answers


def main():
    engines = [make() for make in ENGINES]
    tables = json.load(sys.stdin)
    result = {t["name"]: {engine.name: answer(engine, t) for engine in engines} for t in tables}
    json.dump(result, sys.stdout)


main()
