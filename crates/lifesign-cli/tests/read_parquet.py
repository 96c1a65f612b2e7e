"""Prints the rows of a folder of Parquet parts as JSON, in the order of their names."""

import json
import sys

import pyarrow as pa
import pyarrow.dataset

table = pyarrow.dataset.dataset(sys.argv[1], format="parquet").to_table()
assert table.schema.field("image").type == pa.string(), table.schema
assert table.schema.field("liveness_score").type == pa.float64(), table.schema
assert table.schema.field("passed").type == pa.bool_(), table.schema
print(json.dumps(table.to_pylist()))
