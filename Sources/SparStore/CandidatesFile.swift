import Foundation

/// candidates.h5: prompts and their sampled answers. The layout is in docs/formats.md.
public enum CandidatesFile {
  public static let schema = H5Schema(name: "spar.candidates", version: 1)

  /// Writes the table atomically.
  ///
  /// - Parameter attributes: root attributes beside `schema`, `schema_version` and `K`: model,
  ///   digests, sampling settings, iteration, time.
  /// - Throws: `StoreError`; a group without K answers, or an answer whose ids and log-probs differ
  ///   in number, is `invalid`.
  public static func write(
    to path: String, _ table: CandidateTable, attributes: [String: AttributeValue] = [:]
  ) throws {
    let doing = "writing the candidates"
    try validate(table, HDF5Context(path: path, doing: doing))
    try H5File.write(to: path, doing: doing) { file in
      try file.stamp(schema)
      try file.setAttribute("K", .int(Int64(table.K)))
      try file.setAttributes(
        attributes.filter { !H5Schema.attributeNames.contains($0.key) && $0.key != "K" })
      try writePrompts(table, file)
      try writeAnswers(table, file)
    }
  }

  /// - Throws: `StoreError` for another schema or version, a missing dataset, and offsets or lengths
  ///   that contradict one another.
  public static func read(
    _ path: String
  ) throws(StoreError) -> (table: CandidateTable, attributes: [String: AttributeValue]) {
    let file = try H5File.open(path, doing: "reading the candidates")
    try file.require(schema)
    // swift-format-ignore: AlwaysUseLowerCamelCase
    let K = try file.answersPerPrompt()
    let index = try file.read("prompt/index", as: Int64.self, shape: [-1])
    let n = index.count
    let names = try file.readStrings("prompt/id", shape: [n])
    let messages = try file.readStrings("prompt/messages", shape: [n])
    // Files of prompts with further columns have it; "" = a prompt without.
    let lines = try file.exists("prompt/row") ? file.readStrings("prompt/row", shape: [n]) : []
    let prompts = try Ragged<Int32>(
      file, values: "prompt/ids", offsets: "prompt/offsets", count: n)
    let answers = try Ragged<Int32>(
      file, values: "answer/ids", offsets: "answer/offsets", count: n * K)
    let logps = try file.read("answer/logps", as: Float.self, shape: [answers.values.count])
    let finish = try file.read("answer/finish", as: Int8.self, shape: [n, K])
    let texts = try file.readStrings("answer/text", shape: [n, K])
    var rows: [CandidateGroup] = []
    rows.reserveCapacity(n)
    for i in 0..<n {
      var group: [CandidateAnswer] = []
      for a in i * K..<(i + 1) * K {
        guard let reason = CandidateAnswer.Finish(rawValue: finish[a]) else {
          throw file.context.error(.invalid("answer/finish holds \(finish[a])"))
        }
        group.append(
          CandidateAnswer(
            ids: Array(answers.values[answers.range(a)]), logps: Array(logps[answers.range(a)]),
            finish: reason, text: texts[a]))
      }
      rows.append(
        CandidateGroup(
          promptIndex: Int(index[i]), promptID: names[i],
          messages: try decode(messages[i], row: i, file.context),
          promptIDs: Array(prompts.values[prompts.range(i)]), answers: group,
          row: lines.isEmpty || lines[i].isEmpty ? nil : lines[i]))
    }
    return (CandidateTable(K: K, rows: rows), try file.attributes())
  }

  private static func validate(
    _ table: CandidateTable, _ context: HDF5Context
  ) throws(StoreError) {
    guard table.K > 0 else { throw context.error(.invalid("K is \(table.K)")) }
    for row in table.rows {
      guard row.answers.count == table.K else {
        throw context.error(
          .invalid("prompt \(row.promptID) has \(row.answers.count) answers, K is \(table.K)"))
      }
      for answer in row.answers where answer.ids.count != answer.logps.count {
        throw context.error(
          .invalid(
            "prompt \(row.promptID) has an answer of \(answer.ids.count) ids and "
              + "\(answer.logps.count) log-probs"))
      }
    }
  }

  private static func writePrompts(_ table: CandidateTable, _ file: H5File) throws {
    try file.write("prompt/index", table.rows.map { Int64($0.promptIndex) })
    try file.writeStrings("prompt/id", table.rows.map { storable($0.promptID) })
    try file.writeStrings("prompt/messages", try table.rows.map { try encode($0.messages) })
    if table.rows.contains(where: { $0.row != nil }) {
      try file.writeStrings("prompt/row", table.rows.map { storable($0.row ?? "") })
    }
    try Ragged.write(
      table.rows.map(\.promptIDs), file, values: "prompt/ids", offsets: "prompt/offsets")
  }

  private static func writeAnswers(_ table: CandidateTable, _ file: H5File) throws {
    let answers = table.rows.flatMap(\.answers)
    try Ragged.write(answers.map(\.ids), file, values: "answer/ids", offsets: "answer/offsets")
    let logps = answers.flatMap(\.logps)
    try file.write("answer/logps", logps, layout: .forValues(logps.count))
    let shape = [table.rows.count, table.K]
    try file.write("answer/finish", answers.map(\.finish.rawValue), shape: shape)
    try file.writeStrings("answer/text", answers.map { storable($0.text) }, shape: shape)
  }

  /// A policy can sample U+0000, which HDF5 text cannot hold; the ids remain exact.
  private static func storable(_ text: String) -> String {
    guard text.utf8.contains(0) else { return text }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })
    return String(scalars)
  }

  private static func encode(_ messages: [CandidateGroup.Message]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(messages), as: UTF8.self)
  }

  private static func decode(
    _ json: String, row: Int, _ context: HDF5Context
  ) throws(StoreError) -> [CandidateGroup.Message] {
    do {
      return try JSONDecoder().decode([CandidateGroup.Message].self, from: Data(json.utf8))
    } catch {
      throw context.error(.invalid("prompt/messages[\(row)] is no list of role and content"))
    }
  }
}

/// Lists of different lengths end to end: list i is `values[offsets[i]..<offsets[i + 1]]`.
struct Ragged<Element: H5Element> {
  var values: [Element]
  private var offsets: [Int64]

  func range(_ i: Int) -> Range<Int> { Int(offsets[i])..<Int(offsets[i + 1]) }

  init(
    _ file: H5File, values valueName: String, offsets offsetName: String, count: Int
  ) throws(StoreError) {
    values = try file.read(valueName, as: Element.self, shape: [-1])
    offsets = try file.read(offsetName, as: Int64.self, shape: [count + 1])
    guard offsets.first == 0, offsets.last == Int64(values.count),
      zip(offsets, offsets.dropFirst()).allSatisfy(<=)
    else {
      throw file.context.error(
        .invalid("\(offsetName) does not ascend from 0 to the length of \(valueName)"))
    }
  }

  static func write(
    _ lists: [[Element]], _ file: H5File, values valueName: String, offsets offsetName: String
  ) throws(StoreError) {
    var offsets: [Int64] = [0]
    offsets.reserveCapacity(lists.count + 1)
    for list in lists { offsets.append(offsets[offsets.count - 1] + Int64(list.count)) }
    let flat = lists.flatMap { $0 }
    try file.write(valueName, flat, layout: .forValues(flat.count))
    try file.write(offsetName, offsets)
  }
}

extension H5Layout {
  /// Compressed chunks where it pays: a short vector stays in one piece.
  static func forValues(_ count: Int) -> H5Layout {
    count < 1 << 16 ? .contiguous : H5Layout(chunkRows: 1 << 15, deflate: 4)
  }
}
