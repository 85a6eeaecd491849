import Foundation
import SparPipeline

/// The values of an axis, however they are written.
///
///     a,b,c                 a list                [a, b, c]
///     1e-4..1e-2:5:log      five, evenly in logs  {from: 1e-4, to: 1e-2, steps: 5, scale: log}
///     0..1:5                five, evenly          {from: 0, to: 1, steps: 5}
///     1..4                  whole numbers         {from: 1, to: 4}
public enum AxisValues {
  /// Reads the form of the command line.
  public static func parse(_ text: String, place: String) throws(SweepError) -> [String] {
    var values: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let part = part.trimmingCharacters(in: .whitespaces)
      guard !part.isEmpty else {
        throw .syntax(place: place, problem: "\"\(text)\" has an empty value")
      }
      values += try range(part, place: place) ?? [part]
    }
    return try distinct(values, place: place)
  }

  /// Reads a text, a list, or a range as a mapping.
  static func parse(_ node: RecipeNode, place: String) throws(SweepError) -> [String] {
    switch node.content {
    case .text(let text): return try distinct(range(text, place: place) ?? [text], place: place)
    case .list(let items):
      var values: [String] = []
      for item in items {
        guard case .text(let text) = item.content else {
          throw .syntax(place: place, problem: "a list of values holds texts and numbers only")
        }
        values.append(text)
      }
      return try distinct(values, place: place)
    case .fields(let fields):
      var parts: [String: String] = [:]
      for field in fields {
        guard case .text(let text) = field.node.content else {
          throw .syntax(place: place, problem: "\(field.name) of a range takes one value")
        }
        parts[field.name] = text
      }
      let unknown = Set(parts.keys).subtracting(["from", "to", "steps", "scale"]).sorted()
      guard unknown.isEmpty, let from = parts["from"], let to = parts["to"] else {
        throw .syntax(
          place: place,
          problem: "a range is {from: …, to: …, steps: …, scale: linear|log}"
            + (unknown.isEmpty ? "" : "; it has no \(unknown.joined(separator: ", "))"))
      }
      return try distinct(
        range(from, to, parts["steps"], parts["scale"], place: place), place: place)
    }
  }

  /// `from..to[:steps[:scale]]`, or nil for what is no range.
  private static func range(_ text: String, place: String) throws(SweepError) -> [String]? {
    guard let dots = text.range(of: "..") else { return nil }
    let from = String(text[..<dots.lowerBound])
    let rest = text[dots.upperBound...].split(separator: ":", omittingEmptySubsequences: false)
    // A path such as ../a has dots, too.
    guard Double(from) != nil, let to = rest.first.map(String.init), Double(to) != nil else {
      return nil
    }
    guard rest.count <= 3 else {
      throw .syntax(place: place, problem: "\"\(text)\": a range is from..to:steps:log")
    }
    return try range(
      from, to, rest.count > 1 ? String(rest[1]) : nil, rest.count > 2 ? String(rest[2]) : nil,
      place: place)
  }

  private static func range(
    _ from: String, _ to: String, _ steps: String?, _ scale: String?, place: String
  ) throws(SweepError) -> [String] {
    let name = "the range \(from)..\(to)"
    guard let a = Double(from), let b = Double(to), a.isFinite, b.isFinite else {
      throw .syntax(place: place, problem: "\(name) needs numbers")
    }
    let scale = scale ?? "linear"
    guard ["linear", "log"].contains(scale) else {
      throw .syntax(place: place, problem: "\(name): the scale is linear or log, not \(scale)")
    }
    guard a != b else { throw .syntax(place: place, problem: "\(name) has one value only") }
    let isWhole = a == a.rounded() && b == b.rounded() && abs(a) < 1e15 && abs(b) < 1e15
    let count: Int
    if let steps {
      guard let given = Int(steps), (2...1000).contains(given) else {
        throw .syntax(place: place, problem: "\(name): steps is \(steps); it is 2…1000")
      }
      count = given
    } else {
      guard isWhole, scale == "linear", abs(b - a) < 1000 else {
        throw .syntax(place: place, problem: "\(name) needs steps, as in \(from)..\(to):5")
      }
      count = Int(abs(b - a)) + 1
    }
    if scale == "log", a <= 0 || b <= 0 {
      throw .syntax(place: place, problem: "\(name): a log scale needs numbers above 0")
    }
    var values: [String] = []
    for index in 0..<count {
      let share = Double(index) / Double(count - 1)
      let value = scale == "log" ? a * pow(b / a, share) : a + (b - a) * share
      // The ends are as they were typed.
      values.append(index == 0 ? from : index == count - 1 ? to : shown(value))
    }
    return values
  }

  /// Six digits: near enough for a setting, short enough for a name.
  private static func shown(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e6
      ? "\(Int(value))" : String(format: "%.6g", value)
  }

  private static func distinct(
    _ values: [String], place: String
  ) throws(SweepError) -> [String] {
    guard !values.isEmpty else { throw .syntax(place: place, problem: "there are no values") }
    var seen: Set<String> = []
    for value in values where !seen.insert(value).inserted {
      throw .syntax(place: place, problem: "the value \(value) is there twice")
    }
    return values
  }

  /// The same text, or the same number.
  static func same(_ a: String, _ b: String) -> Bool {
    if a == b { return true }
    guard let a = Double(a), let b = Double(b) else { return false }
    return a == b
  }
}
