import Foundation

/// Rotary scaling that a GGUF file carries, in Hugging Face's terms (`rope_scaling`).
///
/// llama.cpp's converter drops the parameters of Llama 3.1's scaling and stores the factors they
/// give, one per frequency, in `rope_freqs.weight`. The published models use low 1, high 4 and a
/// context of 8192; with these the largest factor is `factor`, and the stored factors are checked
/// against the ones that follow.
public struct GGUFRopeScaling: Sendable, Equatable, Encodable {
  public var ropeType: String
  public var factor: Double
  public var lowFreqFactor: Double?
  public var highFreqFactor: Double?
  public var originalMaxPositionEmbeddings: Int?

  /// nil when the file has no scaling.
  init?(
    _ file: GGUFFile, architecture: String, headSize: Int, theta: Double
  ) throws(WeightError) {
    switch try file.string("\(architecture).rope.scaling.type") {
    case nil, "none": break
    case "linear":
      guard let factor = try file.float("\(architecture).rope.scaling.factor") else {
        throw WeightError(file.path, .malformed("\(architecture).rope.scaling.factor is missing"))
      }
      ropeType = "linear"
      self.factor = factor
      return
    case let other?:
      throw WeightError(
        file.path,
        .unsupported("rotary scaling \(other); from GGUF this build reads linear, llama3")
      )
    }
    let factors: [Float]
    do {
      guard file.entry("rope_freqs.weight") != nil else { return nil }
      factors = try file.floats("rope_freqs.weight")
    } catch {
      throw error as? WeightError ?? WeightError(file.path, .malformed("\(error)"))
    }
    guard let largest = factors.max(), factors.contains(where: { $0 != 1 }) else { return nil }
    ropeType = "llama3"
    factor = Double(largest)
    lowFreqFactor = 1
    highFreqFactor = 4
    originalMaxPositionEmbeddings = 8192
    let expected = Self.llama3Factors(headSize: headSize, theta: theta, factor: factor)
    guard expected.count == factors.count,
      zip(expected, factors).allSatisfy({ abs($0 - Double($1)) <= 1e-3 * $0 })
    else {
      throw WeightError(
        file.path,
        .unsupported("rope_freqs.weight does not hold the factors of Llama 3.1's rotary scaling"))
    }
  }

  /// One divisor per frequency: 1 for short waves, `factor` for long ones, between them smooth.
  /// Source: transformers, `_compute_llama3_parameters`.
  static func llama3Factors(headSize: Int, theta: Double, factor: Double) -> [Double] {
    (0..<headSize / 2).map { i in
      let wavelength = 2 * Double.pi * pow(theta, Double(2 * i) / Double(headSize))
      if wavelength < 8192 / 4 { return 1 }
      if wavelength > 8192 { return factor }
      let smooth = (8192 / wavelength - 1) / (4 - 1)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
