"""Writes Fixtures/: small Parquet files in every encoding and codec, and the rows they hold.

    python make_fixtures.py            needs pyarrow (26.0.1 made the files in the repository)

rows.json is what Spar should read from each of them: dates and times as ISO 8601 text, decimals
and 16-bit floats as numbers, bytes that are not UTF-8 as base64.
"""

import base64
import datetime as dt
import decimal
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures")
N = 48


def turn(role, content):
    return {"content": content, "role": role}


def pair(i):
    prompt = f"Question {i % 7}: why is the sky {'blue' if i % 2 else 'grün 🦙'}?"
    return {
        "prompt": prompt,
        "chosen": [turn("user", prompt), turn("assistant", "Light scatters. " * (i % 4 + 1))],
        "rejected": None if i == 11 else [turn("user", prompt), turn("assistant", f"No {i}.")],
        "chosen_probs": i / N,
        "count": None if i % 5 == 2 else i * i - 100,
        "is_good": None if i % 9 == 4 else i % 3 == 0,
        "table": [[0.5, i / 64], [] if i % 6 == 1 else [1 - i / 64, 0.5]],
        "tags": None if i % 8 == 3 else [None if j == 1 else f"tag {j}" for j in range(i % 4)],
        "deep": [{"name": f"n{j}", "scores": list(range(j))} for j in range(i % 3)],
        "small": (i * 7) % 5,
    }


PAIR = pa.schema([
    ("prompt", pa.string()),
    ("chosen", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
    ("rejected", pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))),
    ("chosen_probs", pa.float64()),
    ("count", pa.int64()),
    ("is_good", pa.bool_()),
    ("table", pa.list_(pa.list_(pa.float64()))),
    ("tags", pa.list_(pa.string())),
    ("deep", pa.list_(pa.struct([("name", pa.string()), ("scores", pa.list_(pa.int32()))]))),
    ("small", pa.int32()),
])

moment = dt.datetime(2024, 2, 29, 23, 59, 58, 123456)
TYPES = pa.table({
    "u64": pa.array([1, 2**63 + 2**11, None], pa.uint64()),
    "u32": pa.array([1, 2**32 - 1, None], pa.uint32()),
    "i8": pa.array([-128, 127, None], pa.int8()),
    "f32": pa.array([0.5, -0.25, None], pa.float32()),
    "f16": pa.array([0.5, -1.5, None], pa.float16()),
    "date": pa.array([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None], pa.date32()),
    "time": pa.array([dt.time(1, 2, 3, 4), dt.time(23, 59, 59), None], pa.time64("us")),
    "local": pa.array([moment, dt.datetime(1960, 1, 1, 0, 0, 1), None], pa.timestamp("us")),
    "utc": pa.array([moment, dt.datetime(1970, 1, 1), None], pa.timestamp("ms", tz="UTC")),
    "money": pa.array([decimal.Decimal("12.34"), decimal.Decimal("-0.01"), None],
                      pa.decimal128(20, 2)),
    "cents": pa.array([decimal.Decimal("12.34"), decimal.Decimal("-0.01"), None],
                      pa.decimal128(5, 2)),
    "bytes": pa.array([b"plain", b"\xff\xfe\x00", None], pa.binary()),
    "fixed": pa.array([b"abcd", b"\x80\x81\x82\x83", None], pa.binary(4)),
    "map": pa.array([[("a", 1), ("b", None)], [], None], pa.map_(pa.string(), pa.int64())),
    "point": pa.array([{"x": 1, "y": None}, {"x": 2, "y": {"z": True}}, None],
                      pa.struct([("x", pa.int64()), ("y", pa.struct([("z", pa.bool_())]))])),
    "none": pa.array([None, None, None], pa.null()),
    "category": pa.array(["b", "a", None]).dictionary_encode(),
    "large": pa.array(["x", "", None], pa.large_string()),
})
TYPE_ROWS = [
    {"u64": 1, "u32": 1, "i8": -128, "f32": 0.5, "f16": 0.5, "date": "1969-12-31",
     "time": "01:02:03.000004", "local": "2024-02-29T23:59:58.123456",
     "utc": "2024-02-29T23:59:58.123Z", "money": 12.34, "cents": 12.34, "bytes": "plain",
     "fixed": "abcd", "map": {"a": 1, "b": None}, "point": {"x": 1, "y": None}, "none": None,
     "category": "b", "large": "x"},
    {"u64": float(2**63 + 2**11), "u32": 2**32 - 1, "i8": 127, "f32": -0.25, "f16": -1.5,
     "date": "2024-02-29", "time": "23:59:59.000000", "local": "1960-01-01T00:00:01.000000",
     "utc": "1970-01-01T00:00:00.000Z", "money": -0.01, "cents": -0.01,
     "bytes": base64.b64encode(b"\xff\xfe\x00").decode(),
     "fixed": base64.b64encode(b"\x80\x81\x82\x83").decode(), "map": {},
     "point": {"x": 2, "y": {"z": True}}, "none": None, "category": "a", "large": ""},
    {name: None for name in TYPES.column_names},
]


