import Foundation

/// The machine that a run ran on, as far as results and speed depend on it.
public struct Machine: Codable, Equatable, Sendable {
  public var processor: String
  public var cores: Int
  /// SIMD extensions that kernels care about: avx2, fma, avx512f, …
  public var simd: [String]
  public var memoryBytes: UInt64
  public var system: String
  /// Threads that the run was given.
  public var threads: Int

  private static let extensions = [
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16",
    "amx_bf16", "asimd", "sve",
  ]

  public static func current(threads: Int) -> Machine {
    let facts = processorFacts()
    let flags = Set(
      (facts["flags"] ?? facts["Features"] ?? "").split(separator: " ").map(String.init))
    return Machine(
      processor: facts["model name"] ?? "unknown",
      cores: ProcessInfo.processInfo.activeProcessorCount,
      simd: extensions.filter(flags.contains),
      memoryBytes: ProcessInfo.processInfo.physicalMemory,
      system: ProcessInfo.processInfo.operatingSystemVersionString, threads: threads)
  }

  /// The first processor's lines of /proc/cpuinfo; empty where there is no such file.
  private static func processorFacts() -> [String: String] {
    var facts: [String: String] = [:]
    for line in KernelFile.text("/proc/cpuinfo").split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let key = parts[0].trimmingCharacters(in: .whitespaces)
      if facts[key] == nil { facts[key] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    return facts
  }
}
