/// Why a tokenizer could not be read, with the file and the value that stopped it.
public struct TokenizerError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// The text is not JSON; `offset` counts bytes.
    case json(what: String, offset: Int)
    /// The bytes are no SentencePiece model; `offset` counts bytes.
    case protocolBuffer(what: String, offset: Int)
    /// `key` is not there; `place` is the dotted path of the object that lacks it.
    case missing(key: String, place: String)
    case wrongType(place: String, expected: String, found: String)
    /// A well-formed part of a kind that this build does not know.
    case unsupported(part: String, kind: String, supported: [String])
    /// A merge, a template or a setting names a token that the vocabulary lacks.
    case unknownToken(token: String, place: String)
    /// PCRE2 refused the pattern at byte `offset`.
    case pattern(String, what: String, offset: Int)
    case value(place: String, found: String, expected: String)
  }
  public var reason: Reason
  /// The file that was read, or "GGUF metadata".
  public var path: String

  public init(_ reason: Reason, path: String) {
    self.reason = reason
    self.path = path
  }
}

extension TokenizerError: CustomStringConvertible {
  public var description: String {
    switch reason {
    case .json(let what, let offset):
      "\(path): not readable as JSON: \(what) at byte \(offset)"
        + " (hint: the file may be truncated; fetch or copy it again)"
    case .protocolBuffer(let what, let offset):
      "\(path): not readable as a SentencePiece model: \(what) at byte \(offset)"
        + " (hint: the file may be truncated; fetch or copy it again)"
    case .missing(let key, let place):
      "\(path): \(place) has no \"\(key)\""
        + " (hint: is this a tokenizer file written by Hugging Face tokenizers, or a complete GGUF?)"
    case .wrongType(let place, let expected, let found):
      "\(path): \(place) should be \(expected), found \(found)"
    case .unsupported(let part, let kind, let supported):
      "\(path): the \(part) \"\(kind)\" is not known; known: "
        + supported.joined(separator: ", ")
    case .unknownToken(let token, let place):
      "\(path): \(place) names the token \"\(token)\", which is not in the vocabulary"
        + " (hint: vocabulary and merges come from different models?)"
    case .pattern(let pattern, let what, let offset):
      "\(path): the pattern /\(pattern)/ does not compile: \(what) at byte \(offset)"
    case .value(let place, let found, let expected):
      "\(path): \(place) is \(found), expected \(expected)"
    }
  }
}
