import SparActivations
import SparHost
import SparModel
import SparPreference
import SparRanking
import SparStore
import SparText

/// Captures the model that a ranker scores with, on the answers that it ranked.
public struct RankingCapture {
  private let request: CaptureRequest
  private let model: LanguageModel
  private let candidates: String
  private let groups: [CandidateGroup]

  /// - Throws: `CaptureError.noLanguageModel` where the ranker opened none of the host's models;
  ///   errors of the candidates, and a row that they do not have.
  public init(
    _ request: CaptureRequest, ranker: AnswerRanker, runtime: Runtime, candidates: String
  ) throws {
    guard let model = runtime.languageModels.opened.first else {
      throw CaptureError.noLanguageModel(ranker: ranker.identity.id)
    }
    self.request = request
    self.model = model
    self.candidates = candidates
    let (table, attributes) = try CandidatesFile.read(candidates)
    groups = try PromptTexts().of(table.rows, attributes, path: candidates)
    try request.rows.require(below: groups.count, of: candidates)
    // What cannot be captured is said before the ranking, not after it.
    _ = try ActivationSelection(
      layers: request.options.layers, sites: request.options.sites, config: model.config)
  }

  /// Prompts and answers are read as the ranker's model read them: the conversation through its
  /// own template, the answers' text with its own end token.
  ///
  /// - Parameter preferences: what the ranking made of the answers: chosen and rejected are marked.
  public func run(
    preferences: String, progress: ProgressHandler = { _ in },
    cancelled: () -> Bool = { false }
  ) throws {
    let table = try PreferencesFile.read(preferences).table
    let chosen = groups.indices.filter(request.rows.contains)
    let capture = try ActivationCapture(
      model, request.options, inputs: ["rank", try fileDigest(preferences), "\(chosen)"],
      output: request.output, record: ["stage": "rank", "candidates": .string(candidates)])
    for (done, row) in chosen.enumerated() {
      if cancelled() {
        throw CaptureError.cancelled(
          done: done, of: chosen.count, journal: request.output + ".journal")
      }
      let group = groups[row]
      let prompt = try LanguageModelExtension.promptIDs(
        group.messages.map { ChatMessage(role: $0.role, content: $0.content) }, model)
      try capture.add(
        [
          CaptureGroup(
            index: row, prompt: prompt,
            answers: try group.answers.enumerated().map { number, answer in
              .init(
                id: "\(group.promptID)/\(number)", number: number,
                ids: try model.answer(answer.text),
                label: number == table.chosen[row] ? 1 : number == table.rejected[row] ? -1 : 0)
            })
        ], order: row, under: model)
      progress(
        SparHost.Progress(
          stage: "capture", done: Double(done + 1), total: Double(chosen.count), unit: "prompts"))
    }
    try capture.finish()
  }
}
