import Foundation
import SparModel
import Testing

@Suite("Safetensors") struct SafetensorsTests {
  /// A file with the given header and `dataBytes` zeros.
  private func file(
    _ folder: TemporaryFolder, header: String, dataBytes: Int, length: UInt64? = nil
  ) throws -> String {
    let json = Array(header.utf8)
    return try folder.write(
      "x.safetensors",
      littleEndian(length ?? UInt64(json.count)) + json
        + [UInt8](repeating: 0, count: dataBytes))
  }

  @Test(
    "reads the golden models", .enabled(if: Golden.folder != nil, Golden.absence),
    arguments: ["gemma2", "llama", "llama3", "mistral", "qwen2", "qwen3"])
  func golden(name: String) throws {
    let folder = try #require(Golden.folder) + "/models/\(name)"
    let model = try SafetensorsFolder(folder)
    #expect(model.entry("model.embed_tokens.weight")?.shape == [160, 48])
    let values = try model.entries.map { try model.floats($0.name) }
    #expect(values.allSatisfy { $0.allSatisfy(\.isFinite) && $0.contains { $0 != 0 } })
    let expected = try SafetensorsFile(folder + "/expected.safetensors")
    for entry in model.entries {  // every parameter has a gradient of its shape
      #expect(expected.entry("grad.\(entry.name)")?.shape == entry.shape)
    }
    #expect(try expected.floats("greedy").count == 30)
  }

  @Test(
    "what it writes, it reads: order, shapes, metadata, values",
    arguments: [WeightType.f32, .f16, .bf16])
  func roundTrip(type: WeightType) throws {
    let folder = try TemporaryFolder()
    let values: [Float] = [0, -0.0, 1, -2.5, 65504, 0.000061035156, .infinity, 1024]
    try SafetensorsWriter.write(
      [
        .init(name: "z \"quoted\" ü", type: type, shape: [2, 4], values: values),
        .init(name: "empty", type: type, shape: [0, 3], values: []),
        .init(name: "scalar", type: type, shape: [], values: [3]),
      ], metadata: ["format": "pt", "note": "a\nb"], to: folder["w.safetensors"])
    let file = try SafetensorsFile(folder["w.safetensors"])
    #expect(file.entries.map(\.name).contains("z \"quoted\" ü"))
    #expect(file.metadata == ["format": "pt", "note": "a\nb"])
    #expect(
      file.entry("z \"quoted\" ü") == .init(name: "z \"quoted\" ü", type: type, shape: [2, 4]))
    #expect(try file.floats("scalar") == [3])
    #expect(try file.floats("empty") == [])
    let read = try file.floats("z \"quoted\" ü")
    let tolerance: Float = type == .f32 ? 0 : type == .f16 ? 0.0005 : 0.004
    for (a, b) in zip(values, read) { #expect(a == b || abs(a - b) <= tolerance * abs(a)) }
    #expect(read[1].sign == .minus)
    #expect(try folder.names() == ["w.safetensors"])
  }

  @Test("integers become floats")
  func integers() throws {
    let folder = try TemporaryFolder()
    let header =
      #"{"a":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[16,18]}}"#
    let path = try folder.write(
      "i.safetensors",
      littleEndian(UInt64(header.utf8.count)) + Array(header.utf8) + littleEndian(Int64(-7))
        + littleEndian(Int64(3)) + [0, 1])
    let file = try SafetensorsFile(path)
    #expect(try file.floats("a") == [-7, 3])
    #expect(try file.floats("b") == [0, 1])
    #expect(try file.rawBytes("b").elementsEqual([0, 1]))
  }

