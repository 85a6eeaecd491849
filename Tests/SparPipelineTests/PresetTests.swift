import SparPipeline
import Testing

@Suite("Presets of a recipe") struct PresetTests {
  private static let yaml = """
    preset: code
    presets:
      code: {temperature: 0.7, train: {optim: rmsprop}}
      paper:
        generate.temperature: 1
        ranker: {text: training}
    temperature: 0.5
    top_p: 0.9
    ranker: {name: gpm, tau: 0.1}
    """

  private func resolve(
    _ yaml: String = yaml, set: [String] = [], flags: [String] = [], axes: [String] = []
  ) throws -> ResolvedRecipe {
    var resolved = ResolvedRecipe()
    try resolved.apply(RecipeFile(text: yaml, path: "/nowhere/recipe.yaml"))
    try resolved.apply(set: set.map { try ResolvedRecipe.Assignment($0) })
    try resolved.apply(flags: flags.map { try ResolvedRecipe.Assignment($0) })
    try resolved.apply(axes: axes.map { try ResolvedRecipe.Assignment($0) })
    try resolved.checkEveryValueIsRead()
    return resolved
  }

  @Test("the chosen one goes above what the recipe says, and says so")
  func chosen() throws {
    let resolved = try resolve()
    #expect(resolved.recipe.generate.temperature == 0.7)
    #expect(resolved.recipe.generate.topP == 0.9)
    #expect(
      resolved.origin(of: "generate.temperature")
        == .recipePreset(name: "code", path: "/nowhere/recipe.yaml", line: 3))
    #expect("\(resolved.origin(of: "generate.temperature"))".hasPrefix("preset code, recipe "))
  }

  @Test("another one by --set, flag or axis, below everything that is given there")
  func another() throws {
    for resolved in [
      try resolve(set: ["preset=paper"]), try resolve(flags: ["preset=paper"]),
      try resolve(axes: ["preset=paper"]),
      try resolve(set: ["preset=code"], flags: ["preset=paper"]),
    ] {
      #expect(resolved.recipe.generate.temperature == 1)
      #expect(resolved.recipe.ranker.options == ["tau": "0.1", "text": "training"])
      #expect(resolved.recipe.run.preset == "paper")
    }
    let given = try resolve(set: ["temperature=0.2", "preset=paper"], flags: ["top_p=0.3"])
    #expect(given.recipe.generate.temperature == 0.2)
    #expect(given.recipe.generate.topP == 0.3)
    let before = try resolve(set: ["temperature=0.2"], axes: ["preset=paper"])
    #expect(before.recipe.generate.temperature == 0.2)
    #expect(before.origin(of: "generate.temperature") == .set)
  }

  @Test("unknown ones and none at all are errors that list those that there are")
  func unknown() throws {
    let error = try #require(
      #expect(throws: RecipeError.self) { try resolve(set: ["preset=papre"]) })
    #expect(error == .preset(found: "papre", known: ["code", "paper"], place: .set))
    #expect("\(error)".contains("the recipe has code, paper"))
    let none = Self.yaml.replacing("preset: code\n", with: "")
    #expect(throws: RecipeError.preset(found: "", known: ["code", "paper"], place: .preset)) {
      try resolve(none)
    }
    #expect(throws: RecipeError.preset(found: "x", known: [], place: .set)) {
      try resolve("temperature: 1", set: ["preset=x"])
    }
  }

  @Test(
    "what is wrong in a preset that is not chosen is found all the same",
    arguments: [
      ("ranker: {text: training}", "tempratur: 1", "unknown setting"),
      ("ranker: {text: training}", "top_p: hot", "a number"),
      ("ranker: {text: training}", "generate.temperature: 2", "written twice"),
      ("ranker: {text: training}", "temperature: 2", "set twice"),
      ("ranker: {text: training}", "preset: code", "not preset"),
      ("ranker: {text: training}", "vary: {beta: [1, 2]}", "not vary"),
    ])
  func wrong(line: String, other: String, message: String) throws {
    let yaml = Self.yaml.replacing(line, with: other)
    let error = try #require(#expect(throws: RecipeError.self) { try resolve(yaml) })
    #expect("\(error)".contains(message), "\(error)")
  }
}
