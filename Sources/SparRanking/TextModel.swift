import SparModel
import SparText

/// A transformer with its files, as "spar.text-model/1" lends it to rankers that own their heads.
///
/// Law: a row's hidden state depends on the ids that it may see and on nothing else of the call.
public protocol TextModel: AnyObject {
  var facts: TextModelFacts { get }
  var tokenizer: Tokenizer { get }
  /// Identity of the weights; those that stay in their file are all read the first time.
  var digest: String { get }
  /// All tensors of the files, those of unknown heads too.
  var weights: any WeightSource { get }

  /// The conversation through the model's chat template.
  func render(_ messages: [ChatMessage], generationPrompt: Bool) throws -> String

  /// Hidden states after the final norm.  `between` runs after each pass with how many are done and
  /// how many there are; what it throws ends the work.
  func hidden(
    _ groups: [TextModelGroup], between: (_ done: Int, _ of: Int) throws -> Void
  ) throws -> [TextModelStates]

  /// Logits [rows, ids.count] of some tokens, from hidden states [rows, C].
  func logits(_ hidden: [Float], rows: Int, ids: [Int32]) throws -> [Float]
}

/// What a ranker may know about an open model.
public struct TextModelFacts: Equatable, Sendable {
  public enum Kind: Equatable, Sendable { case causal, encoder }

  public var kind: Kind
  public var modelType: String
  public var path: String
  /// The model's own config.json.
  public var configJSON: String
  /// C
  public var hiddenSize: Int
  /// V
  public var vocabularySize: Int
  public var maxPositions: Int

  public init(
    kind: Kind, modelType: String, path: String, configJSON: String,
    hiddenSize: Int, vocabularySize: Int, maxPositions: Int
  ) {
    self.kind = kind
    self.modelType = modelType
    self.path = path
    self.configJSON = configJSON
    self.hiddenSize = hiddenSize
    self.vocabularySize = vocabularySize
    self.maxPositions = maxPositions
  }
}

/// Token ids, and the rows of them whose hidden states are wanted, each below `ids.count`.
public struct TextModelRows: Equatable, Sendable {
  public var ids: [Int32]
  public var rows: [Int]

  public init(ids: [Int32] = [], rows: [Int] = []) {
    self.ids = ids
    self.rows = rows
  }
}

/// Sequences that continue one prefix, which may be empty.
public struct TextModelGroup: Equatable, Sendable {
  public var prefix: TextModelRows
  public var sequences: [TextModelRows]

  public init(prefix: TextModelRows = TextModelRows(), sequences: [TextModelRows]) {
    self.prefix = prefix
    self.sequences = sequences
  }

  /// Positions that the longest sequence takes, prefix included.
  public var positions: Int { prefix.ids.count + (sequences.map(\.ids.count).max() ?? 0) }
}

/// The wanted hidden states of a group, [rows, C] each.
public struct TextModelStates: Equatable, Sendable {
  public var prefix: [Float] = []
  public var sequences: [[Float]]
}
