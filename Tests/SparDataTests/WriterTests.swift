import Foundation
import SparText
import Testing

@testable import SparData

@Suite("Writing rows") struct WriterTests {
  private static let texts = [
    #"{"prompt": [{"role": "user", "content": "hü 🦙"}], "n": 1, "p": 1, "ok": true, "t": [[0.5]]}"#,
    #"{"prompt": [], "n": -9007199254740993, "p": 0.25, "ok": false, "t": [[], [1, 0.5]]}"#,
    #"{"prompt": null, "n": null, "p": null, "ok": null, "t": null, "late": "x"}"#,
    #"{"prompt": [{"role": null, "content": ""}, null], "n": 3, "p": 2, "ok": true, "t": [null]}"#,
  ]

  private func write(_ path: String, _ texts: [String]) throws {
    let writer = try DataFormat.create(path)
    for (number, text) in texts.enumerated() {
      try writer.add(
        DataRow(
          columns: try object(text), place: RowPlace(path: "in", number: number + 1, unit: .row)))
    }
    try writer.finish()
  }

  @Test("what is written is read back", arguments: ["a.jsonl", "a.parquet"])
  func roundTrip(name: String) throws {
    let folder = try TemporaryFolder()
    try write(folder[name], Self.texts)
    let found = try rows(folder[name])
    #expect(found.count == 4)
    for (row, text) in zip(found, Self.texts) {
      let wanted = JSONNode.object(try object(text))
      for column in row.columns {
        #expect(column.value.loose == (wanted[column.key] ?? .null).loose, "\(column.key)")
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
  }

  @Test("an object without members is a null: Parquet has no group without a field")
  func emptyObject() throws {
    let folder = try TemporaryFolder()
    try write(folder["a.parquet"], [#"{"n": 1, "m": {}, "l": [{}]}"#])
    let found = try rows(folder["a.parquet"])
    #expect(found.map(\.columns) == [try object(#"{"n": 1, "m": null, "l": [null]}"#)])
  }

  @Test("many rows go into several row groups and pages")
  func groups() throws {
    let folder = try TemporaryFolder()
    let writer = try ParquetWriter(folder["a.parquet"])
    let text = String(repeating: "words ", count: 2000)
    for number in 0..<6000 {
      try writer.add(
        DataRow(
          columns: [
            JSONMember(key: "n", value: .integer(number)),
            JSONMember(key: "text", value: .string(text + "\(number)")),
            JSONMember(key: "list", value: .array((0..<(number % 3)).map { .integer($0) })),
          ], place: RowPlace(path: "in", number: number, unit: .row)))
    }
    try writer.finish()
    let reader = try ParquetReader(folder["a.parquet"])
    #expect(reader.rows == 6000)
    var number = 0
    while let row = try reader.next() {
      guard row["n"] == .integer(number), row["text"] == .string(text + "\(number)"),
        row["list"]?.array?.count == number % 3
      else {
        Issue.record("row \(number): \(row["n"] ?? .null)")
        return
      }
      number += 1
    }
    #expect(number == 6000)
  }

  @Test(
    "rows that do not go together are an error that names the row",
    arguments: [
      (["{\"a\": 1}", "{\"a\": \"x\"}"], "row 2: column a holds text, rows before it numbers"),
      (["{\"a\": [1]}", "{\"a\": [[1]]}"], "column a[] holds lists"),
      (["{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": true}}"], "column a.b holds true|false"),
      ([], "there is no row to write"),
    ])
  func mismatch(texts: [String], message: String) throws {
    let folder = try TemporaryFolder()
    let error = try #require(
      #expect(throws: DataError.self) { try write(folder["a.parquet"], texts) })
    #expect("\(error)".contains(message), "\(error)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("two that write one path at a time do not write into each other's file")
  func concurrent() throws {
    let folder = try TemporaryFolder()
    let path = folder["a.jsonl"]
    func row(_ text: String) -> DataRow {
      DataRow(
        columns: [JSONMember(key: "p", value: .string(text))],
        place: RowPlace(path: "in", number: 1, unit: .line))
    }
    let (first, second) = (try JSONLinesWriter(path), try JSONLinesWriter(path))
    try first.add(row("first"))
    try second.add(row("2"))
    try first.finish()
    #expect(try rows(path).map(\.columns) == [row("first").columns])
    try second.finish()
    #expect(try rows(path).map(\.columns) == [row("2").columns])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.jsonl"])
  }

  @Test("JSON cannot say NaN, and other formats are not written")
  func refused() throws {
    let folder = try TemporaryFolder()
    let writer = try JSONLinesWriter(folder["a.jsonl"])
    let row = DataRow(
      columns: [JSONMember(key: "p", value: .array([.number(.nan)]))],
      place: RowPlace(path: "in", number: 7, unit: .line))
    let error = try #require(#expect(throws: DataError.self) { try writer.add(row) })
    #expect("\(error)".hasPrefix("in, line 7: column p holds a number that is not finite"))
    #expect(throws: DataError.self) { try DataFormat.create(folder["a.csv"]) }
  }

  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run([named, "-c", "import pyarrow, pandas, datasets"]).status == 0 ? named : nil
    } catch {
      return nil
    }
  }()

  @Test(
    "pyarrow, pandas and datasets load it",
    .enabled(if: python != nil, "SPAR_PYTHON has no pyarrow, pandas and datasets"))
  func peers() throws {
    let folder = try TemporaryFolder()
    try write(folder["a.parquet"], Self.texts)
    try write(folder["a.jsonl"], Self.texts)
    let program = """
      import sys, json, os
      os.environ["HF_HOME"] = sys.argv[1]
      import pyarrow.parquet as pq, pandas as pd, datasets
      rows = [json.loads(line) for line in open(sys.argv[1] + "/a.jsonl", encoding="utf-8")]
      names = ["prompt", "n", "p", "ok", "t", "late"]
      want = [{name: row.get(name) for name in names} for row in rows]
      table = pq.read_table(sys.argv[1] + "/a.parquet")
      assert table.to_pylist() == want, table.to_pylist()
      assert pd.read_parquet(sys.argv[1] + "/a.parquet").shape == (4, 6)
      for kind, name in [("parquet", "a.parquet"), ("json", "a.jsonl")]:
        data = datasets.load_dataset(kind, data_files=sys.argv[1] + "/" + name, split="train",
                                     cache_dir=sys.argv[1] + "/cache")
        assert [{name: row[name] for name in names} for row in data] == want, data[0]
      """
    let result = try run([try #require(Self.python), "-c", program, folder.path])
    #expect(result.status == 0, "\(result.output)")
  }
}
