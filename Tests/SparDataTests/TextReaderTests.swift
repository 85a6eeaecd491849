import Foundation
import SparText
import Testing

@testable import SparData

@Suite("Reading text") struct TextReaderTests {
  private func columns(_ name: String, _ text: String) throws -> [[JSONMember]] {
    let folder = try TemporaryFolder()
    return try rows(try folder.write(name, text)).map(\.columns)
  }

  @Test("JSON lines: blank lines, carriage returns, no line feed at the end, a BOM")
  func lines() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      "a.jsonl", "\u{FEFF}{\"a\": 1}\r\n\n  \n{\"b\": [1.5, \"x\\ny\"]}\n{\"c\": NaN}")
    let found = try rows(path)
    #expect(found.map(\.place.number) == [1, 4, 5])
    #expect(found[1].columns == (try object(#"{"b": [1.5, "x\ny"]}"#)))
    #expect(found[2]["c"]?.double?.isNaN == true)
  }

  @Test(
    "a .json file is an array, an object with data, or lines",
    arguments: [
      #"[{"a": 1}, {"a": "]},{"}]"#, " [ {\"a\":1} ,\n{\"a\":\"]},{\"} ]\n",
      #"{"version": "1", "data": [{"a": 1}, {"a": "]},{"}]}"#,
      "{\n  \"data\": [{\"a\": 1},\n {\"a\": \"]},{\"}]}",
      "{\"a\": 1}\n{\"a\": \"]},{\"}\n",
    ])
  func json(text: String) throws {
    #expect(
      try columns("a.json", text) == [try object(#"{"a": 1}"#), try object(#"{"a": "]},{"}"#)])
  }

  @Test("lines with a column called data are lines")
  func dataColumn() throws {
    let text = "{\"data\": [1]}\n{\"data\": [2]}\n"
    #expect(try columns("a.json", text).count == 2)
    #expect(try columns("a.json", #"{"data": [{"x": 1}]}"#).count == 1)
    #expect(try columns("a.json", "[]").isEmpty)
  }

  @Test("CSV as RFC 4180 has it")
  func csv() throws {
    let text =
      "\u{FEFF}a,\"b \"\"q\"\"\",chosen_probs\r\n1,\"x,\ny\r\n\"\"z\",0.5\n\n,\"\",\nü,7,1\n"
    let found = try columns("a.csv", text)
    #expect(
      found == [
        try object(#"{"a": "1", "b \"q\"": "x,\ny\r\n\"z", "chosen_probs": 0.5}"#),
        try object(#"{"a": null, "b \"q\"": "", "chosen_probs": null}"#),
        try object(#"{"a": "ü", "b \"q\"": "7", "chosen_probs": 1}"#),
      ])
    #expect(try columns("a.tsv", "a\tb\n1,2\t3\n") == [try object(#"{"a": "1,2", "b": "3"}"#)])
    #expect(try columns("a.csv", "a\n\"1\"") == [try object(#"{"a": "1"}"#)])
  }

  @Test("rows that straddle the pieces that are read")
  func pieces() throws {
    let long = String(repeating: "é", count: 700_000)
    let lines = (0..<4).map { "{\"n\": \($0), \"text\": \"\(long)\"}" }
    for (name, text) in [
      ("a.jsonl", lines.joined(separator: "\n")),
      ("a.json", "[" + lines.joined(separator: ",") + "]"),
      ("a.csv", "n,text\n" + (0..<4).map { "\($0),\"\(long)\"" }.joined(separator: "\n")),
    ] {
      let found = try columns(name, text)
      #expect(
        found.map { $0.last?.value.string?.utf8.count } == Array(repeating: 1_400_000, count: 4))
    }
  }

  @Test(
    "what is wrong is told with its place and a cure",
    arguments: [
      ("a.jsonl", "{\"a\": 1}\n{\"a\": ", "a.jsonl, line 2: not JSON (the text ends too early"),
      ("a.jsonl", "[1]", "line 1: not a JSON object but an array"),
      ("a.json", "[{\"a\": 1}, 3]", "row 2: not a JSON object"),
      ("a.json", "[{\"a\": 1} {\"a\": 2}]", "byte 10: not JSON (expected ',' or ']')"),
      ("a.json", "[{\"a\": 1}", "the array does not end"),
      ("a.json", "[{\"a\": \"x", "the text ends too early"),
      ("a.json", "[{\"a\": 1}]\n[{\"a\": 2}]", "byte 11: not JSON (more text behind the array)"),
      ("a.json", "3", "it begins with neither"),
      ("a.json", "", "the file is empty"),
      ("a.csv", "a,b\n1,2\n1\n", "row 2: 1 cells, the header has 2"),
      ("a.csv", "a,b\n1,\"2\n1\n", "row 1: a quote is not closed"),
      ("a.csv", "a,b\n1,\"2\"x\n", "row 1: text after a closing quote"),
      ("a.csv", "a,a\n1,2\n", "header: two columns are called \"a\""),
      ("a.csv", "", "no header row"),
      ("a.txt", "x", "the name does not tell a format"),
    ])
  func wrong(name: String, text: String, message: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(name, text)
    let error = try #require(#expect(throws: DataError.self) { try rows(path) })
    #expect("\(error)".contains(message), "\(error)")
  }

  @Test("nesting and lines of a hundred megabytes are refused")
  func bounds() throws {
    let folder = try TemporaryFolder()
    let deep = String(repeating: "[", count: 100_000)
    let nested = try folder.write("deep.jsonl", "{\"a\": \(deep)")
    let error = try #require(#expect(throws: DataError.self) { try rows(nested) })
    #expect("\(error)".contains("nested"), "\(error)")
    // A sparse file: no line feed in the first 100 MB.
    for name in ["long.jsonl", "long.json", "long.csv"] {
      let path = try folder.write(name, name.hasSuffix("csv") ? "a\n\"" : "[\"")
      truncate(path, 100 << 20)
      let error = try #require(#expect(throws: DataError.self) { try rows(path) })
      #expect("\(error)".contains("a row of more than 64 MiB"), "\(error)")
    }
  }

  @Test("bytes that are not UTF-8 are read and marked")
  func broken() throws {
    let folder = try TemporaryFolder()
    let line = Array("{\"a\": \"x".utf8) + [0xFF] + Array("\"}\n{\"a\": \"ü\"}\n".utf8)
    let found = try rows(try folder.write("a.jsonl", line))
    #expect(found.map(\.hasBrokenText) == [true, false])
    #expect(found[0]["a"] == .string("x\u{FFFD}"))
    let cell = Array("a,b\n".utf8) + [0xC3, 0x28] + Array(",1\nü,2\n".utf8)
    #expect(try rows(try folder.write("a.csv", cell)).map(\.hasBrokenText) == [true, false])
  }

  @Test("a folder, a pattern, and what is not there")
  func files() throws {
    let folder = try TemporaryFolder()
    try folder.write("b.jsonl", "{\"n\": 2}")
    try folder.write("a.csv", "n\nx\n")
    try folder.write("README.md", "no data")
    try folder.write(".hidden.jsonl", "{}")
    #expect(try rows(folder.path).count == 2)
    #expect(try DataFiles.find(folder.path) == [folder["a.csv"], folder["b.jsonl"]])
    #expect(try DataFiles.find(folder["*.jsonl"]) == [folder["b.jsonl"]])
    for (path, what) in [
      (folder["c.jsonl"], "No such file"), (folder["*.parquet"], "no file fits"),
    ] {
      let error = try #require(#expect(throws: DataError.self) { try DataFiles.find(path) })
      #expect("\(error)".contains(what))
    }
  }
}
