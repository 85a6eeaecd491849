import Foundation
import SparCompute
import SparText

/// The members of a config.json, or of an object in it.
///
/// A value of another kind than its field's is an error that names the field; null is as absent, as
/// Python's None is.
struct ConfigFields {
  let node: JSONNode
  let path: String
  /// The object's own name with a dot, for messages.
  var prefix: String

  init(node: JSONNode, path: String, prefix: String = "") {
    (self.node, self.path, self.prefix) = (node, path, prefix)
  }

  /// Parses a file that holds one object.
  init(data: Data, path: String) throws {
    do throws(JSONSyntaxError) {
      self.init(node: try JSONParser.parse(data), path: path)
    } catch {
      throw ModelError(
        .config(field: "(all)", problem: "\(error.what) at byte \(error.offset)"), path: path)
    }
    guard node.members != nil else {
      throw ModelError(.config(field: "(all)", problem: "is not a JSON object"), path: path)
    }
  }

  func wrong(_ name: String, _ problem: String) -> ModelError {
    ModelError(.config(field: prefix + name, problem: problem), path: path)
  }

  /// True for a field that is written, even as null.
  func names(_ name: String) -> Bool { node[name] != nil }

  private func value(_ name: String) -> JSONNode? {
    guard let value = node[name], !value.isNull else { return nil }
    return value
  }

  /// A finite number, or nil.
  private func finite(_ name: String) throws -> Double? {
    guard let value = value(name) else { return nil }
    guard let number = value.double else { throw wrong(name, "\(value.kind), not a number") }
    guard number.isFinite else { throw wrong(name, "\(number) is not finite") }
    return number
  }

  private func whole(_ number: Double?, _ name: String) throws -> Int? {
    guard let number else { return nil }
    guard let integer = Int(exactly: number) else { throw wrong(name, "an integer is needed") }
    return integer
  }

  /// A number above 0, or nil.
  func number(_ name: String) throws -> Double? {
    guard let number = try finite(name) else { return nil }
    guard number > 0 else { throw wrong(name, "\(number) is not positive") }
    return number
  }

  func number(_ name: String, default other: Double) throws -> Double {
    try number(name) ?? other
  }

  /// A bound above 0; nil where the field says that there is none, by null or by 0, or is absent.
  func limit(_ name: String) throws -> Double? {
    guard let number = try finite(name), number != 0 else { return nil }
    guard number > 0 else { throw wrong(name, "\(number) is negative; 0 and null mean none") }
    return number
  }

  /// The same for a bound that is an integer.
  func integerLimit(_ name: String) throws -> Int? { try whole(limit(name), name) }

  /// An integer above 0, or nil.
  func integer(_ name: String) throws -> Int? { try whole(number(name), name) }

  /// An integer of any sign, or nil.
  func signed(_ name: String) throws -> Int? { try whole(finite(name), name) }

  func integer(_ name: String, default other: Int) throws -> Int { try integer(name) ?? other }

  func required(_ name: String) throws -> Int {
    guard let value = try integer(name) else { throw wrong(name, "an integer is needed") }
    return value
  }

  func boolean(_ name: String, default other: Bool) throws -> Bool {
    guard let value = value(name) else { return other }
    guard let boolean = value.boolean else { throw wrong(name, "\(value.kind), not a boolean") }
    return boolean
  }

  func string(_ name: String) throws -> String? {
    guard let value = value(name) else { return nil }
    guard let string = value.string else { throw wrong(name, "\(value.kind), not a string") }
    return string
  }

  /// A list of numbers above 0.
  func numbers(_ name: String) throws -> [Double]? {
    guard let value = value(name) else { return nil }
    let numbers = value.array?.compactMap(\.double).filter { $0 > 0 } ?? []
    guard let array = value.array, numbers.count == array.count else {
      throw wrong(name, "a list of positive numbers is needed")
    }
    return numbers
  }

  func strings(_ name: String) throws -> [String]? {
    guard let value = value(name) else { return nil }
    let strings = value.array?.compactMap(\.string) ?? []
    guard let array = value.array, strings.count == array.count else {
      throw wrong(name, "a list of strings is needed")
    }
    return strings
  }

  func object(_ name: String) throws -> ConfigFields? {
    guard let value = value(name) else { return nil }
    guard value.members != nil else { throw wrong(name, "\(value.kind), not an object") }
    return ConfigFields(node: value, path: path, prefix: prefix + name + ".")
  }

  /// One token id or a list of them.
  func ids(_ name: String) throws -> [Int32] {
    guard let value = value(name) else { return [] }
    let listed = value.array ?? [value]
    let ids = listed.compactMap(\.integer).compactMap(Int32.init(exactly:)).filter { $0 >= 0 }
    guard ids.count == listed.count else { throw wrong(name, "token ids are needed") }
    return ids
  }

  /// The activation of the feed-forward part, under the names that transformers gives them.
  func activation(_ name: String, default other: String) throws -> Activation {
    let spelled = try string(name) ?? other
    guard let activation = Self.activations[spelled] else {
      let known = Self.activations.keys.sorted()
      throw wrong(
        name,
        "\"\(spelled)\" is not known; known: " + known.joined(separator: ", ")
          + (NearestName.of(spelled, among: known).map { "; the nearest is \($0)" } ?? ""))
    }
    return activation
  }

  private static let activations: [String: Activation] = [
    "silu": .silu, "swish": .silu, "gelu": .gelu, "gelu_pytorch_tanh": .geluTanh,
    "gelu_new": .geluTanh, "relu": .relu,
  ]
}

extension JSONNode {
  /// A number of either kind.
  fileprivate var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}
