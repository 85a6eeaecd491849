/// The tokenizer that a GGUF file carries in its metadata, free of the file format.
///
/// Keys are `tokenizer.ggml.*`; of "gpt2" tokens are spelled in GPT-2's byte alphabet, control and
/// user-defined ones literally. Source: ggml's gguf.md and llama.cpp's `llama-vocab.cpp`.
public struct GGUFVocabulary: Equatable, Sendable {
  /// `tokenizer.ggml.model`; "gpt2" means byte-level BPE, "llama" SentencePiece's BPE.
  public var model: String
  /// `tokenizer.ggml.pre`, the name of the pre-tokenizer.
  public var pre: String?
  public var tokens: [String]
  /// 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte; empty = all normal.
  public var types: [Int32]
  /// Only "llama" uses them: the greater, the earlier a piece is merged.
  public var scores: [Float]
  /// "left right", in rank order.
  public var merges: [String]
  public var bos: Int32?
  public var eos: Int32?
  public var pad: Int32?
  public var unk: Int32?
  public var addBOS: Bool?
  public var addEOS: Bool?
  /// A space in front of the text ("llama"; true where the file does not say).
  public var addSpacePrefix: Bool?
  public var chatTemplate: String?

  public init(
    model: String, pre: String? = nil, tokens: [String], types: [Int32] = [],
    scores: [Float] = [], merges: [String] = [], bos: Int32? = nil, eos: Int32? = nil,
    pad: Int32? = nil,
    unk: Int32? = nil, addBOS: Bool? = nil, addEOS: Bool? = nil, addSpacePrefix: Bool? = nil,
    chatTemplate: String? = nil
  ) {
    self.model = model
    self.pre = pre
    self.tokens = tokens
    self.types = types
    self.scores = scores
    self.merges = merges
    self.bos = bos
    self.eos = eos
    self.pad = pad
    self.unk = unk
    self.addBOS = addBOS
    self.addEOS = addEOS
    self.addSpacePrefix = addSpacePrefix
    self.chatTemplate = chatTemplate
  }
}
