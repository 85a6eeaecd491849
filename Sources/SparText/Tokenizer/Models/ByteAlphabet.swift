/// GPT-2's alphabet: every byte has a printable character, so that a vocabulary is text.
///
/// Bytes that are printable Latin-1 stand for themselves; the other 68 follow from U+0100 on in
/// byte order. Source: `bytes_to_unicode` of GPT-2's encoder.
enum ByteAlphabet {
  /// scalar[b] = the character of byte b.
  static let scalars: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { (byte: UInt32) in
      let printable =
        (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || (0xAE...0xFF).contains(byte)
      if printable { return Unicode.Scalar(UInt8(byte)) }
      defer { next += 1 }
      return Unicode.Scalar(next) ?? "\u{FFFD}"  // 0x100...0x143 are all scalars
    }
  }()

  /// utf8[b] = the same as UTF-8, one or two bytes.
  static let utf8: [[UInt8]] = scalars.map { Array(String($0).utf8) }

  /// byte[s] of scalar value s < 0x144, or -1 where s is not in the alphabet.
  private static let bytes: [Int16] = {
    var table = [Int16](repeating: -1, count: 0x144)
    for (byte, scalar) in scalars.enumerated() { table[Int(scalar.value)] = Int16(byte) }
    return table
  }()

  /// The bytes that `token` stands for: its own UTF-8 where a character is outside the alphabet,
  /// which is what Hugging Face's ByteLevel decoder does with such tokens.
  static func decode(_ token: String) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard scalar.value < 0x144, bytes[Int(scalar.value)] >= 0 else { return Array(token.utf8) }
      out.append(UInt8(bytes[Int(scalar.value)]))
    }
    return out
  }

  /// `text` written in the alphabet.
  static func encode(_ text: some Sequence<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    for byte in text { out.append(contentsOf: utf8[Int(byte)]) }
    return out
  }
}
