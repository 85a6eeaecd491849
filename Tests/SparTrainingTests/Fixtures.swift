import Foundation
import SparCompute
import SparHost
import SparModel
import SparTraining
import Testing

/// The golden folder, or nil where it is absent.
enum Golden {
  static let folder: String? = {
    let manager = FileManager.default
    if let given = ProcessInfo.processInfo.environment["SPAR_SHARED"] {
      return manager.fileExists(atPath: given + "/golden") ? given + "/golden" : nil
    }
    var place = URL(fileURLWithPath: #filePath)
    while place.path != "/" {
      place.deleteLastPathComponent()
      let path = place.appendingPathComponent("shared/golden").path
      if manager.fileExists(atPath: path) { return path }
    }
    return nil
  }()

  static let absent: Comment = "shared/golden is not here; set SPAR_SHARED to its parent"

  static func path(_ name: String) throws -> String { try #require(folder) + "/" + name }

  /// The tiny random Llama, freshly loaded.
  static func tinyModel(backend: Backend = .reference()) throws -> TrainableModel {
    let path = try path("models/llama")
    let source = try SafetensorsFolder(path)
    let json = try Data(contentsOf: URL(fileURLWithPath: path + "/config.json"))
    let config = try ModelConfig(json: json, path: path)
    let architecture = try Architectures.make(config, backend: backend, path: path) { name, shape in
      let value = backend.tensor(shape)
      try source.read(
        name, into: UnsafeMutableBufferPointer(start: value.floats, count: value.count))
      return Parameter(name: name, value: value)
    }
    return TrainableModel(
      architecture: architecture, backend: backend, digest: "tiny",
      texts: CheckpointTexts(config: String(decoding: json, as: UTF8.self)))
  }
}

/// loss = column "weight" times log-probability, per answer, undoing the mean over pairs.
struct LinearObjective: TrainingObjective {
  var needs: ObjectiveNeeds = []
  let metricNames: [String] = []

  func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
    let weights = try #require(batch.columns["weight"]).map { $0 * Double(batch.stepPairs) }
    return BatchDerivative(
      loss: zip(weights, batch.logp).map(*), dlogp: weights, dtokLogp: nil, metricSum: [],
      metricWeight: [])
  }
}

/// SPPO's half squares, as SparHost's plugin has them.
struct SquareObjective: TrainingObjective {
  var beta = 1e-3
  var needs: ObjectiveNeeds = [.reference, .winProb]
  let metricNames = ["residual"]

  func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
    let reference = try #require(batch.refLogp)
    let targets = try #require(batch.winProb)
    let residuals = batch.logp.indices.map {
      batch.logp[$0] - reference[$0] - (targets[$0] - 0.5) / beta
    }
    return BatchDerivative(
      loss: residuals.map { $0 * $0 / 2 }, dlogp: residuals, dtokLogp: nil,
      metricSum: [residuals.reduce(0, +)], metricWeight: [Double(residuals.count)])
  }
}

/// -ln sigma(beta z) for pairs (chosen, rejected).
struct SigmoidObjective: TrainingObjective {
  var beta = 0.1
  let needs: ObjectiveNeeds = [.reference]
  let metricNames: [String] = []

  func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
    let reference = try #require(batch.refLogp)
    var result = BatchDerivative(
      loss: batch.logp.map { _ in 0 }, dlogp: batch.logp.map { _ in 0 }, dtokLogp: nil,
      metricSum: [], metricWeight: [])
    for pair in stride(from: 0, to: batch.logp.count, by: 2) {
      let z = batch.logp[pair] - reference[pair] - batch.logp[pair + 1] + reference[pair + 1]
      result.loss[pair] = log1p(exp(-beta * z))
      result.dlogp[pair] = -beta / (1 + exp(beta * z))
      result.dlogp[pair + 1] = -result.dlogp[pair]
    }
    return result
  }
}

/// Squares of the distance from the batch's mean: every row's derivative needs all rows.
struct CoupledObjective: TrainingObjective {
  let needs: ObjectiveNeeds = [.coupled]
  let metricNames: [String] = []

  func differentiate(_ batch: ObjectiveBatch) throws -> BatchDerivative {
    let mean = batch.logp.reduce(0, +) / Double(batch.logp.count)
    let distance = batch.logp.map { $0 - mean }
    return BatchDerivative(
      loss: distance.map { $0 * $0 / 2 }, dlogp: distance, dtokLogp: nil, metricSum: [],
      metricWeight: [])
  }
}

/// Random pairs for the tiny model.
func randomGroups(_ count: Int, seed: UInt64 = 1) -> [TrainingGroup] {
  var state = seed
  func next(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }
  func ids(_ range: ClosedRange<Int>) -> [Int32] {
    (0..<(range.lowerBound + next(range.count))).map { _ in Int32(3 + next(150)) }
  }
  return (0..<count).map { _ in
    TrainingGroup(
      promptIDs: ids(2...4),
      answers: [
        TrainingAnswer(ids: ids(1...4) + [2], winProb: 0.8, label: 1),
        TrainingAnswer(ids: ids(1...4) + [2], winProb: 0.3, label: -1),
      ])
  }
}

/// Where this process's tests write; removed when it ends.
private let temporaryRoot: String = {
  let path = NSTemporaryDirectory() + "/spar-train-\(ProcessInfo.processInfo.processIdentifier)"
  atexit {
    do { try FileManager.default.removeItem(atPath: temporaryRoot) } catch {
      FileHandle.standardError.write(Data("cannot remove test files: \(error)\n".utf8))
    }
  }
  return path
}()

func temporaryFolder() throws -> String {
  let path = temporaryRoot + "/" + UUID().uuidString
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return path
}

/// All parameters, bit for bit.
func bits(_ model: TrainableModel) -> [UInt32] {
  model.architecture.parameters.flatMap { $0.value.array().map(\.bitPattern) }
}

func gradients(_ model: TrainableModel) -> [[Float]] {
  model.architecture.parameters.map { $0.gradient?.array() ?? [] }
}

func norm(_ values: some Sequence<Float>) -> Double {
  values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
}

func distance(_ a: [Float], _ b: [Float]) -> Double { norm(zip(a, b).map { $0 - $1 }) }
