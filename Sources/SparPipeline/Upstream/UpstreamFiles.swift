import Foundation
import SparData
import SparStore
import SparText

/// The files of a run of the published pipeline, found in its folders by their names.
///
///     generated/OUT/responses_{p}.json           answer p of every prompt, an array of texts
///     generated/OUT/responses_{shard}_{p}.json   the same of one shard, before they are combined
///     ranking/OUT/{gpu}_{shard}.npy              S, [n, K]
///     ranking/OUT/{gpu}_{shard}_table.npy        M, [n, K, K]
enum UpstreamFiles {
  /// Answer p of every prompt in the order of the prompt set, for p from 0.
  ///
  /// - Parameter pairs: K; nil = as many as there are.
  /// - Throws: `DataError` for a file that is missing, is no array of texts, or has another length
  ///   than its fellows.
  static func answers(in folder: String, pairs: Int?) throws -> [[String]] {
    let names = try list(folder)
    let combined = names.compactMap { numbers($0, "responses_", ".json", 1)?[0] }.sorted()
    let shards = names.compactMap { numbers($0, "responses_", ".json", 2) }
    guard let last = combined.last ?? shards.map({ $0[1] }).max() else {
      throw DataError(
        path: folder, what: "no responses_0.json in it",
        cure: "name the folder that generation wrote, generated/OUT")
    }
    let count = pairs ?? last + 1
    var answers: [[String]] = []
    for p in 0..<count {
      var texts: [String] = []
      if !combined.isEmpty {
        texts = try self.texts(require("responses_\(p).json", of: folder, among: names, count))
      } else {
        for shard in 0...(shards.map { $0[0] }.max() ?? 0) {
          let name = "responses_\(shard)_\(p).json"
          texts += try self.texts(require(name, of: folder, among: names, count))
        }
      }
      if let first = answers.first, first.count != texts.count {
        throw DataError(
          path: "\(folder)/responses_\(p).json",
          what: "it holds \(texts.count) answers, and responses_0.json \(first.count)",
          cure: "one of them is of another run or was cut off: make it again")
      }
      answers.append(texts)
    }
    return answers
  }

  private static func require(
    _ name: String, of folder: String, among names: [String], _ count: Int
  ) throws -> String {
    guard names.contains(name) else {
      throw DataError(
        path: "\(folder)/\(name)", what: "it is missing, K = \(count) needs it",
        cure: "let generation finish, or give --pairs with as many answers as are there")
    }
    return "\(folder)/\(name)"
  }

  private static func texts(_ path: String) throws -> [String] {
    let node: JSONNode
    do throws(JSONSyntaxError) {
      node = try JSONParser.parse(FileManager.default.contents(atPath: path) ?? Data())
    } catch {
      throw DataError(
        path: path, place: "byte \(error.offset)", what: error.what,
        cure: "it was cut off as it was written: let generation make it again")
    }
    guard let elements = node.array else {
      throw DataError(path: path, what: "it holds \(node.kind), not an array of texts", cure: "")
    }
    return try elements.enumerated().map { row, element in
      guard let text = element.string else {
        throw DataError(
          path: path, place: "element \(row)", what: "\(element.kind), not a text", cure: "")
      }
      return text
    }
  }

  /// The rows of all shards, one array after the other; nil where the folder has no such file.
  ///
  /// - Parameter suffix: "" for S, "_table" for M.
  static func rows(in folder: String, suffix: String) throws -> Rows? {
    var files: [Int: String] = [:]
    for name in try list(folder) {
      guard let found = numbers(name, "", suffix + ".npy", 2) else { continue }
      if let other = files.updateValue(name, forKey: found[1]) {
        throw DataError(
          path: folder, what: "\(other) and \(name) are both of shard \(found[1])",
          cure: "remove the one of the other run")
      }
    }
    guard let last = files.keys.max() else { return nil }
    var rows = Rows(path: folder, width: [], values: [])
    for shard in 0...last {
      guard let name = files[shard] else {
        throw DataError(
          path: folder, what: "no file of shard \(shard), and one of shard \(last)",
          cure: "rank that shard, too")
      }
      let array = try NPYArray("\(folder)/\(name)")
      let dimensions = suffix.isEmpty ? 2 : 3
      guard array.shape.count == dimensions, Set(array.shape.dropFirst()).count == 1,
        shard == 0 || rows.width == Array(array.shape.dropFirst())
      else {
        throw DataError(
          path: "\(folder)/\(name)", what: "its shape is \(array.shape)",
          cure: "\(suffix.isEmpty ? "scores are [n, K]" : "tables are [n, K, K]") "
            + "with one K for all shards")
      }
      if let at = array.values.firstIndex(where: { !$0.isFinite }) {
        throw DataError(
          path: "\(folder)/\(name)", place: "row \(at / max(1, array.shape[1...].reduce(1, *)))",
          what: "it holds \(array.values[at])", cure: "rank this shard again")
      }
      rows.width = Array(array.shape.dropFirst())
      rows.values += array.values
      rows.path = "\(folder)/\(name)"
    }
    return rows
  }

  /// Rows of [K] or [K, K] numbers.
  struct Rows {
    /// The last file, or the folder, for messages.
    var path: String
    var width: [Int]
    var values: [Double]

    private var size: Int { width.reduce(1, *) }
    var count: Int { size == 0 ? 0 : values.count / size }

    subscript(row: Int) -> [Double] { Array(values[(row * size)..<((row + 1) * size)]) }

    /// Throws where these are not the rows of `prompts` prompts with K answers.
    func require(prompts: Int, k: Int, candidates: String) throws {
      guard width.first == k else {
        throw DataError(
          path: path, what: "it is of K = \(width.first ?? 0) answers, \(candidates) of \(k)",
          cure: "give --pairs \(width.first ?? 0)")
      }
      guard count == prompts else {
        throw DataError(
          path: path, what: "there are \(count) ranked prompts, \(candidates) has \(prompts)",
          cure: "give the ranking of these answers, with all its shards")
      }
    }
  }

  private static func list(_ folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw DataError(path: folder, what: "no such folder, or one that cannot be read", cure: "")
    }
  }

  /// The numbers of a name such as "responses_3_0.json": `count` of them between the two texts.
  private static func numbers(
    _ name: String, _ prefix: String, _ suffix: String, _ count: Int
  ) -> [Int]? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix),
      name.count > prefix.count + suffix.count
    else { return nil }
    let words = name.dropFirst(prefix.count).dropLast(suffix.count)
      .split(separator: "_", omittingEmptySubsequences: false)
    let numbers = words.compactMap { word in
      word.allSatisfy(\.isASCII) && word.allSatisfy(\.isNumber) ? Int(word) : nil
    }
    return words.count == count && numbers.count == count ? numbers : nil
  }
}
