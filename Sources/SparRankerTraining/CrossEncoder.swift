import Foundation
import SparCompute
import SparHost
import SparModel
import SparPairInput
import SparTensor
import SparText

/// PairRM in training: a DeBERTa encoder that reads a prompt with two answers, and the head
///
///     raw = f([h; h_1]) − f([h; h_2]),   f(u) = W2 tanh(W1 u + b1) + b2
///
/// on its states at the marks of the prompt and of the answers.  There is no dropout.
/// Source: Jiang et al. 2023, arXiv:2306.02561; names are LLM-Blender's.
public final class CrossEncoder {
  public let model: EncoderModel
  let tokenizer: Tokenizer
  let input: PairInput
  /// W1 [C', 2 C], b1 [C'], W2 [1, C'], b2 [1].
  let head: [Parameter]

  static let names = [
    "head_layer.1.weight", "head_layer.1.bias", "head_layer.4.weight", "head_layer.4.bias",
  ]

  /// - Parameters:
  ///   - files: an encoder, or a ranker whose head is trained on; without a head, a fresh one is
  ///     drawn uniformly in ±1/√in, as torch draws linear layers.
  ///   - sourceMaxLength: tokens of the prompt's part, as in `PairInput`.
  public init(
    _ files: ModelFiles, backend: Backend, sourceMaxLength: Int, candidateMaxLength: Int,
    seed: UInt64
  ) throws {
    guard EncoderModel.reads(config: files.config) else {
      throw RankerTrainingError.option(
        key: "model", found: files.path, wanted: "a DeBERTa encoder for --kind pairrm")
    }
    model = try EncoderModel(
      config: files.config, weights: files.weights, path: files.path, backend: backend)
    tokenizer = try files.tokenizer
    let marks = PairInput.Marks(find: tokenizer.id(of:))
    let tokens = model.config.vocabularySize
    if let mark = marks.all.first(where: { Int($0) >= tokens }) {
      throw RankerTrainingError.option(
        key: "model", found: "\(files.path) with \(tokens) tokens",
        wanted: "an encoder whose tokens hold PairRM's marks; one of them is token \(mark)")
    }
    input = PairInput(
      marks: marks, sourceMaxLength: sourceMaxLength, candidateMaxLength: candidateMaxLength)
    head = try Self.head(
      files.weights, width: model.config.hiddenSize, backend: backend, seed: seed)
  }

  private static func head(
    _ weights: any WeightSource, width: Int, backend: Backend, seed: UInt64
  ) throws -> [Parameter] {
    let inner = weights.entry(names[0])?.shape.first ?? width
    let shapes = [[inner, 2 * width], [inner], [1, inner], [1]]
    var parts: [Parameter] = []
    for (place, (name, shape)) in zip(names, shapes).enumerated() {
      let value = backend.tensor(shape, use: .weights)
      if let entry = weights.entry(name) {
        guard entry.shape == shape else {
          throw ModelError(
            .shape(name: name, found: entry.shape, expected: shape), path: weights.path)
        }
        try weights.read(
          name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
      } else {
        var random = Random(seed: seed, stage: .initialise, iteration: 1, item: place)
        let bound = 1 / Double(place < 2 ? 2 * width : inner).squareRoot()
        for i in 0..<value.count { value.floats[i] = Float((random.uniform() * 2 - 1) * bound) }
      }
      parts.append(Parameter(name: name, value: value))
    }
    return parts
  }

  /// The head's outputs [2 n, 1], f for the first and the second answer of each sequence, from
  /// states [3 n, C] at the marks of prompt, first and second answer.
  func outputs(_ states: Variable, _ graph: Graph) throws -> Variable {
    var rows: [Int32] = []
    for prompt in stride(from: 0, to: Int32(states.value.shape[0]), by: 3) {
      rows += [prompt, prompt + 1, prompt, prompt + 2]
    }
    let sides = graph.reshaped(
      try graph.gather(states, rows: rows), [rows.count / 2, 2 * states.value.shape[1]])
    let inner = try graph.activated(.tanh, graph.linear(sides, head[0], bias: head[1]))
    return try graph.linear(inner, head[2], bias: head[3])
  }
}

extension CrossEncoder: ComparisonEncoder {
  /// Prefixes of the data are the prompts' parts, sequences the answers', both with their frames.
  public func add(
    prompt: [ChatMessage], chosen: String, rejected: String, probability: Double, margin: Double,
    place: String, to data: inout RankerData
  ) throws -> ComparisonOutcome {
    func ids(_ text: String) -> [Int32] { tokenizer.encode(PairInput.cleaned(text)) }
    let text = ids(Conversation.text(prompt.map { (role: $0.role, content: $0.content) }))
    let answers = [ids(chosen), ids(rejected)]
    let source = input.source(text)
    let parts = input.candidates(answers, besideSource: source.count)
    guard parts[0] != parts[1] else { return .identical }
    data.pairs.append(
      RankerData.Pair(
        chosen: data.add(prompt: source, answer: parts[0]),
        rejected: data.add(prompt: source, answer: parts[1]), probability: probability,
        margin: margin))
    let isCut =
      source.count < text.count + PairInput.frame
      || zip(parts, answers).contains { $0.count < $1.count + PairInput.frame }
    return isCut ? .truncated : .added
  }
}

extension CrossEncoder: TrainableRanker {
  var backend: Backend { model.backend }
  var digest: String { model.digest }
  func configJSON() throws -> String { model.configJSON }
  var settings: [String: String] {
    [
      "source_max_length": "\(input.sourceMaxLength)",
      "candidate_max_length": "\(input.candidateMaxLength)",
    ]
  }
  var headParameters: [Parameter] { head }
  var transformerParameters: [Parameter] { model.encoder.parameters }

  func attachAdapters(_ options: LowRankOptions, seed: UInt64) throws -> [Parameter] {
    try model.encoder.attachAdapters(options, seed: seed, backend: backend)
  }

  func mergeAdapters() throws { try model.encoder.parameters.mergeAdapters(backend) }

  func temperature(_ loss: RankerLoss) -> Double { loss.tau }

  func evaluation(
    of data: RankerData, _ options: RankerTrainingOptions, kept: StatesFile?,
    progress: ProgressHandler, isCancelled: @escaping () -> Bool
  ) throws -> any RankerEvaluation {
    precondition(kept == nil, "states of a cross-encoder are not kept")
    let checkpoint = {
      if isCancelled() { throw RankerTrainingError.cancelled(step: 0, checkpoint: nil) }
    }
    var step = CrossEncoderStep(
      ranker: self, data: data, options: options, states: nil, checkpoint: checkpoint)
    if options.scope == .head { step.states = try step.allStates(progress) }
    return step
  }
}
