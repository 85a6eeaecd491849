import ArgumentParser
import SparModel

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Look at models, fetch and export them.",
    subcommands: [Info.self, Fetch.self, Export.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show a model's shape and tokenizer.")

    @Argument(
      help: "Known name, .gguf file, Hugging Face folder or checkpoint.", completion: .file())
    var model: String

    @OptionGroup var common: CommonOptions

    private struct Facts: Encodable {
      var path: String
      var modelType: String
      var parameters: Int
      var layers: Int
      var hiddenSize: Int
      var intermediateSize: Int
      var heads: Int
      var keyHeads: Int
      var headSize: Int
      var vocabularySize: Int
      var maxPositions: Int
      var tiedEmbeddings: Bool
      var chatTemplate: Bool
      var endTokens: [Int32]
      var digest: String
      var tokenizerDigest: String
    }

    func run() throws {
      let runtime = try common.runtime()
      runtime.weights = .auto
      let model = try runtime.model(model)
      let config = model.config
      let facts = Facts(
        path: model.path, modelType: config.modelType, parameters: config.parameterCount,
        layers: config.layers, hiddenSize: config.hiddenSize,
        intermediateSize: config.intermediateSize, heads: config.heads, keyHeads: config.keyHeads,
        headSize: config.headSize, vocabularySize: config.vocabularySize,
        maxPositions: config.maxPositions, tiedEmbeddings: config.tieEmbeddings,
        chatTemplate: model.chatTemplate != nil, endTokens: model.endIDs, digest: model.digest,
        tokenizerDigest: model.tokenizer.digest)
      if common.json { return try Terminal.json(facts) }
      let rows = [
        ["file", facts.path], ["architecture", facts.modelType],
        ["parameters", Figures.scaled(Double(facts.parameters))],
        ["layers", "\(facts.layers)"],
        ["width", "\(facts.hiddenSize), inner \(facts.intermediateSize)"],
        ["heads", "\(facts.heads) of size \(facts.headSize), \(facts.keyHeads) for keys"],
        ["vocabulary", "\(facts.vocabularySize)" + (facts.tiedEmbeddings ? ", tied" : "")],
        ["positions", "\(facts.maxPositions)"],
        ["chat template", facts.chatTemplate ? "yes" : "no"],
        [
          "end tokens",
          facts.endTokens.map { model.tokenizer.token($0) ?? "\($0)" }
            .joined(separator: " "),
        ],
        ["weights", facts.digest], ["tokenizer", facts.tokenizerDigest],
      ]
      for line in Terminal.columns(rows) { try Terminal.line(line) }
    }
  }

  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Download a known model into the cache and check its SHA-256.",
      discussion: "Known models: "
        + KnownModel.all.map { "\($0.name) (\($0.bytes / 1_000_000) MB, \($0.license))" }
        .joined(separator: ", ") + ". The cache is $SPAR_CACHE, else ~/.cache/spar.")

    @Argument(help: "A known model.", completion: .list(KnownModel.all.map(\.name)))
    var name: String

    func run() throws {
      try Terminal.line(try KnownModel.fetch(name))
    }
  }

  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write a model as a folder that Hugging Face transformers loads.")

    @Argument(help: "A checkpoint of a run, or any other model.", completion: .file())
    var model: String

    @Argument(help: "The folder to write.", completion: .directory)
    var folder: String

    @Option(help: "Type of the weights: f32, f16 or bf16.")
    var dtype = "f32"

    @OptionGroup var common: CommonOptions

    func validate() throws {
      guard ["f32", "f16", "bf16"].contains(dtype) else {
        throw ValidationError("--dtype is \(dtype); it must be f32, f16 or bf16")
      }
    }

    func run() throws {
      let type = WeightType(rawValue: dtype) ?? .f32
      try common.runtime().model(model).exportHuggingFace(to: folder, type: type)
      if common.json { return try Terminal.json(["folder": folder, "dtype": dtype]) }
      try Terminal.line("\(folder): config.json, model.safetensors (\(dtype)), tokenizer.json")
    }
  }
}
