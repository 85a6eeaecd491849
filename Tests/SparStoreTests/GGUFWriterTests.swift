import Foundation
import SparModel
import SparStore
import Testing

@Suite("GGUF writer") struct GGUFWriterTests {
  private let values = (0..<96).map { sinf(Float($0)) }

  @Test("what is written is read again: values, names, shapes, metadata", arguments: [false, true])
  func roundTrip(threeRows: Bool) throws {
    let folder = try TemporaryFolder()
    let shape = threeRows ? [3, 32] : [96]
    try GGUFWriter.write(
      WeightType.writable.map { .init(name: $0.rawValue, type: $0, shape: shape, values: values) },
      metadata: [("general.architecture", .string("llama")), ("n", .i32s([1, -1]))],
      to: folder["a.gguf"])
    let file = try GGUFFile(folder["a.gguf"])
    #expect(file.version == 3)
    #expect(file.metadata["n"] == .ints([1, -1]))
    #expect(file.entries.map(\.name) == WeightType.writable.map(\.rawValue))
    #expect(file.entries.allSatisfy { $0.shape == shape })
    #expect(try file.floats("f32") == values)
    for (name, error) in [("f16", 3e-4), ("bf16", 2e-3), ("q8_0", 4e-3), ("q4_0", 0.13)] {
      let distance = zip(try file.floats(name), values).map { abs($0 - $1) }.max() ?? 1
      #expect(Double(distance) < error, "\(name): \(distance)")
    }
  }

  @Test("tensors pass from file to file: as they are, reordered, raised, converted")
  func passing() throws {
    let folder = try TemporaryFolder()
    let names: [WeightType] = [.f32, .bf16, .q8_0]
    try GGUFWriter.write(
      names.map { .init(name: $0.rawValue, type: $0, shape: [3, 32], values: values) },
      metadata: [("general.architecture", .string("llama"))], to: folder["a.gguf"])
    let source = try GGUFFile(folder["a.gguf"])
    let tensors = try names.flatMap { type in
      let entry = try source.require(type.rawValue)
      return [
        OutgoingTensor(entry, of: source, as: "same \(type)", type: type),
        OutgoingTensor(
          entry, of: source, as: "rows \(type)", type: type, .init(sourceRow: { 2 - $0 })),
        OutgoingTensor(
          entry, of: source, as: "all \(type)", type: .f32,
          .init(sourceRow: { ($0 + 1) % 3 }, adds: 1)),
      ]
    }
    try GGUFWriter.write(
      tensors, metadata: [("general.architecture", .string("llama"))], to: folder["b.gguf"])
    let copy = try GGUFFile(folder["b.gguf"])
    for type in names {
      let bytes = try source.rawBytes(type.rawValue)
      #expect(try copy.rawBytes("same \(type)").elementsEqual(bytes))
      let old = try source.floats(type.rawValue)
      let rows = [old[64..<96], old[32..<64], old[0..<32]].flatMap { $0 }
      #expect(try copy.floats("rows \(type)") == rows)
      let raised = [old[32..<64], old[64..<96], old[0..<32]].flatMap { $0 }.map { $0 + 1 }
      #expect(try copy.floats("all \(type)") == raised)
    }
  }

  @Test("what a type cannot hold is refused, and no file is left")
  func refusals() throws {
    let folder = try TemporaryFolder()
    func write(_ tensor: OutgoingTensor) throws {
      try GGUFWriter.write([tensor], metadata: [], to: folder["x.gguf"])
    }
    for wrong in [Float.nan, .infinity, 3e38] {
      for type in [WeightType.q8_0, .q4_0] {
        var values = [Float](repeating: 1, count: 64)
        values[40] = wrong
        let text = message {
          try write(.init(name: "t", type: type, shape: [2, 32], values: values))
        }
        #expect(text.hasPrefix("\(folder["x.gguf"]): tensor t holds NaN"), "\(text)")
      }
    }
    let rows = message {
      try write(.init(name: "t", type: .q8_0, shape: [4, 16], values: Array(values[..<64])))
    }
    #expect(rows.contains("[4, 16] cannot be stored as q8_0"))
    let type = message { try write(.init(name: "t", type: .u8, shape: [1], values: [1])) }
    #expect(type.contains("cannot be stored as u8"))
    let count = message { try write(.init(name: "t", shape: [3], values: [1])) }
    #expect(count.contains("tensor t has 3 values, the destination 1"))
    #expect(try folder.names().isEmpty)
  }
}
