import Foundation
import SparCompute
import SparModel
import SparTensor
import Testing

@testable import SparRankerTraining

private let shared: String? = {
  if let given = ProcessInfo.processInfo.environment["SPAR_SHARED"], !given.isEmpty { return given }
  var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  while folder.path != "/" {
    let candidate = folder.appendingPathComponent("shared")
    if FileManager.default.fileExists(atPath: candidate.path + "/golden") { return candidate.path }
    folder.deleteLastPathComponent()
  }
  return nil
}()

/// The training loss of a general preference model against values that torch computed.
@Suite("Golden GPM training", .enabled(if: shared != nil, "../shared/golden is absent"))
struct GoldenGPMTrainingTests {
  func backbone(_ folder: String) throws -> LanguageModel {
    let backend = Backend.reference()
    let config = try ModelConfig(
      json: Data(contentsOf: URL(fileURLWithPath: folder + "/config.json")), path: folder)
    let weights = try SafetensorsFile(folder + "/gpm.safetensors")
    let architecture = try Architectures.make(config, backend: backend, path: folder) {
      name, shape in
      let value = backend.tensor(shape)
      try weights.read(
        name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
      return Parameter(name: name, value: value)
    }
    return LanguageModel(
      config: config, backend: backend, architecture: architecture,
      tokenizer: try asciiTokenizer(), chatTemplate: nil, path: folder, digest: "golden")
  }

  @Test("loss and all gradients of −ln σ(s/τ), normalised and gated")
  func training() throws {
    let folder = try #require(shared) + "/golden/rankers/gpm"
    let tables = try SafetensorsFile(folder + "/expected.safetensors")
    let expected = try SafetensorsFile(folder + "/expected_training.safetensors")
    let heads = try SafetensorsFile(folder + "/gpm.safetensors")
    func ids(_ name: String) throws -> [Int32] {
      try tables.rawBytes(name).withMemoryRebound(to: Int32.self) { Array($0) }
    }
    let model = try backbone(folder)
    let head = RankerHead(kind: .gpm, dimension: 6, gate: .softmax)
    let ranker = RankerModel(model, head: head, learnsTau: false, seed: 1)
    for parameter in ranker.headParameters {
      let value = parameter.value
      try heads.read(
        parameter.name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
    }
    var data = RankerData()
    let prompt = try ids("prompt")
    data.pairs = [
      .init(
        chosen: data.add(prompt: prompt, answer: try ids("response.0")),
        rejected: data.add(prompt: prompt, answer: try ids("response.2")))
    ]
    var options = RankerTrainingOptions()
    options.head = head
    options.scope = .full
    let parameters = ranker.headParameters + model.architecture.parameters
    for parameter in parameters { parameter.gradient = model.backend.zeros(parameter.value.shape) }
    let step = RankerStep(
      model: ranker, data: data, options: options, features: nil, checkpoint: {})
    let outcome = try step.run([0], recording: true)
    #expect(abs(outcome.loss - Double(try expected.floats("loss")[0])) < 1e-4)
    var compared = 0
    for parameter in parameters {
      guard expected.entry("grad." + parameter.name) != nil else { continue }
      let wanted = try expected.floats("grad." + parameter.name)
      let found = try #require(parameter.gradient).array()
      let norm = wanted.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      let distance = zip(wanted, found).reduce(0) {
        $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
      }.squareRoot()
      #expect(distance < 1e-4 * max(norm, 1e-3), "\(parameter.name)")
      compared += 1
    }
    #expect(compared > 15)
  }
}
