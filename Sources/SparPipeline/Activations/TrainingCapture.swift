import SparActivations
import SparModel
import SparStore
import SparTraining

/// Captures the policy on chosen prompts' answers before training, on the way, and at its end.
final class TrainingCapture {
  private let request: CaptureRequest
  private let policy: LanguageModel
  private let groups: [TrainingGroup]
  private let capture: ActivationCapture
  /// Numbers of steps done after which the policy is captured.
  private let due: [Int]
  private var hasStarted = false

  /// Prompts without a pair are not trained on and have no samples.
  ///
  /// - Parameters:
  ///   - every: steps between captures; 0 = only before the first and after the last step.
  ///   - identity: everything that decides what training computes.
  init(
    _ request: CaptureRequest, every: Int, policy: LanguageModel, groups: [TrainingGroup],
    identity: [String], steps: Int
  ) throws {
    self.request = request
    self.policy = policy
    try request.rows.require(
      someOf: groups.map(\.row), called: "a row that is trained on, with a pair of its own")
    self.groups = groups.filter { request.rows.contains($0.row) }
    let between = every > 0 ? Array(stride(from: every, to: steps, by: every)) : []
    due = Array(Set([0, steps] + between)).sorted()
    capture = try ActivationCapture(
      policy, request.options,
      inputs: ["train", "\(due)", "\(self.groups.map(\.row))"] + identity, output: request.output,
      record: ["stage": "train", "steps": .ints(due.map(Int64.init))])
  }

  func afterStep(_ step: Int) throws {
    if !hasStarted {
      hasStarted = true
      // What training has left behind cannot be had again.
      let missed = due.filter { $0 < step && !isCaptured($0) }
      guard missed.isEmpty else {
        if capture.samples == 0 { try capture.discard() }
        throw CaptureError.missedSteps(missed, at: step, output: request.output)
      }
    }
    guard due.contains(step) else { return }
    for (place, group) in groups.enumerated() {
      try capture.add(
        [
          CaptureGroup(
            index: group.row, prompt: group.promptIDs,
            answers: group.answers.enumerated().map { number, answer in
              .init(
                id: "\(group.row)/\(Self.name(answer.label, number))", number: number,
                ids: answer.ids, label: answer.label)
            }, step: step)
        ], order: order(step, place), under: policy)
    }
  }

  func finish() throws { try capture.finish() }

  private static func name(_ label: Int8, _ number: Int) -> String {
    label > 0 ? "chosen" : label < 0 ? "rejected" : "\(number)"
  }

  private func order(_ step: Int, _ place: Int) -> Int { step * groups.count + place }

  private func isCaptured(_ step: Int) -> Bool {
    groups.indices.allSatisfy { capture.contains(order: order(step, $0)) }
  }
}
