import ArgumentParser
import SparModel
import SparPipeline

struct BenchGemm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm", abstract: "Matrix products: square ones and those of a model.")

  @Option(help: "The model whose shapes are measured.", completion: .file())
  var model = "smollm2-135m"

  @Option(help: "Rows (tokens) of the model's products.")
  var rows = 1024

  @OptionGroup var common: CommonOptions

  private struct Row: Encodable {
    var shape: SgemmMeter.Shape
    var gflops: Spread
  }
  private struct Result: Encodable {
    var backend: String
    var machine: Machine
    var products: [Row]
  }

  func validate() throws {
    if rows < 1 { throw ValidationError("--rows is \(rows); it must be at least 1") }
  }

  func run() throws {
    let files = try ModelFiles.open(model)
    let config = try ModelConfig(json: files.config, path: files.path)
    let runtime = try common.runtime()
    let meter = SgemmMeter(backend: runtime.backend)
    let shapes = SgemmMeter.squares + SgemmMeter.shapes(of: config, rows: rows).map(\.shape)
    var products: [Row] = []
    for shape in shapes { products.append(Row(shape: shape, gflops: try meter.measure(shape))) }
    let result = Result(
      backend: runtime.backend.name, machine: .current(threads: runtime.threads),
      products: products)
    if common.json { return try Terminal.json(result) }
    try Terminal.line("backend \(result.backend), \(runtime.threads) threads; GFLOP/s, median (min – max)")
    let rows = products.map {
      ["  \($0.shape.name)", "\($0.shape.m) × \($0.shape.n) × \($0.shape.k)", $0.gflops.text]
    }
    for line in Terminal.columns(rows) { try Terminal.line(line) }
  }
}
