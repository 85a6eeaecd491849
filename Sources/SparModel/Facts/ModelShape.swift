/// The sizes of a model of any kind, from the reader that loading uses.
struct ModelShape {
  var modelType: String
  var layers: Int
  var hiddenSize: Int
  var intermediateSize: Int
  var heads: Int
  var keyHeads: Int
  var headSize: Int
  var vocabularySize: Int
  /// Of an encoder, whose positions are relative: the distance that its table reaches.
  var maxPositions: Int
  var tieEmbeddings: Bool

  init(_ files: ModelFiles) throws {
    if EncoderModel.reads(config: files.config) {
      let prefix = try EncoderModel.prefix(files.weights, path: files.path)
      self.init(
        try EncoderModel.config(files.config, files.weights, prefix: prefix, path: files.path))
    } else {
      self.init(try ModelConfig(json: files.config, path: files.path))
    }
  }

  private init(_ config: ModelConfig) {
    modelType = config.modelType
    layers = config.layers
    hiddenSize = config.hiddenSize
    intermediateSize = config.intermediateSize
    heads = config.heads
    keyHeads = config.keyHeads
    headSize = config.headSize
    vocabularySize = config.vocabularySize
    maxPositions = config.maxPositions
    tieEmbeddings = config.tieEmbeddings
  }

  private init(_ config: DebertaV2Config) {
    modelType = EncoderModel.modelType
    layers = config.layers
    hiddenSize = config.hiddenSize
    intermediateSize = config.intermediateSize
    heads = config.heads
    keyHeads = config.heads
    headSize = config.headSize
    vocabularySize = config.vocabularySize
    maxPositions = config.maxRelativePositions
    tieEmbeddings = false
  }
}
