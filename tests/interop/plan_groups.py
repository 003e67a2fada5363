"""The groups of files that Iceberg Java's planner makes for rewrite_data_files, for rewrite-groups.spark.test.ts.

Input (JSON on stdin): {"metadata": path of a metadata.json, "options": {name: {Spark's option: value}}}
Output (JSON on stdout): {name: [[files, bytes] of each group]}
"""

import json
import os
import sys

from pyspark.sql import SparkSession


def groups(jvm, table, options):
    planner = jvm.org.apache.iceberg.actions.BinPackRewriteFilePlanner(table)
    planner.init(options)
    found = []
    rows = planner.plan().groups().iterator()
    while rows.hasNext():
        group = rows.next()
        found.append([group.inputFileNum(), group.inputFilesSizeInBytes()])
    return found


def main():
    question = json.load(sys.stdin)
    # What the engine prints must not get between.
    output = os.dup(1)
    os.dup2(2, 1)
    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.jars", os.environ["INTEROP_SPARK_JAR"])
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    jvm = session._jvm
    io = jvm.org.apache.iceberg.hadoop.HadoopFileIO(session._jsc.hadoopConfiguration())
    table = jvm.org.apache.iceberg.BaseTable(jvm.org.apache.iceberg.StaticTableOperations(question["metadata"], io), "t")
    found = {name: groups(jvm, table, options) for name, options in question["options"].items()}
    session.stop()
    os.write(output, json.dumps(found).encode())


main()
