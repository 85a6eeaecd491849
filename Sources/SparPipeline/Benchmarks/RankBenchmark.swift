import Foundation
import SparCompute
import SparModel

/// Speed and memory of a pair ranker's full table: K answers to a prompt, every ordered pair a
/// sequence of its own through an encoder.
public struct RankBenchmark: ProductShare, Sendable, Encodable {
  public var model: String
  public var backend: String
  public var threads: Int
  public var answers: Int
  public var promptTokens: Int
  public var answerTokens: Int
  public var pairs: Int
  public var tokensPerPair: Int
  public var rowsPerPass: Int
  /// Seconds of a table: median, least and most of the repetitions.
  public var secondsMedian: Double
  public var secondsMinimum: Double
  public var secondsMaximum: Double
  /// Processor time of a table, all threads together: what others on the machine hardly change.
  public var processorSeconds: Double
  /// Operations of the layers' dense products for one table: what every implementation must do.
  public var denseOperations: Double
  /// GFLOP/s of a square product of 2048 before and after the tables.
  public var sgemmBefore: Double
  public var sgemmAfter: Double
  public var peakMemoryBytes: Int
  /// The three states that the head reads, side by side, of every pair: what another program that
  /// reads the same model and the same ids must find.
  public var states: [[Float]]

  public var pairsPerSecond: Double { Double(pairs) / secondsMedian }
  public var secondsPerPair: Double { secondsMedian / Double(pairs) }
  /// GFLOP/s of the dense products alone, so that time in attention counts against it.
  public var rate: Double { denseOperations / secondsMedian / 1e9 }

  /// What is ranked.
  public struct Work: Sendable {
    public var answers = 5
    public var promptTokens = 150
    public var answerTokens = 150
    public var repetitions = 3
    public var rowsPerPass = 2048

    public init() {}
  }

  /// An encoder of PairRM's shape that nobody trained.
  public static func randomModel(
    _ backend: Backend, weights: WeightsPolicy = .f32
  ) throws -> EncoderModel {
    let config = DebertaV2Config.pairRM
    return try EncoderModel(
      config, RandomEncoderWeights(config), keeping: weights, backend: backend)
  }

  public static func run(
    _ model: EncoderModel, _ work: Work, threads: Int, progress: (Int) -> Void = { _ in }
  ) throws -> RankBenchmark {
    let before = try GemmBenchmark.squareRate(model.backend)
    let sequences = pairs(work, vocabulary: model.config.vocabularySize)
    let length = sequences[0].ids.count
    let perPass = max(1, work.rowsPerPass / length)
    var seconds: [Double] = []
    var processor: [Double] = []
    var states: [[Float]] = []
    for repetition in 0...work.repetitions {
      var found: [[Float]] = []
      let (start, startedAt) = (ContinuousClock.now, processorTime())
      for first in stride(from: 0, to: sequences.count, by: perPass) {
        let pass = sequences[first..<min(first + perPass, sequences.count)]
        let values = try model.hidden(
          pass.map(\.ids),
          rows: pass.enumerated().flatMap { place, pair in
            pair.rows.map { Int32(place * length + $0) }
          })
        let size = values.count / pass.count
        found += (0..<pass.count).map { Array(values[$0 * size..<($0 + 1) * size]) }
      }
      states = found
      // The first repetition warms caches and the memory pool, and projects the positions.
      if repetition > 0 {
        seconds.append((ContinuousClock.now - start) / .seconds(1))
        processor.append(processorTime() - startedAt)
      }
      progress(repetition)
    }
    seconds.sort()
    processor.sort()
    return RankBenchmark(
      model: model.path, backend: model.backend.name, threads: threads, answers: work.answers,
      promptTokens: work.promptTokens, answerTokens: work.answerTokens, pairs: sequences.count,
      tokensPerPair: length, rowsPerPass: work.rowsPerPass,
      secondsMedian: seconds[seconds.count / 2], secondsMinimum: seconds[0],
      secondsMaximum: seconds[seconds.count - 1],
      processorSeconds: processor[processor.count / 2],
      denseOperations: 2 * Double(model.config.denseWeights) * Double(sequences.count * length),
      sgemmBefore: before, sgemmAfter: try GemmBenchmark.squareRate(model.backend),
      peakMemoryBytes: PeakMemory.bytes(),
      states: states)
  }

  /// Seconds that the threads of this process have run.
  private static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  /// Every ordered pair of made-up answers as ids, and the rows of the three marks.
  ///
  /// Ids are x / 2³³ mod (V − 8) + 4 with x ← 6364136223846793005 x + 1442695040888963407 mod 2⁶⁴
  /// from x = 1: a rule that other programs can follow.
  private static func pairs(
    _ work: Work, vocabulary: Int
  ) -> [(ids: [Int32], rows: [Int])] {
    var x: UInt64 = 1
    func text(_ count: Int) -> [Int32] {
      (0..<count).map { _ in
        x = x &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int32((x >> 33) % UInt64(vocabulary - 8)) + 4
      }
    }
    let marks = (1...4).map { Int32(vocabulary - 5 + $0) }
    func part(_ mark: Int32, _ text: [Int32]) -> [Int32] { [1, mark] + text + [2] }
    let source = part(marks[0], text(work.promptTokens))
    let answers = (0..<work.answers).map { _ in text(work.answerTokens) }
    return answers.indices.flatMap { i in
      answers.indices.filter { $0 != i }.map { j in
        let first = part(marks[1], answers[i])
        return (
          source + first + part(marks[2], answers[j]),
          [1, source.count + 1, source.count + first.count + 1]
        )
      }
    }
  }
}
