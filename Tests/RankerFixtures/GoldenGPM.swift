import Foundation
import SparModel

/// The golden tiny general preference model, laid out as a folder that Spar loads.
///
/// The tokenizer spells id i as the added token "<t<i>>", so that texts name ids exactly.
package struct GoldenGPM {
  package let folder: Folder
  package let expected: SafetensorsFile

  /// - Parameter weights: "gpm" or "bt".
  package init(_ golden: String, weights: String = "gpm") throws {
    folder = try Folder()
    let source = golden + "/golden/rankers/gpm"
    try FileManager.default.copyItem(
      atPath: "\(source)/\(weights).safetensors", toPath: folder.file("model.safetensors"))
    try FileManager.default.copyItem(
      atPath: "\(source)/config.json", toPath: folder.file("config.json"))
    try layNumberedTokenizer(in: folder.path)
    expected = try SafetensorsFile(source + "/expected.safetensors")
  }

  package func floats(_ name: String) throws -> [Float] { try expected.floats(name) }

  package func ids(_ name: String) throws -> [Int32] {
    try expected.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
  }

  package var prompt: [Int32] { get throws { try ids("prompt") } }
  package var responses: [[Int32]] { get throws { try (0..<4).map { try ids("response.\($0)") } } }

  package static func text(_ ids: [Int32]) -> String { ids.map { "<t\($0)>" }.joined() }
}
