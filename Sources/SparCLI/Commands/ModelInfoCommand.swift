import ArgumentParser
import SparModel
import SparPipeline

extension ModelCommand {
  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a model's shape, weights, memory, tokenizer, template and licence.",
      discussion: """
        Weights are not read, so it is quick for any size. Memory for training is that of weights, \
        gradients and one optimizer state in f32 (4 bytes a parameter each; AdamW has one state \
        more), and an estimate of what a pass of 1024 rows keeps for its way back: \
        4·1024·L·(6·C + 3·Q + 3·K + 3·F) bytes for L layers of C channels, F inner channels, Q and \
        K channels of all query and key heads.
        """)

    @Argument(
      help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
    var model: String

    @Flag(help: "Show the SHA-256 of the model's files too; reads all of them.")
    var digest = false

    @Flag(help: "Print the result as JSON on stdout.")
    var json = false

    private struct Report: Encodable {
      var facts: ModelFacts
      var digest: String?

      enum CodingKeys: CodingKey { case digest }

      func encode(to encoder: any Encoder) throws {
        try facts.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(digest, forKey: .digest)
      }
    }

    func run() throws {
      let facts = try ModelFacts(try ModelFiles.open(model))
      let digest = digest ? try ModelIdentity.digest(model) : nil
      if json { return try Terminal.json(Report(facts: facts, digest: digest)) }
      var rows = Self.shape(facts) + Self.memory(facts) + Self.text(facts)
      if let digest { rows.append(["SHA-256", digest]) }
      for line in Terminal.columns(rows) { try Terminal.line(line) }
    }

    private static func bytes(_ count: Int) -> String { Figures.scaled(Double(count), "B") }

    private static func shape(_ facts: ModelFacts) -> [[String]] {
      let tied = facts.tiedEmbeddings ? ", tied" : ""
      var rows = [
        ["model", facts.path],
        ["format", facts.format + (facts.step.map { ", trained for \($0) steps" } ?? "")],
        ["architecture", facts.modelType + (facts.architecture.map { " (\($0))" } ?? "")],
        ["parameters", "\(Figures.scaled(Double(facts.parameters))) (\(facts.parameters))"],
        ["layers", "\(facts.layers)"],
        ["width", "\(facts.hiddenSize), inner \(facts.intermediateSize)"],
        ["heads", "\(facts.heads) of size \(facts.headSize), \(facts.keyHeads) for keys"],
        ["vocabulary", "\(facts.vocabularySize)\(tied)"],
        ["positions", "\(facts.maxPositions)"],
      ]
      for (index, part) in facts.weights.enumerated() {
        rows.append([
          index == 0 ? "weights" : "",
          "\(part.type): \(part.tensors) tensors, \(Figures.scaled(Double(part.values))) values, "
            + bytes(part.bytes),
        ])
      }
      for (index, file) in facts.files.enumerated() {
        rows.append([index == 0 ? "files" : "", "\(file.name), \(bytes(file.bytes))"])
      }
      return rows
    }

    private static func memory(_ facts: ModelFacts) -> [[String]] {
      let memory = facts.memory
      return [
        [
          "inference",
          "\(bytes(memory.weights)) in f32, \(bytes(memory.stored)) as stored, "
            + "\(bytes(memory.cachePerThousandTokens)) of keys and values per 1000 tokens",
        ],
        [
          "training",
          "\(bytes(memory.training)): 3 × \(bytes(memory.weights)) for weights, gradients, "
            + "RMSprop; about \(bytes(memory.activations)) for a pass of "
            + "\(memory.rowsPerPass) rows; AdamW \(bytes(memory.weights)) more",
        ],
      ]
    }

    private static func text(_ facts: ModelFacts) -> [[String]] {
      let tokenizer = facts.tokenizer
      let words = tokenizer.map { "\($0.kind), \($0.vocabularySize) ids, \($0.digest)" }
      let roles = ["bos", "eos", "pad", "unk"].compactMap { role in
        tokenizer?.specialTokens[role].map { "\(role) \($0)" }
      }
      return [
        ["tokenizer", words ?? "none: token ids only"],
        ["special tokens", roles.isEmpty ? "none named" : roles.joined(separator: ", ")],
        ["end tokens", facts.endTokens.joined(separator: " ")],
        ["chat template", template(facts.chatTemplate)],
        ["licence", facts.license ?? "not stated"],
      ]
    }

    private static func template(_ facts: TemplateFacts?) -> String {
      guard let facts else { return "none" }
      let uses = facts.variables.isEmpty ? "" : ", uses \(facts.variables.joined(separator: ", "))"
      let remark = facts.remark.map { ": \($0)" } ?? ""
      switch facts.isPrefixPreserving {
      case true: return "yes\(uses); prefix-preserving"
      case false: return "yes\(uses); not prefix-preserving\(remark)"
      default: return "yes\(uses); refuses a plain conversation\(remark)"
      }
    }
  }
}
