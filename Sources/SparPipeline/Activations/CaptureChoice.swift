import SparActivations
import SparModel
import SparText

/// What to capture, as typed: `0,15,29`, `residual,mlp`, `completion`, `f16`.
public struct CaptureChoice: Equatable, Sendable {
  public var layers: String
  public var sites: String
  public var positions: String
  public var dtype: String
  /// Before the names of the flags, in errors: "" or "capture-".
  public var prefix: String

  public init(
    layers: String, sites: String, positions: String, dtype: String, prefix: String = ""
  ) {
    self.layers = layers
    self.sites = sites
    self.positions = positions
    self.dtype = dtype
    self.prefix = prefix
  }

  /// - Throws: `RecipeError` that names the flag, what is allowed, and the nearest known word.
  public func options() throws(RecipeError) -> CaptureOptions {
    var options = CaptureOptions()
    if layers != "all" {
      let ranges = try NumberList(layers, flag: prefix + "layers").ranges
      options.layers = .some(ranges.flatMap(Array.init))
    }
    options.sites = []
    for word in sites.split(separator: ",", omittingEmptySubsequences: false) {
      options.sites.insert(try value(String(word), flag: "sites"))
    }
    if layers != "all", options.sites == [.logits] {
      throw .unread(
        key: prefix + "layers", readers: ["residual", "attention", "mlp"],
        chooser: prefix + "sites", chosen: "logits", place: .flag(prefix + "layers"))
    }
    options.positions = try value(positions, flag: "positions")
    options.precision = try value(dtype, flag: "dtype")
    return options
  }

  private func value<Choice: RawRepresentable<String> & CaseIterable>(
    _ word: String, flag: String
  ) throws(RecipeError) -> Choice {
    if let choice = Choice(rawValue: word) { return choice }
    let known = Choice.allCases.map(\.rawValue)
    let nearest = NearestName.of(word, among: known).map { "; did you mean \"\($0)\"?" }
    throw .value(
      key: prefix + flag, found: word,
      expected: "one of " + known.joined(separator: ", ") + (nearest ?? ""),
      place: .flag(prefix + flag))
  }
}

/// Numbers from 0 as typed: `0,5,10-20`.
public struct NumberList: Equatable, Sendable {
  public let ranges: [ClosedRange<Int>]

  public init(_ text: String, flag: String) throws(RecipeError) {
    var ranges: [ClosedRange<Int>] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
        first >= 0, first <= last, last < 1 << 32
      else {
        throw .value(
          key: flag, found: text, expected: "all, or numbers and ranges such as 0,5,10-20",
          place: .flag(flag))
      }
      ranges.append(first...last)
    }
    self.ranges = ranges
  }
}

/// Which rows of a file a stage captures.
public struct CaptureRows: Equatable, Sendable {
  /// Nil = all.
  private let list: NumberList?
  private let flag: String

  public init(_ text: String, flag: String) throws(RecipeError) {
    var list: NumberList?
    if text != "all" { list = try NumberList(text, flag: flag) }
    self.list = list
    self.flag = flag
  }

  public func contains(_ row: Int) -> Bool {
    list?.ranges.contains { $0.contains(row) } ?? true
  }

  /// Throws for a listed row or range of which `known` has none.
  public func require(someOf known: some Sequence<Int>, called: String) throws(RecipeError) {
    let known = Set(known)
    guard let missing = list?.ranges.first(where: { range in !known.contains { range ~= $0 } })
    else { return }
    let shown = missing.count == 1 ? "\(missing.lowerBound)" : "\(missing)"
    let nearest = known.min {
      abs($0 - missing.lowerBound) < abs($1 - missing.lowerBound)
    }
    throw .value(
      key: flag, found: shown,
      expected: "\(called)" + (nearest.map { "; the nearest is \($0)" } ?? ""), place: .flag(flag))
  }

  /// Throws for a row that a file of `count` rows does not have.
  public func require(below count: Int, of path: String) throws(RecipeError) {
    guard let last = list?.ranges.map(\.upperBound).max(), last >= count else { return }
    throw .value(
      key: flag, found: "\(last)", expected: "a row of \(path), which are 0 to \(count - 1)",
      place: .flag(flag))
  }
}
