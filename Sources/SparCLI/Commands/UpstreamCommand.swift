import ArgumentParser

struct UpstreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upstream",
    abstract: "Take over a run of the published SPPO and GPO code, or hand one over to it.",
    discussion: """
      Answers (generated/OUT/responses_{p}.json) and rankings (ranking/OUT/*.npy) become \
      candidates.h5 and preferences.h5, and back. Its training data (train.parquet) are read by \
      `spar train --preferences` as they are. docs/recipes.md tells how a run goes on.
      """,
    subcommands: [UpstreamImportCommand.self, UpstreamExportCommand.self])
}
