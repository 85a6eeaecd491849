/// One law of the plugin ABI, tried on one library or on one component of it.
public struct ConformanceTest: Sendable {
  /// What a test concerns.
  public enum Scope: String, Sendable, Codable {
    /// The file as a whole.
    case library
    /// Every component, whatever its kind.
    case component
    case objective, ranker, backend, collective
  }

  /// "objective.gradient-by-finite-differences".
  public let id: String
  public let scope: Scope
  /// What holds when it passes.
  public let sentence: String
  /// How to mend a plugin that fails.
  public let cure: String
  /// A plugin that fails breaks no promise: the verdict is a warning.
  public let isAdvice: Bool
  /// Returns a note on what was done; throws `Violation` or `NotApplicable`.
  let run: @Sendable (Subject) throws -> String?

  init(
    _ id: String, _ scope: Scope, _ sentence: String, cure: String, isAdvice: Bool = false,
    run: @escaping @Sendable (Subject) throws -> String?
  ) {
    self.id = id
    self.scope = scope
    self.sentence = sentence
    self.cure = cure
    self.isAdvice = isAdvice
    self.run = run
  }

  /// All tests, in the order of the report.
  public static let all: [ConformanceTest] =
    libraryTests + versionTests + optionTests + errorTests + mannerTests + objectiveTests
    + objectiveRobustnessTests + rankerTests + backendOperationTests + backendLawTests
    + collectiveTests

  /// Whether the test concerns components of this kind ("ranker").
  public func concerns(kind: String) -> Bool {
    scope == .component || scope.rawValue == kind
  }
}

/// Collectives have no host yet, so nothing could be said about them that would matter.
let collectiveTests = [
  ConformanceTest(
    "collective.ranks", .collective, "Ranks agree on sums, maxima and gathered data.",
    cure: "none needed"
  ) { _ in
    throw NotApplicable("not checked: this version of Spar uses no collectives")
  }
]
