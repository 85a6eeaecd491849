import Foundation

/// A parser under test: what it is called on the command line, small valid inputs to start from,
/// and one try on bytes that may be anything. A try may throw, and must not trap, hang or take
/// memory beyond a bound.
struct FuzzTarget: Sendable {
  var name: String
  var seeds: @Sendable () throws -> [Data]
  var run: @Sendable (Data) throws -> Void

  static let all: [FuzzTarget] = [
    .gguf, .safetensors, .safetensorsIndex, .tokenizer, .sentencePiece, .tokenizerConfig,
    .modelConfig, .template, .conversation, .json, .jsonLines, .jsonArray, .csv, .parquet,
  ]
}

/// libFuzzer's loop over mutated inputs.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ run: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt
) -> CInt

/// Chosen by SPAR_FUZZ, before the first input.
nonisolated(unsafe) private var target = FuzzTarget.json

@main enum Fuzz {
  /// With SPAR_FUZZ_SEEDS the target's valid inputs are written into that folder, and nothing runs.
  static func main() throws {
    let environment = ProcessInfo.processInfo.environment
    let name = environment["SPAR_FUZZ"] ?? ""
    guard let chosen = FuzzTarget.all.first(where: { $0.name == name }) else {
      let known = FuzzTarget.all.map(\.name).joined(separator: " ")
      FileHandle.standardError.write(Data("SPAR_FUZZ=\(name): set it to one of \(known)\n".utf8))
      exit(2)
    }
    target = chosen
    if let folder = environment["SPAR_FUZZ_SEEDS"] {
      for (i, seed) in try chosen.seeds().enumerated() {
        try seed.write(to: URL(fileURLWithPath: "\(folder)/seed-\(i)"))
        // A seed that is refused early hides the parser behind.
        do { try chosen.run(seed) } catch { print("fuzz: seed \(i) of \(name): \(error)") }
      }
      return
    }
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(runDriver(&count, &arguments, testOneInput))
  }
}

/// Longest time of the processor for one input. libFuzzer's own limit is of the clock, which on a
/// busy machine says little.
private let longest = 1.0

private func secondsOfThisThread() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

private func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let start = secondsOfThisThread()
  defer {
    let time = secondsOfThisThread() - start
    precondition(time < longest, "the input took \(time) s")
  }
  do {
    try target.run(Data(bytes: bytes, count: count))
  } catch {
    // The words of an error are made from the input as well.
    _ = "\(error)".utf8.count
  }
  return 0
}

/// A file in memory for parsers that map one.
enum ScratchFile {
  static let folder: String = {
    let path = "/dev/shm/spar-fuzz-\(getpid())"
    mkdir(path, 0o700)
    return path
  }()

  static func write(_ data: Data, as name: String = "input") throws -> String {
    let path = folder + "/" + name
    try data.write(to: URL(fileURLWithPath: path))
    return path
  }
}
