import SparText

/// A model that cannot be loaded or used, with what was found.
public struct ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case notFound(tried: [String])
    case notFetched(name: String, expected: String)
    case unknownArchitecture(found: String, known: [String])
    case config(field: String, problem: String)
    case missingTensor(name: String)
    case shape(name: String, found: [Int], expected: [Int])
    case noTokenizer
    case noChatTemplate
    case promptTooLong(tokens: Int, limit: Int)
    /// A tensor that is to change stays in its file.
    case mappedWeight(name: String)
  }
  public var reason: Reason
  public var path: String

  public init(_ reason: Reason, path: String) {
    self.reason = reason
    self.path = path
  }

  public var description: String {
    switch reason {
    case .notFound(let tried):
      return "no model at \(path) (looked for \(tried.joined(separator: ", "))); "
        + "give a Hugging Face folder, a .gguf file, an HDF5 checkpoint, or a name that "
        + "`spar model fetch` knows"
    case .notFetched(let name, let expected):
      return "\(name) is not on this machine (it would be \(expected)); "
        + "run `spar model fetch \(name)`"
    case .unknownArchitecture(let found, let known):
      return "\(path): architecture \"\(found)\" is not known; known: "
        + known.joined(separator: ", ")
        + (NearestName.of(found, among: known).map { "; the nearest is \($0)" } ?? "")
    case .config(let field, let problem):
      return "\(path): config field \(field): \(problem)"
    case .missingTensor(let name):
      return "\(path): tensor \(name) is missing; the file is incomplete or of another architecture"
    case .shape(let name, let found, let expected):
      return "\(path): tensor \(name) has shape \(found), its config says \(expected)"
    case .noTokenizer:
      return "\(path): no tokenizer, so this model takes token ids and no text; give prompt_ids "
        + "(and completion_ids), or put tokenizer.json or tokenizer.model beside the weights"
    case .noChatTemplate:
      return "\(path): no chat template, but conversations are to be rendered; "
        + "put chat_template in tokenizer_config.json"
    case .mappedWeight(let name):
      return "\(path): tensor \(name) stays as its file stores it and cannot be changed; "
        + "load the model with f32 weights"
    case .promptTooLong(let tokens, let limit):
      return "\(path): \(tokens) positions are needed, the model has \(limit)"
    }
  }
}
