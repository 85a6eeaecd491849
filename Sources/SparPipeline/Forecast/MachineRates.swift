import Foundation
import SparCompute

/// How fast this machine is, measured within a second or two.
public struct MachineRates: Equatable, Sendable, Encodable {
  /// Operations a second of a 2048³ product through the backend.
  public var products: Double
  /// Bytes a second that all threads together read from memory.
  public var memory: Double
  public var threads: Int

  public init(products: Double, memory: Double, threads: Int) {
    self.products = products
    self.memory = memory
    self.threads = threads
  }

  public static func measure(_ backend: Backend, threads: Int) throws -> MachineRates {
    MachineRates(
      products: 1e9 * (try GemmBenchmark.squareRate(backend)), memory: memoryRate(threads),
      threads: threads)
  }

  /// The median of five readings of 256 MB, which no cache holds.
  public static func memoryRate(_ threads: Int) -> Double {
    let words = 32 << 20
    let memory = UnsafeMutablePointer<UInt64>.allocate(capacity: words)
    defer { memory.deallocate() }
    memory.initialize(repeating: 1, count: words)
    nonisolated(unsafe) let shared = UnsafeBufferPointer(start: memory, count: words)
    let sums = UnsafeMutablePointer<UInt64>.allocate(capacity: threads)
    defer { sums.deallocate() }
    nonisolated(unsafe) let results = sums
    var rates: [Double] = []
    for _ in 0..<5 {
      let start = ContinuousClock.now
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        // Eight words at a time, so that the reading is what takes the time.
        var sum = SIMD8<UInt64>()
        let part = UnsafeRawBufferPointer(shared)
        let (first, last) = (words * thread / threads / 8, words * (thread + 1) / threads / 8)
        for index in first..<last {
          sum &+= part.loadUnaligned(fromByteOffset: 64 * index, as: SIMD8<UInt64>.self)
        }
        results[thread] = sum.wrappedSum()
      }
      rates.append(Double(8 * words) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    return rates.sorted()[2]
  }
}

/// The share of the rate of products that stages reach.
///
/// Those of docs/performance.md: 135 million parameters, two cores.
public enum StageShares {
  public static func of(_ stage: String) -> Double {
    switch stage {
    case "generate", "heldout", "bootstrap": 0.55
    case "rank", "evaluate", "evaluate-ranker": 0.6
    case "train", "train-ranker": 0.8
    default: 0.5
    }
  }
}
