import Testing

@testable import SparHost

@Suite("Options") struct OptionTests {
  private func message(_ id: String, _ options: [String: String]) throws -> String {
    let host = try builtHost()
    let error = #expect(throws: PluginError.self) {
      try host.makeObjective(id, options: options)
    }
    return "\(try #require(error))"
  }

  @Test("of another objective are errors that name what there is")
  func unknown() throws {
    #expect(
      try message("dpo", ["target_clamp": "1"])
        == "dpo has no target_clamp; it has beta, label_smoothing")
    #expect(
      try message("dpo", ["label-smothing": "1"])
        == "dpo has no label-smothing; it has beta, label-smoothing"
        + " (did you mean label-smoothing?)")
  }

  @Test("out of range, of another type or not finite are errors with the range and the unit")
  func wrongValues() throws {
    #expect(
      try message("dpo", ["label_smoothing": "0.7"])
        == "dpo: label-smoothing = '0.7' is out of range; label-smoothing is a number from 0 to 0.5"
    )
    #expect(try message("sppo", ["beta": "strong"]).contains("'strong' cannot be read"))
    #expect(try message("sppo", ["beta": "nan"]).contains("not finite"))
    #expect(try message("gpo", ["target-clamp": "-1"]).contains("in nats"))
  }

  @Test("may be spelled with _ or -, but not both at once")
  func spelling() throws {
    let component = try builtHost().component(.objective, "sppo_single")
    #expect(component.id == "sppo-single")
    #expect(
      try message("dpo", ["label_smoothing": "0", "label-smoothing": "0.1"]).contains("twice"))
  }

  @Test("come in the order of the schema with defaults filled in")
  func defaults() throws {
    let checked = try builtHost().component(.objective, "gpo").check(["target_clamp": "1000"])
    #expect(checked.map(\.schema.name) == ["beta", "target-clamp", "length-normalisation"])
    #expect(checked.map(\.value) == [.float(1e-3), .float(1000), .float(0)])
    #expect(checked.map(\.given) == [false, true, false])
  }

  @Test(
    "are read by type",
    arguments: [
      (OptionType.bool, "yes", OptionValue.bool(true)), (.int, "-3", .int(-3)),
      (.float, "1e-3", .float(1e-3)), (.string, "", .string("")), (.path, "/x", .path("/x")),
      (.path, "", .path("")), (.choice, "two_words", .choice(index: 1, name: "two-words")),
    ])
  func types(type: OptionType, text: String, value: OptionValue) throws {
    let schema = OptionSchema(
      name: "x", doc: "An x.", choices: type == .choice ? ["one", "two-words"] : [], type: type)
    #expect(try schema.parse(text) == value)
  }

  @Test(
    "of the wrong form are refused",
    arguments: [
      (OptionType.bool, "maybe"), (.int, "1.5"), (.float, "1,5"), (.choice, "three"),
      (.float, "inf"),
    ])
  func refused(type: OptionType, text: String) {
    let schema = OptionSchema(name: "x", doc: "An x.", choices: ["one", "two"], type: type)
    #expect(throws: OptionError.self) { try schema.parse(text) }
  }

  @Test("make paths absolute")
  func paths() throws {
    let schema = OptionSchema(name: "x", doc: "An x.", type: .path)
    guard case .path(let path) = try schema.parse("a/b") else { throw CancellationError() }
    #expect(path.hasPrefix("/") && path.hasSuffix("/a/b"))
  }

  @Test("and unknown components suggest the nearest")
  func unknownComponent() throws {
    let text = try message("spo", [:])
    #expect(text.contains("did you mean 'sppo'?"))
    #expect(text.contains("known: dpo, gpo, sppo, sppo-hard, sppo-single"))
  }
}
