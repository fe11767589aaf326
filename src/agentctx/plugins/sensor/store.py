"""Exact readings as compressed Parquet: what ``Memory.readings`` answers from."""

import io
import json
from collections.abc import Sequence

import numpy as np

from agentctx.extras import require
from agentctx.plugins.sensor.precision import sample
from agentctx.plugins.sensor.series import Series
from agentctx.records import Media

KIND = "readings"
MIME = "application/vnd.apache.parquet"
# A row group is the least that is read for a time range: about 36 hours of one channel at 1 Hz.
_GROUP = 131_072


def store(series: Sequence[Series]) -> Media:
    """The readings as one Parquet file in memory.

    Columns ``time`` (timestamp[us, UTC]), ``channel`` (dictionary of strings) and ``value``
    (double), sorted by channel, then time; row groups do not mix channels. The file's metadata
    has ``channels``: JSON of ``{channel: {"unit": ..., "column": ...}}``.
    """
    arrow = require("pyarrow", extra="sensor")
    parquet = require("pyarrow.parquet", extra="sensor")
    ordered = sorted(series, key=lambda one: one.channel)
    about = {one.channel: {"unit": one.unit, "column": one.column} for one in ordered}
    schema = arrow.schema(
        [
            ("time", arrow.timestamp("us", "UTC")),
            ("channel", arrow.dictionary(arrow.int32(), arrow.string())),
            ("value", arrow.float64()),
        ],
        metadata={"channels": json.dumps(about, ensure_ascii=False)},
    )
    labels = arrow.array(list(about), arrow.string())
    # 10^6 readings at 1 Hz: of two decimals 0.9 MB as a dictionary (4.5 split into streams of
    # bytes), of full precision 6.2 MB in streams (8.9 as a dictionary, eight times slower).
    samples = [sample(one.values) for one in ordered]
    repeated = 2 * sum(np.unique(s).size for s in samples) <= sum(s.size for s in samples)
    buffer = io.BytesIO()
    with parquet.ParquetWriter(
        buffer,
        schema,
        compression="zstd",
        use_dictionary=["channel", "value"] if repeated else ["channel"],
        column_encoding={"time": "DELTA_BINARY_PACKED"}
        | ({} if repeated else {"value": "BYTE_STREAM_SPLIT"}),
    ) as writer:
        for code, one in enumerate(ordered):
            indices = arrow.repeat(arrow.scalar(code, arrow.int32()), one.times.size)
            columns = [
                arrow.array(one.times).cast(schema.field("time").type),
                arrow.DictionaryArray.from_arrays(indices, labels),
                arrow.array(one.values),
            ]
            writer.write_table(arrow.table(columns, schema=schema), row_group_size=_GROUP)
    return Media.of_bytes(KIND, MIME, buffer.getvalue())
