import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measure this machine: matrix products, training, sampling.",
    subcommands: [BenchGemm.self, BenchTrain.self, BenchGenerate.self])
}
