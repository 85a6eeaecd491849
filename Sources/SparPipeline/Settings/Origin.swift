/// Who gave a setting its value.
public enum Origin: Equatable, Sendable, CustomStringConvertible {
  /// Spar's own default.
  case preset
  case recipe(path: String, line: Int)
  /// The recipe, under the preset that was chosen.
  case recipePreset(name: String, path: String, line: Int)
  case set
  case flag(String)
  /// A value of a sweep's axis.
  case axis

  public var description: String {
    switch self {
    case .preset: return "default"
    case .recipe(let path, let line): return "recipe \(path):\(line)"
    case .recipePreset(let name, let path, let line):
      return "preset \(name), recipe \(path):\(line)"
    case .set: return "--set"
    case .flag(let name): return "--\(name)"
    case .axis: return "axis"
    }
  }

  var isRecipe: Bool {
    if case .recipe = self { true } else { false }
  }

  /// Whether both were given in one place: neither was written to change the other.
  func isBeside(_ other: Origin) -> Bool {
    switch (self, other) {
    case (.recipe, .recipe), (.recipePreset, .recipePreset), (.set, .set), (.flag, .flag),
      (.axis, .axis):
      true
    default: false
    }
  }

  /// How an error message about the value begins.
  var prefix: String {
    switch self {
    case .preset: return ""
    case .recipe(let path, let line), .recipePreset(_, let path, let line):
      return "\(path):\(line): "
    case .set: return "--set: "
    case .flag(let name): return "--\(name): "
    case .axis: return "vary: "
    }
  }
}
