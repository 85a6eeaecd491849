import Foundation

/// Rotary scaling that a GGUF file carries, in Hugging Face's terms (`rope_scaling`).
///
/// llama.cpp's converter drops the parameters of Llama 3.1's scaling and stores the factors they
/// give, one per frequency, in `rope_freqs.weight`.  All published models use low 1 and high 4; with
/// these the largest factor is `factor`, a factor of the blend gives the original length, and the
/// stored factors are checked against the ones that follow.
public struct GGUFRopeScaling: Sendable, Equatable, Encodable {
  public var ropeType: String
  public var factor: Double?
  public var lowFreqFactor: Double?
  public var highFreqFactor: Double?
  public var originalMaxPositionEmbeddings: Int?
  public var attentionFactor: Double?
  public var betaFast: Double?
  public var betaSlow: Double?
  public var shortFactor: [Double]?
  public var longFactor: [Double]?

  /// nil when the file has no scaling.
  init?(
    _ file: GGUFFile, architecture: String, rotarySize: Int, theta: Double
  ) throws(WeightError) {
    let place = "\(architecture).rope.scaling."
    if file.entry("rope_factors_short.weight") != nil {
      ropeType = "longrope"
      shortFactor = try Self.factors(file, "rope_factors_short.weight")
      longFactor = try Self.factors(file, "rope_factors_long.weight")
      originalMaxPositionEmbeddings = try file.int(place + "original_context_length")
      attentionFactor = try file.float(place + "attn_factor")
      return
    }
    switch try file.string(place + "type") {
    case nil, "none": break
    case let kind? where kind == "linear" || kind == "yarn":
      guard let factor = try file.float(place + "factor") else {
        throw WeightError(file.path, .malformed("\(place)factor is missing"))
      }
      ropeType = kind
      self.factor = factor
      guard kind == "yarn" else { return }
      originalMaxPositionEmbeddings = try file.int(place + "original_context_length")
      betaFast = try file.float(place + "yarn_beta_fast")
      betaSlow = try file.float(place + "yarn_beta_slow")
      // llama.cpp multiplies this by the growth that Hugging Face takes by itself.
      if let share = try file.float(place + "attn_factor"), share != 1 {
        attentionFactor = share * (1 + 0.1 * log(max(factor, 1)))
      }
      return
    case let other?:
      throw WeightError(
        file.path,
        .unsupported(
          "rotary scaling \(other); from GGUF this build reads linear, yarn, longrope, llama3"))
    }
    guard file.entry("rope_freqs.weight") != nil else { return nil }
    let factors = try Self.factors(file, "rope_freqs.weight")
    guard let largest = factors.max(), factors.contains(where: { $0 != 1 }) else { return nil }
    let unknown = WeightError(
      file.path,
      .unsupported("rope_freqs.weight does not hold the factors of Llama 3.1's rotary scaling"))
    guard factors.count == rotarySize / 2 else { throw unknown }
    ropeType = "llama3"
    factor = largest
    lowFreqFactor = 1
    highFreqFactor = 4
    let length = Self.originalLength(factors, largest: largest, size: rotarySize, theta: theta)
    originalMaxPositionEmbeddings = length > 0 && length < 1e15 ? Int(length) : nil
    let expected = Self.llama3Factors(
      headSize: rotarySize, theta: theta, factor: largest, length: length.rounded(.down))
    guard zip(expected, factors).allSatisfy({ abs($0 - $1) <= 1e-3 * $0 }) else { throw unknown }
  }

  private static func factors(_ file: GGUFFile, _ name: String) throws(WeightError) -> [Double] {
    do {
      return try file.floats(name).map { Double($0) }
    } catch {
      throw error as? WeightError ?? WeightError(file.path, .malformed("\(error)"))
    }
  }

  /// The length that the first blended factor follows from, low 1 and high 4 given.  Where no
  /// frequency is blended, many lengths mean the same: that of the published models, if it is one.
  private static func originalLength(
    _ factors: [Double], largest: Double, size: Int, theta: Double
  ) -> Double {
    func wavelength(_ i: Int) -> Double {
      2 * Double.pi * pow(theta, Double(2 * i) / Double(size))
    }
    let stretched = factors.firstIndex { $0 > 1.001 } ?? 0
    if factors[stretched] < 0.999 * largest {
      let smooth = (1 / factors[stretched] - 1 / largest) / (1 - 1 / largest)
      let length = (3 * smooth + 1) * wavelength(stretched)
      return length < 1e9 ? length.rounded() : 8192
    }
    let (low, high) = (4 * wavelength(max(stretched - 1, 0)), wavelength(stretched))
    return low < 8192 && 8192 < high ? 8192 : (low * high).squareRoot()
  }

  /// One divisor per frequency: 1 for short waves, `factor` for long ones, between them smooth.
  /// Source: transformers, `_compute_llama3_parameters`.
  static func llama3Factors(
    headSize: Int, theta: Double, factor: Double, low: Double = 1, high: Double = 4,
    length: Double = 8192
  ) -> [Double] {
    (0..<headSize / 2).map { i in
      let wavelength = 2 * Double.pi * pow(theta, Double(2 * i) / Double(headSize))
      if wavelength < length / high { return 1 }
      if wavelength > length / low { return factor }
      let smooth = (length / wavelength - low) / (high - low)
      return 1 / ((1 - smooth) / factor + smooth)
    }
  }
}
