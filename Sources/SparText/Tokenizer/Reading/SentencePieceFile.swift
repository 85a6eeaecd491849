import Foundation

/// Reads a SentencePiece `.model` file: a protocol buffer of type `ModelProto`.
///
/// Source: `sentencepiece_model.proto` of SentencePiece. Only what tokenizing needs is read; other
/// fields are skipped.
struct SentencePieceFile {
  fileprivate let bytes: [UInt8]
  fileprivate let path: String

  static func read(_ data: Data, path: String) throws(TokenizerError) -> SentencePieceModel {
    try SentencePieceFile(bytes: [UInt8](data), path: path).model()
  }

  private func model() throws(TokenizerError) -> SentencePieceModel {
    var model = SentencePieceModel(pieces: [])
    model.algorithm = .unigram
    model.normalizer.removesExtraSpaces = true
    model.unknown = 0
    model.bos = 1
    model.eos = 2
    var at = 0
    while let field = try next(&at, bytes.count) {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): model.pieces.append(try piece(range, model.pieces.count))
      case (2, .bytes(let range)): try trainer(range, &model)
      case (3, .bytes(let range)): try normalizer(range, &model)
      default: break
      }
    }
    guard !model.pieces.isEmpty else {
      throw TokenizerError(
        .value(place: "the file", found: "no pieces", expected: "a SentencePiece model"),
        path: path)
    }
    return model
  }

  private func piece(
    _ range: Range<Int>, _ id: Int
  ) throws(TokenizerError) -> SentencePieceModel.Piece {
    guard id < TokenizerReader.largestID else {
      throw malformed(range.lowerBound, "more than \(TokenizerReader.largestID) pieces")
    }
    var piece = SentencePieceModel.Piece(text: "", score: 0)
    var at = range.lowerBound
    while let field = try next(&at, range.upperBound) {
      switch (field.number, field.value) {
      case (1, .bytes(let text)):
        guard let string = String(validating: bytes[text], as: UTF8.self) else {
          throw malformed(text.lowerBound, "piece \(id) is not UTF-8")
        }
        piece.text = string
      case (2, .fixed32(let bits)):
        let score = Float(bitPattern: bits)
        guard score.isFinite else { throw malformed(at, "piece \(id) has the score \(score)") }
        piece.score = score
      case (3, .integer(let number)):
        guard let kind = Int(exactly: number).flatMap(SentencePieceModel.Kind.init) else {
          throw TokenizerError(
            .value(place: "the type of piece \(id)", found: "\(number)", expected: "1…6"),
            path: path)
        }
        piece.kind = kind
      default: break
      }
    }
    return piece
  }

  private func trainer(
    _ range: Range<Int>, _ model: inout SentencePieceModel
  ) throws(TokenizerError) {
    var at = range.lowerBound
    while let field = try next(&at, range.upperBound) {
      guard case .integer(let number) = field.value else { continue }
      let id = Int(Int32(truncatingIfNeeded: number))
      switch field.number {
      case 3:
        guard let algorithm = SentencePieceModel.Algorithm(rawValue: id) else {
          throw TokenizerError(
            .unsupported(
              part: "model_type", kind: [3: "WORD", 4: "CHAR"][id] ?? "\(id)",
              supported: ["UNIGRAM", "BPE"]), path: path)
        }
        model.algorithm = algorithm
      case 24: model.normalizer.dummyIsSuffix = number != 0
      case 35: model.hasByteFallback = number != 0
      case 40: model.unknown = id
      case 41: model.bos = id < 0 ? nil : id
      case 42: model.eos = id < 0 ? nil : id
      case 43: model.pad = id < 0 ? nil : id
      default: break
      }
    }
  }

  private func normalizer(
    _ range: Range<Int>, _ model: inout SentencePieceModel
  ) throws(TokenizerError) {
    var at = range.lowerBound
    while let field = try next(&at, range.upperBound) {
      switch (field.number, field.value) {
      case (2, .bytes(let blob)) where !blob.isEmpty:
        let reader = TokenizerReader(path: path)
        model.normalizer.map = try reader.characterMap(
          Array(bytes[blob]), "normalizer_spec.precompiled_charsmap")
      case (3, .integer(let flag)): model.normalizer.addsDummyPrefix = flag != 0
      case (4, .integer(let flag)): model.normalizer.removesExtraSpaces = flag != 0
      case (5, .integer(let flag)): model.normalizer.escapesSpaces = flag != 0
      default: break
      }
    }
  }

  // MARK: Wire format

  private enum Value {
    case integer(UInt64)
    case fixed64
    case bytes(Range<Int>)
    case fixed32(UInt32)
  }

  private struct Field {
    var number: Int
    var value: Value
  }

  /// The field at `at`, which moves behind it; nil at `end`.
  private func next(_ at: inout Int, _ end: Int) throws(TokenizerError) -> Field? {
    guard at < end else { return nil }
    let tag = try varint(&at, end)
    let number = Int(truncatingIfNeeded: tag >> 3)
    switch tag & 7 {
    case 0: return Field(number: number, value: .integer(try varint(&at, end)))
    case 1:
      guard end - at >= 8 else { throw malformed(at, "the file ends too early") }
      at += 8
      return Field(number: number, value: .fixed64)
    case 2:
      let length = try varint(&at, end)
      guard length <= UInt64(end - at) else {
        throw malformed(at, "a field of \(length) bytes where \(end - at) are left")
      }
      defer { at += Int(length) }
      return Field(number: number, value: .bytes(at..<(at + Int(length))))
    case 5:
      guard end - at >= 4 else { throw malformed(at, "the file ends too early") }
      defer { at += 4 }
      let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
      return Field(number: number, value: .fixed32(bits))
    case let type: throw malformed(at, "a field of wire type \(type)")
    }
  }

  private func varint(_ at: inout Int, _ end: Int) throws(TokenizerError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard at < end else { throw malformed(at, "the file ends too early") }
      let byte = bytes[at]
      at += 1
      guard shift < 63 || byte <= 1 else { break }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw malformed(at, "a number of more than 64 bits")
  }

  private func malformed(_ offset: Int, _ what: String) -> TokenizerError {
    TokenizerError(.protocolBuffer(what: what, offset: offset), path: path)
  }
}
