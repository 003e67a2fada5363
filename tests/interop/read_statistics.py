"""Reads the statistics that a table's metadata names, with the libraries of other engines, for statistics.test.ts.

Input (JSON on stdin): {"metadata": path of a metadata.json}
Output (JSON on stdout): {"ndv": {field id: estimate}, "partitions": [[partition, records, files]] or null}

With Spark, sketches are read by DataSketches for Java and the partition statistics by Iceberg's own scan of them; else
the sketches are read by DataSketches for Python (C++).
"""

import json
import os
import struct
import sys

FOOTER_TRAILER = 12


def blobs(path):
    """The blobs of an uncompressed Puffin file, with what the footer says of them."""
    with open(path, "rb") as file:
        content = file.read()
    (size,) = struct.unpack("<i", content[-FOOTER_TRAILER : -FOOTER_TRAILER + 4])
    footer = json.loads(content[-FOOTER_TRAILER - size : -FOOTER_TRAILER])
    return [(blob, content[blob["offset"] : blob["offset"] + blob["length"]]) for blob in footer["blobs"]]


def with_datasketches(metadata, sketches):
    from datasketches import compact_theta_sketch

    return {"ndv": {field: compact_theta_sketch.deserialize(content).get_estimate() for field, content in sketches}, "partitions": None}


def with_spark(metadata, sketches):
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", os.environ["INTEROP_SPARK_JAR"])
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    jvm = session._jvm
    ndv = {}
    for field, content in sketches:
        memory = jvm.org.apache.datasketches.memory.Memory.wrap(content)
        ndv[field] = jvm.org.apache.datasketches.theta.CompactSketch.wrap(memory).getEstimate()
    operations = jvm.org.apache.iceberg.StaticTableOperations(
        metadata, jvm.org.apache.iceberg.hadoop.HadoopFileIO(session._jsc.hadoopConfiguration())
    )
    table = jvm.org.apache.iceberg.BaseTable(operations, "t")
    partitions = []
    rows = table.newPartitionStatisticsScan().scan().iterator()
    while rows.hasNext():
        row = rows.next()
        partitions.append([str(row.partition()), row.dataRecordCount(), row.dataFileCount()])
    session.stop()
    return {"ndv": ndv, "partitions": partitions}


def main():
    metadata = json.load(sys.stdin)["metadata"]
    with open(metadata, encoding="utf-8") as file:
        (statistics,) = json.load(file)["statistics"]
    sketches = [(str(blob["fields"][0]), content) for blob, content in blobs(statistics["statistics-path"])]
    read = with_spark if "INTEROP_SPARK_JAR" in os.environ else with_datasketches
    # What the engines print must not get between.
    output = os.dup(1)
    os.dup2(2, 1)
    found = read(metadata, sketches)
    os.write(output, json.dumps(found).encode())


main()
