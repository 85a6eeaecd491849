import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

/// A folder of a tiny random model with what transformers computed for it.
struct GoldenFolder: CustomTestStringConvertible, Sendable {
  let name: String
  let path: String
  var testDescription: String { name }

  /// Our own fixtures, and those of the shared folder where it is.
  static let all = own + others

  static let own: [GoldenFolder] = {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Golden").path
    return ["phi3", "phi3-longrope", "llama-yarn", "llama-linear", "mistral-old", "gemma2-odd"]
      .map { GoldenFolder(name: $0, path: folder + "/" + $0) }
  }()

  static let others: [GoldenFolder] =
    shared.map { shared in
      ["llama", "llama3", "mistral", "gemma2", "qwen2", "qwen3"].map {
        GoldenFolder(name: $0, path: shared + "/golden/models/" + $0)
      }
    } ?? []
}

/// Such a model, loaded on a backend.
struct GoldenModel {
  let model: any Architecture
  let backend: Backend
  let expected: Expected

  /// expected.safetensors, read by name.
  struct Expected {
    let file: SafetensorsFile

    func floats(_ name: String) throws -> [Float] {
      let entry = try #require(file.entry(name))
      var values = [Float](repeating: 0, count: entry.count)
      try values.withUnsafeMutableBufferPointer { try file.read(name, into: $0) }
      return values
    }

    func ids(_ name: String) throws -> [Int32] {
      try file.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
    }
  }

  /// One of the shared folder.
  init(_ name: String, _ backend: Backend) throws {
    try self.init(try #require(GoldenFolder.others.first { $0.name == name }), backend)
  }

  init(_ folder: GoldenFolder, _ backend: Backend) throws {
    let config = try ModelConfig(
      json: Data(contentsOf: URL(fileURLWithPath: folder.path + "/config.json")),
      path: folder.path)
    let weights = try SafetensorsFolder(folder.path)
    model = try Architectures.make(config, backend: backend, path: folder.path) { name, shape in
      let value = backend.tensor(shape)
      try weights.read(
        name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
      return Parameter(name: name, value: value)
    }
    self.backend = backend
    expected = Expected(file: try SafetensorsFile(folder.path + "/expected.safetensors"))
  }

  /// Hidden states of one plain sequence.
  func hidden(_ ids: [Int32], _ graph: Graph) throws -> Variable {
    var batch = PackedBatch()
    batch.append(ids)
    return try model.hidden(batch, graph, cached: nil)
  }

  func logps(_ batch: ScoringBatch, _ graph: Graph) throws -> Variable {
    let hidden = try model.hidden(batch.packed, graph, cached: nil)
    let rows = try graph.gather(hidden, rows: batch.heads)
    return try model.logps(of: rows, targets: batch.targets, graph)
  }
}

/// The largest difference.
func distance(_ a: [Float], _ b: [Float]) -> Float {
  a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
}
