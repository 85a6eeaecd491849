import Foundation
import SparHost
import SparStore

/// Log-probabilities of all answers under the reference policy, computed once and cached.
public struct ReferenceLogps {
  /// One value per answer token, answer after answer, group after group.
  public private(set) var tokens: [Float]

  /// Scores every answer of `groups` with `model`, in passes of at most `tokensPerPass` rows.
  public static func compute(
    _ groups: [TrainingGroup], model: TrainableModel, tokensPerPass: Int,
    progress: ProgressHandler = { _ in }, isCancelled: () -> Bool = { false }
  ) throws -> ReferenceLogps {
    var tokens: [Float] = []
    for pass in PassPlan.passes(groups, limit: tokensPerPass) {
      if isCancelled() { throw TrainingError.cancelled(step: 0, checkpoint: nil) }
      tokens += try model.score(groups[pass], recording: false).tokenLogps
      progress(
        SparHost.Progress(
          stage: "train", done: Double(pass.upperBound), total: Double(groups.count),
          unit: "reference groups"))
    }
    return ReferenceLogps(tokens: tokens)
  }

  /// The groups with these values, sums taken in f64; sums that came with the data stay.
  public func applied(to groups: [TrainingGroup]) -> [TrainingGroup] {
    var groups = groups
    var first = 0
    for group in groups.indices {
      for answer in groups[group].answers.indices {
        let own = tokens[first..<(first + groups[group].answers[answer].ids.count)]
        if groups[group].answers[answer].refLogp == nil {
          groups[group].answers[answer].refLogp = own.reduce(0.0) { $0 + Double($1) }
        }
        if groups[group].answers[answer].tokenRefLogps.isEmpty {
          groups[group].answers[answer].tokenRefLogps = Array(own)
        }
        first += own.count
      }
    }
    return groups
  }

  // MARK: - Cache

  private static let kind = "spar reference log-probabilities 1"

  /// The cached values for exactly this model and this data, or nil.
  static func cached(
    at path: String, model: String, data: String, tokens count: Int
  ) throws -> ReferenceLogps? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let file = try H5File.open(path, doing: "reading the reference log-probabilities")
    guard try file.string("kind") == kind, try file.string("model") == model,
      try file.string("data") == data
    else { return nil }
    let tokens: [Float] = try file.read("logp", shape: [count])
    return ReferenceLogps(tokens: tokens)
  }

  func cache(at path: String, model: String, data: String) throws {
    try H5File.write(to: path, doing: "writing the reference log-probabilities") { file in
      try file.setAttribute("kind", .string(Self.kind))
      try file.setAttribute("model", .string(model))
      try file.setAttribute("data", .string(data))
      try file.write("logp", tokens, shape: [tokens.count])
    }
  }
}
