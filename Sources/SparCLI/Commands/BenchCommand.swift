import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this machine: matrix products, training, sampling, ranking.",
    subcommands: [BenchGemm.self, BenchTrain.self, BenchGenerate.self, BenchRank.self])
}
