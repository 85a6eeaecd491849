import Foundation

@testable import SparText

/// Reads just the tokenizer out of a GGUF file, so that these tests need no other module.
struct GGUFMetadata {
  private var bytes: Data
  private var at: Int
  private(set) var strings: [String: String] = [:]
  private(set) var numbers: [String: Int] = [:]
  private(set) var stringLists: [String: [String]] = [:]
  private(set) var numberLists: [String: [Int32]] = [:]

  struct Malformed: Error {
    var at: Int
  }

  init(_ url: URL) throws {
    bytes = try Data(contentsOf: url, options: .alwaysMapped)
    at = 16
    let count = try integer(8)
    for _ in 0..<count {
      let key = try string()
      let type = try integer(4)
      try value(key, type)
    }
  }

  private mutating func integer(_ width: Int) throws -> Int {
    guard at + width <= bytes.count else { throw Malformed(at: at) }
    var value: UInt64 = 0
    for i in 0..<width { value |= UInt64(bytes[at + i]) << (8 * UInt64(i)) }
    at += width
    return Int(truncatingIfNeeded: value)
  }

  private mutating func string() throws -> String {
    let length = try integer(8)
    guard length >= 0, at + length <= bytes.count else { throw Malformed(at: at) }
    defer { at += length }
    return String(decoding: bytes[at..<(at + length)], as: UTF8.self)
  }

  private mutating func value(_ key: String, _ type: Int) throws {
    switch type {
    case 8: strings[key] = try string()
    case 9:
      let element = try integer(4)
      let count = try integer(8)
      if element == 8 {
        stringLists[key] = try (0..<count).map { _ in try string() }
      } else {
        let width = try width(element)
        numberLists[key] = try (0..<count).map { _ in Int32(truncatingIfNeeded: try integer(width))
        }
      }
    default: numbers[key] = try integer(try width(type))
    }
  }

  private func width(_ type: Int) throws -> Int {
    switch type {
    case 0, 1, 7: 1
    case 2, 3: 2
    case 4, 5, 6: 4
    case 10, 11, 12: 8
    default: throw Malformed(at: at)
    }
  }

  var vocabulary: GGUFVocabulary {
    func id(_ name: String) -> Int32? {
      numbers["tokenizer.ggml.\(name)_token_id"].map { Int32($0) }
    }
    func flag(_ name: String) -> Bool? { numbers["tokenizer.ggml.\(name)"].map { $0 != 0 } }
    return GGUFVocabulary(
      model: strings["tokenizer.ggml.model"] ?? "", pre: strings["tokenizer.ggml.pre"],
      tokens: stringLists["tokenizer.ggml.tokens"] ?? [],
      types: numberLists["tokenizer.ggml.token_type"] ?? [],
      scores: (numberLists["tokenizer.ggml.scores"] ?? []).map {
        Float(bitPattern: UInt32(bitPattern: $0))
      },
      merges: stringLists["tokenizer.ggml.merges"] ?? [], bos: id("bos"), eos: id("eos"),
      pad: id("padding"), unk: id("unknown"), addBOS: flag("add_bos_token"),
      addEOS: flag("add_eos_token"), addSpacePrefix: flag("add_space_prefix"),
      chatTemplate: strings["tokenizer.chat_template"])
  }
}
