/// Values for a call, by place and by name.
struct JinjaCall {
  var positional: [JinjaValue] = []
  var named: [(name: String, value: JinjaValue)] = []

  func dropFirst(_ count: Int = 1) -> JinjaCall {
    JinjaCall(positional: Array(positional.dropFirst(count)), named: named)
  }

  /// The arguments in the order of the parameters, nil for an optional one that is absent.
  ///
  /// - Parameter implicit: arguments that Python counts besides these, such as a filter's value.
  /// - Throws: a fault in Python's words for a missing, surplus or unknown argument.
  func bind(
    _ function: String, required: [String] = [], optional: [String] = [], implicit: Int = 1
  ) throws -> [JinjaValue?] {
    let names = required + optional
    guard positional.count <= names.count else {
      let most = names.count + implicit
      let range = optional.isEmpty ? "\(most)" : "from \(required.count + implicit) to \(most)"
      let plural = most == 1 ? "" : "s"
      throw JinjaFault.type(
        "\(function)() takes \(range) positional argument\(plural) but "
          + "\(positional.count + implicit) were given")
    }
    var values: [JinjaValue?] =
      positional + repeatElement(nil, count: names.count - positional.count)
    for (name, value) in named {
      guard let place = names.firstIndex(of: name) else {
        throw JinjaFault.type("\(function)() got an unexpected keyword argument '\(name)'")
      }
      guard values[place] == nil else {
        throw JinjaFault.type("\(function)() got multiple values for argument '\(name)'")
      }
      values[place] = value
    }
    let missing = required.indices.filter { values[$0] == nil }.map { "'\(required[$0])'" }
    guard missing.isEmpty else {
      let list =
        missing.count == 1
        ? missing[0]
        : missing.dropLast().joined(separator: ", ") + (missing.count > 2 ? "," : "") + " and "
          + missing[missing.count - 1]
      throw JinjaFault.type(
        "\(function)() missing \(missing.count) required positional "
          + "argument\(missing.count == 1 ? "" : "s"): \(list)")
    }
    return values
  }

  /// Arguments of a method that is written in C: by place only.
  func place(_ function: String, _ range: ClosedRange<Int>) throws -> [JinjaValue] {
    guard named.isEmpty else {
      throw JinjaFault.type("\(function)() takes no keyword arguments")
    }
    let count = positional.count
    if range.contains(count) { return positional }
    let (low, high) = (range.lowerBound, range.upperBound)
    guard low < high else {
      let expected =
        low == 0 ? "no arguments" : low == 1 ? "exactly one argument" : "\(low) arguments"
      throw JinjaFault.type("\(function)() takes \(expected) (\(count) given)")
    }
    let isShort = count < low
    let bound = isShort ? low : high
    throw JinjaFault.type(
      "\(function) expected at \(isShort ? "least" : "most") \(bound) "
        + "argument\(bound == 1 ? "" : "s"), got \(count)")
  }
}