  @Test("a file that breaks the format is refused with the reason")
  func malformed() throws {
    let folder = try TemporaryFolder()
    func refusal(_ header: String, dataBytes: Int, length: UInt64? = nil) throws -> String {
      let path = try file(folder, header: header, dataBytes: dataBytes, length: length)
      return message { _ = try SafetensorsFile(path) }
    }
    let a = #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#
    #expect(try refusal("{\(a)}", dataBytes: 8, length: 5000).contains("needs bytes 8..5008"))
    #expect(
      try refusal("{\(a)}", dataBytes: 8, length: .max).contains("exceeds the format's limit"))
    #expect(try refusal("{\(a)", dataBytes: 8).contains("not valid JSON"))
    #expect(try refusal("[1]", dataBytes: 0).contains("header"))
    #expect(
      try refusal(#"{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}"#, dataBytes: 2)
        .contains("tensor a has type F8_E4M3; this build reads F64, F32"))
    #expect(
      try refusal(#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, dataBytes: 8)
        .contains("does not fit its 8 bytes"))
    #expect(
      try refusal(#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, dataBytes: 8)
        .contains("shape [-2]"))
    #expect(
      try refusal(
        #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#,
        dataBytes: 8
      ).contains("has shape"))
    #expect(
      try refusal(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, dataBytes: 8)
        .contains("data_offsets [8, 0]"))
    #expect(try refusal(#"{"a":{"dtype":"F32","shape":[2]}}"#, dataBytes: 8).contains("data_off"))
    #expect(try refusal("{\(a)}", dataBytes: 7).contains("tensor a needs bytes"))
    #expect(try refusal("{\(a)}", dataBytes: 9).contains("but the file has"))
    let overlapping = #""b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}"#
    #expect(
      try refusal("{\(a),\(overlapping)}", dataBytes: 12).contains("overlaps tensor a"))
    let after = #""b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}"#
    #expect(try refusal("{\(a),\(after)}", dataBytes: 16).contains("leaves a hole after tensor a"))
    let short = try folder.write("short", [1, 2, 3])
    #expect(message { _ = try SafetensorsFile(short) }.contains("needs bytes 0..8"))
    let empty = try folder.write("empty", [])
    #expect(message { _ = try SafetensorsFile(empty) }.contains("empty"))
    #expect(message { _ = try SafetensorsFile(folder["none"]) }.contains("No such file"))
    #expect(message { _ = try SafetensorsFile(folder.path) }.contains("not a regular file"))
  }

  @Test("an absent tensor and a wrong destination are named")
  func misuse() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(
      [.init(name: "model.norm.weight", shape: [2], values: [1, 2])], to: folder["m"])
    let file = try SafetensorsFile(folder["m"])
    #expect(message { _ = try file.floats("norm.weight") }.contains("nearest: model.norm.weight"))
    var one: [Float] = [0]
    let text = message {
      try one.withUnsafeMutableBufferPointer { try file.read("model.norm.weight", into: $0) }
    }
    #expect(text.contains("has 2 values, the destination 1"))
  }

  @Test("a folder of shards reads as one source, and a wrong index is refused")
  func shards() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write([.init(name: "a", shape: [1], values: [1])], to: folder["1.st"])
    try SafetensorsWriter.write([.init(name: "b", shape: [1], values: [2])], to: folder["2.st"])
    func index(_ json: String) throws {
      try folder.write("model.safetensors.index.json", Array(json.utf8))
    }
    try index(#"{"metadata":{"total_size":8},"weight_map":{"a":"1.st","b":"2.st"}}"#)
    let source = try SafetensorsFolder(folder.path)
    #expect(source.entries.map(\.name) == ["a", "b"])
    #expect(try source.floats("b") == [2])
    try index(#"{"weight_map":{"a":"1.st","b":"1.st"}}"#)
    #expect(message { _ = try SafetensorsFolder(folder.path) }.contains("tensor b is not in 1.st"))
    try index(#"{"weight_map":{"b":"2.st","c":"1.st"}}"#)
    #expect(message { _ = try SafetensorsFolder(folder.path) }.contains("places in no shard"))
    try index(#"{"weight_map":{"a":"../1.st"}}"#)
    #expect(message { _ = try SafetensorsFolder(folder.path) }.contains("leaves the folder"))
  }
}
