import ArgumentParser
import SparPipeline

struct BenchGemm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm",
    abstract: "Matrix products: those of SmolLM2, forward and backward, and square ones.")

  @OptionGroup var common: CommonOptions

  func run() throws {
    let runtime = try common.runtime()
    let result = try GemmBenchmark.run(runtime.backend, threads: runtime.threads)
    let rows = result.rows.map { row in
      [
        "  \(row.kind)", "\(row.m) × \(row.n) × \(row.k)",
        Figures.spread(row.median, row.minimum, row.maximum),
      ]
    }
    let title = "backend \(result.backend), \(result.threads) threads; GFLOP/s, median (min – max)"
    try Terminal.result(
      result, lines: [title] + Terminal.columns(rows), of: runtime.backend, json: common.json)
  }
}
