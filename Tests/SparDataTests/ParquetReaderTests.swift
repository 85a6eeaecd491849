import Foundation
import SparText
import Testing

@testable import SparData

@Suite("Reading Parquet") struct ParquetReaderTests {
  @Test("every encoding, codec and type gives pyarrow's rows", arguments: ParquetFixtures.names)
  func fixtures(name: String) throws {
    let found = try rows(ParquetFixtures.path(name))
    let expected = try ParquetFixtures.expected(name)
    try #require(found.count == expected.count)
    for (row, wanted) in zip(found, expected) {
      for column in row.columns {
        #expect(
          column.value.loose == (wanted[column.key] ?? .null).loose,
          "\(name), \(row.place), \(column.key)")
      }
    }
    if name.hasPrefix("snappy"), let first = expected.first {
      #expect(found.first?.columns.map(\.key) == first.members?.map(\.key))
    }
  }

  @Test("the footer tells rows and columns without reading any")
  func footer() throws {
    let reader = try ParquetReader(ParquetFixtures.path("gzip-plain-groups.parquet"))
    #expect(reader.rows == 48)
    #expect(reader.columnNames.prefix(3) == ["prompt", "chosen", "rejected"])
  }

  /// Elements of a footer: name, repetition, children, type, converted type.
  private func schema(
    _ fields: [(String, Int, Int, Int?, Int?)]
  ) throws -> ParquetSchema {
    var elements = [ParquetFooter.Element(name: "schema", children: 1)]
    for (name, repetition, children, type, converted) in fields {
      elements.append(
        ParquetFooter.Element(
          type: type, repetition: repetition, name: name, children: children,
          converted: converted))
    }
    return try ParquetSchema(elements)
  }

  @Test("lists of old writers, with two levels or one")
  func oldLists() throws {
    // optional group a (LIST) { repeated int32 element }
    let bare = try schema([("a", 1, 1, nil, 3), ("element", 2, 0, 1, nil)])
    guard case .list(let element, definition: 2, repetition: 1) = bare.fields[0].shape else {
      Issue.record("\(bare.fields[0])")
      return
    }
    #expect(!element.isOptional && element.definition == 2)
    // optional group a (LIST) { repeated group array { optional int32 x } }
    let named = try schema([
      ("a", 1, 1, nil, 3), ("array", 2, 1, nil, nil), ("x", 1, 0, 1, nil),
    ])
    guard case .list(let turn, definition: 2, repetition: 1) = named.fields[0].shape,
      case .structure(let fields) = turn.shape
    else {
      Issue.record("\(named.fields[0])")
      return
    }
    #expect(fields.map(\.name) == ["x"] && fields[0].definition == 3)
    // repeated int32 a
    let repeated = try schema([("a", 2, 0, 1, nil)])
    guard case .list(_, definition: 1, repetition: 1) = repeated.fields[0].shape else {
      Issue.record("\(repeated.fields[0])")
      return
    }
    #expect(repeated.leaves.map(\.path) == ["a"])
  }

  @Test("dates follow the Gregorian calendar")
  func dates() {
    for (days, text) in [
      (0, "1970-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (11_016, "2000-02-29"),
      (-719_528, "0000-01-01"), (-719_529, "-0001-12-31"), (2_932_896, "9999-12-31"),
    ] {
      #expect(CalendarText.date(days: days) == text)
    }
    #expect(CalendarText.timestamp(-1, .millis) == "1969-12-31T23:59:59.999")
  }
}
