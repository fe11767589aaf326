"""Exact readings as compressed Parquet: what ``Memory.readings`` answers from."""

import io
import json
from collections.abc import Sequence

from agentctx.extras import require
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
    buffer = io.BytesIO()
    with parquet.ParquetWriter(
        buffer,
        schema,
        compression="zstd",
        use_dictionary=["channel", "value"],
        column_encoding={"time": "DELTA_BINARY_PACKED"},
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
