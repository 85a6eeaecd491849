import Foundation
import RankerFixtures
import SparModel

/// The golden tiny PairRM, laid out as a folder that Spar loads.
///
/// The tokenizer spells ids as the added tokens "<t4>" … "<t127>", so that texts name ids exactly,
/// and has DeBERTa's and PairRM's tokens under their names.
struct GoldenPairRM {
  let folder: Folder
  let expected: SafetensorsFile

  init(_ golden: String) throws {
    folder = try Folder()
    let source = golden + "/golden/rankers/pairrm"
    for name in ["model.safetensors", "config.json"] {
      try FileManager.default.copyItem(
        atPath: "\(source)/\(name)", toPath: folder.file(name))
    }
    try layPairTokenizer(in: folder.path)
    expected = try SafetensorsFile(source + "/expected.safetensors")
  }

  func floats(_ name: String) throws -> [Float] { try expected.floats(name) }

  func ids(_ name: String) throws -> [Int32] {
    try expected.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
  }

  /// A part's text: what stands between its mark and [SEP].
  func text(_ name: String) throws -> String {
    try ids(name).dropFirst(2).dropLast().map { "<t\($0)>" }.joined()
  }

  var candidates: [String] {
    get throws { try (0..<4).map { try text("candidate.\($0)") } }
  }
}

/// A tokenizer of 133 ids, each an added token.
func layPairTokenizer(in folder: String) throws {
  var names = (0..<133).map { "<t\($0)>" }
  let known: [Int: String] = [
    0: "[PAD]", 1: "[CLS]", 2: "[SEP]", 3: "[UNK]", 128: "[MASK]", 129: "<|source|>",
    130: "<|candidate1|>", 131: "<|candidate2|>", 132: "<|candidate|>",
  ]
  for (id, name) in known { names[id] = name }
  try layTokenizer(
    in: folder,
    added: names.enumerated().map { AddedToken($0.element, isSpecial: known[$0.offset] != nil) },
    vocabulary: Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) }))
}
