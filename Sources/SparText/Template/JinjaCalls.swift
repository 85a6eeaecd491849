import Foundation

/// Calls of functions, macros and methods.
extension JinjaInterpreter {
  func call(_ callee: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    switch callee {
    case .undefined(let why): throw JinjaFault.undefined(why)
    case .method(.none, let name): return try function(name, given)
    case .method(.reference(let reference), let name):
      return try method(of: reference, name, given)
    case .method(let base, let name): return try method(of: base, name, given)
    case .reference(let reference):
      switch reference.kind {
      case .macro, .caller: return try deeper { try invoke(reference.index, given) }
      case .loop:
        guard reference.index < loops.count, let value = given.value(0, "iterable") else { break }
        return try recurse(reference.index, value)
      case .joiner:
        defer { joiners[reference.index].isUsed = true }
        return .string(joiners[reference.index].isUsed ? joiners[reference.index].separator : "")
      case .namespace, .cycler: break
      }
    default: break
    }
    throw JinjaFault.type("'\(callee.typeName)' object is not callable")
  }

  private func function(_ name: String, _ given: JinjaCall) throws -> JinjaValue {
    switch name {
    case "range": return .list(try range(given))
    case "raise_exception":
      throw JinjaFault(
        given.value(0, "message")?.text ?? "",
        cure: "the template itself refuses this conversation; change the messages")
    case "strftime_now": return .string(try time(given.value(0, "format")?.text ?? ""))
    case "namespace":
      namespaces.append(try dictionary(given))
      return .reference(JinjaReference(kind: .namespace, index: namespaces.count - 1))
    case "dict": return .dictionary(try dictionary(given))
    case "cycler":
      guard !given.positional.isEmpty else {
        throw JinjaFault.type("at least one item has to be provided")
      }
      cyclers.append((given.positional, 0))
      return .reference(JinjaReference(kind: .cycler, index: cyclers.count - 1))
    default:
      joiners.append((given.value(0, "sep")?.text ?? ", ", false))
      return .reference(JinjaReference(kind: .joiner, index: joiners.count - 1))
    }
  }

  /// A mapping or pairs, then names.
  private func dictionary(_ given: JinjaCall) throws -> JinjaDictionary {
    var out = JinjaDictionary()
    if let first = given.positional.first {
      if case .dictionary(let members) = first {
        out = members
      } else {
        for pair in try elements(first) {
          let pair = try elements(pair)
          guard pair.count == 2, out.set(pair[0], pair[1]) else {
            throw JinjaFault.type("cannot convert dictionary update sequence element")
          }
        }
      }
    }
    for (name, value) in given.named { out[name] = value }
    return out
  }

  private func range(_ given: JinjaCall) throws -> [JinjaValue] {
    let bounds = try given.positional.map { value in
      guard let bound = value.asInteger else {
        throw JinjaFault.type("'\(value.typeName)' object cannot be interpreted as an integer")
      }
      return bound
    }
    guard (1...3).contains(bounds.count) else {
      throw JinjaFault.type("range expected 1 to 3 arguments, got \(bounds.count)")
    }
    let start = bounds.count == 1 ? 0 : bounds[0]
    let stop = bounds.count == 1 ? bounds[0] : bounds[1]
    let step = bounds.count == 3 ? bounds[2] : 1
    guard step != 0 else { throw JinjaFault.type("range() arg 3 must not be zero") }
    var out: [JinjaValue] = []
    for value in stride(from: start, to: stop, by: step) {
      try spend()
      out.append(.integer(value))
    }
    return out
  }

  private func time(_ format: String) throws -> String {
    var seconds = time_t(now.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    // A blank in front tells an empty result from one that does not fit.
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = strftime(&buffer, buffer.count, " " + format, &parts)
    guard length > 0 else { throw JinjaFault.type("the time format is too long") }
    return String(decoding: buffer[1..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func method(
    of reference: JinjaReference, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    switch (reference.kind, name) {
    case (.loop, "cycle"):
      guard reference.index < loops.count, !given.positional.isEmpty else {
        throw JinjaFault.type("no items for cycling given")
      }
      return given.positional[loops[reference.index].index % given.positional.count]
    case (.loop, _):
      guard reference.index < loops.count else { return .boolean(true) }
      let value = JinjaValue.tuple(given.positional)
      defer { loops[reference.index].changed = value }
      return .boolean(loops[reference.index].changed.map { $0 != value } ?? true)
    case (.cycler, "next"):
      let cycler = cyclers[reference.index]
      cyclers[reference.index].place = (cycler.place + 1) % cycler.items.count
      return cycler.items[cycler.place]
    default:
      cyclers[reference.index].place = 0
      return .none
    }
  }
}
