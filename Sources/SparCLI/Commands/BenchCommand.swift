import ArgumentParser

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure this machine: products, training, sampling, ranking, tokenizers.",
    subcommands: [
      BenchGemm.self, BenchTrain.self, BenchGenerate.self, BenchRank.self, BenchTokenize.self,
    ])
}
