import CSparPlugin
import SparHost

/// What a component tells about its options must hold when they are used.
let optionTests = [
  ConformanceTest(
    "options.defaults", .component, "With its defaults the component can be made.",
    cure: "give every option a default that create accepts, or mark it SPAR_P_REQUIRED"
  ) { subject in
    let opened = try subject.open()
    try opened.make().destroy()
    return opened.component.options.isEmpty ? "it has no options" : nil
  },
  ConformanceTest(
    "options.range-ends", .component,
    "Both ends of every range and every choice are accepted by create.",
    cure: "narrow min and max to what works, or make create accept them"
  ) { subject in
    let opened = try subject.open()
    try opened.make().destroy()
    var tried = 0
    for option in opened.component.options {
      for value in extremeValues(of: option) {
        subject.doing("create with \(option.name)=\(value)")
        let creation = try opened.create(overriding: [option.name: value])
        try creation.outcome.requireText("create with \(option.name)=\(value)")
        let outcome = creation.outcome
        // A machine may lack memory or a library; that is not the range's fault.
        try require(
          outcome.isOK || outcome.isEnvironment,
          "create refuses \(option.name)=\(value), which it announces: \(outcome.description)")
        tried += 1
      }
    }
    return "\(tried) values"
  },
  ConformanceTest(
    "options.beyond-range", .component,
    "Values beyond a range, of another type or no choice are refused with a text.",
    cure: "set SPAR_P_RANGE with min and max, or choices, so that the host can refuse"
  ) { subject in
    let component = try subject.open().component
    var tried = 0
    for option in component.options {
      for value in wrongValues(of: option) {
        do {
          _ = try component.check(requiredValues(component).merging([option.name: value]) { $1 })
          throw Violation("\(option.name)=\(value) is taken")
        } catch let error as PluginError {
          try require(!"\(error)".isEmpty, "\(option.name)=\(value) is refused without a text")
        }
        tried += 1
      }
    }
    return "\(tried) values"
  },
  ConformanceTest(
    "options.documented", .component,
    "Options have unique kebab-case names, a sentence each, and numbers have a range.",
    cure: "write doc for each option; give numbers SPAR_P_RANGE", isAdvice: true
  ) { subject in
    let component = try subject.open().component
    var names: Set<String> = []
    for option in component.options {
      try require(names.insert(option.name).inserted, "\(option.name) stands there twice")
      try require(option.doc.count > 3, "\(option.name) has no sentence of documentation")
      let isNumber = option.type == .int || option.type == .float
      try require(!isNumber || option.range != nil, "\(option.name) is a number without a range")
    }
    return nil
  },
]

/// What stands at the edge of what an option admits, as a user would type it.
private func extremeValues(of option: OptionSchema) -> [String] {
  switch option.type {
  case .bool: return ["true", "false"]
  case .choice: return option.choices
  case .int:
    guard let range = option.range else { return [] }
    return [range.lowerBound, range.upperBound].map { "\(Int64(exactly: $0.rounded()) ?? 0)" }
  case .float:
    guard let range = option.range else { return [] }
    return [range.lowerBound, range.upperBound].map { "\($0)" }
  case .string, .path: return []
  }
}

private func wrongValues(of option: OptionSchema) -> [String] {
  switch option.type {
  case .bool: return ["maybe"]
  case .choice: return ["none-of-the-choices"]
  case .string, .path: return []
  case .int, .float:
    guard let range = option.range else { return ["a word", "nan"] }
    let span = max(1, range.upperBound - range.lowerBound, abs(range.upperBound))
    let outside = [range.lowerBound - span, range.upperBound + span]
    return ["a word", "nan"]
      + outside.map { option.type == .int ? "\(Int64($0.rounded()))" : "\($0)" }
  }
}

/// Any value for options that have no default, so that only the one at hand is wrong.
private func requiredValues(_ component: PluginComponent) -> [String: String] {
  var values: [String: String] = [:]
  for option in component.options where option.required {
    values[option.name] = extremeValues(of: option).first ?? "x"
  }
  return values
}