def main():
    os.makedirs(HERE, exist_ok=True)
    rows = {}
    pairs = [pair(i) for i in range(N)]
    table = pa.Table.from_pylist(pairs, schema=PAIR)

    def write(name, table, expected, **options):
        pq.write_table(table, os.path.join(HERE, name), **options)
        rows[name] = expected

    small = dict(data_page_size=512, write_batch_size=8)
    write("snappy-dictionary-v1.parquet", table, "pairs", compression="snappy")
    write("zstd-dictionary-v2.parquet", table, "pairs", compression="zstd",
          data_page_version="2.0")
    write("gzip-plain-groups.parquet", table, "pairs", compression="gzip", use_dictionary=False,
          row_group_size=13, **small)
    write("none-checksums-v2.parquet", table, "pairs", compression="none",
          data_page_version="2.0", use_dictionary=False, write_page_checksum=True, **small)
    write("none-old-names.parquet", table, "pairs", compression="none", version="1.0",
          use_compliant_nested_type=False, **small)
    text = {f"{c}.list.element.{f}": "DELTA_LENGTH_BYTE_ARRAY"
            for c in ("chosen", "rejected") for f in ("content", "role")}
    write("lz4-delta-v1.parquet", table, "pairs", compression="lz4", use_dictionary=False,
          column_encoding={
              "prompt": "DELTA_BYTE_ARRAY", "chosen_probs": "BYTE_STREAM_SPLIT",
              "count": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED",
              "table.list.element.list.element": "BYTE_STREAM_SPLIT",
              "deep.list.element.scores.list.element": "DELTA_BINARY_PACKED", **text})
    write("snappy-delta-v2.parquet", table, "pairs", compression="snappy", use_dictionary=False,
          data_page_version="2.0", **small, column_encoding={
              "prompt": "DELTA_LENGTH_BYTE_ARRAY", "tags.list.element": "DELTA_BYTE_ARRAY",
              "count": "DELTA_BINARY_PACKED", "is_good": "RLE", **text})
    write("types.parquet", TYPES, "types", compression="zstd")
    write("types-plain-v2.parquet", TYPES, "types", compression="none", use_dictionary=False,
          data_page_version="2.0")
    write("types-split.parquet", TYPES.select(["f32", "f16", "i8", "fixed", "cents"]), "types",
          compression="snappy", use_dictionary=False,
          column_encoding={name: "BYTE_STREAM_SPLIT" for name in ("f32", "f16", "i8", "fixed")})
    write("int96.parquet", pa.table({"local": TYPES["local"]}), "int96",
          use_deprecated_int96_timestamps=True)
    write("empty.parquet", table.slice(0, 0), "empty")
    contents = {
        "pairs": pairs, "types": TYPE_ROWS, "empty": [],
        "int96": [{"local": None if r["local"] is None else r["local"] + "000"}
                  for r in TYPE_ROWS],
    }
    with open(os.path.join(HERE, "rows.json"), "w") as file:
        json.dump({"files": rows, "contents": contents}, file, ensure_ascii=False)
    for name in sorted(os.listdir(HERE)):
        print(f"{os.path.getsize(os.path.join(HERE, name)):6d} {name}")


main()
