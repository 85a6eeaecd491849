import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Look at data files, examine them for a model, convert them, make comparisons.",
    discussion: """
      Files are .jsonl, .json, .csv, .tsv or .parquet; a folder or a pattern means all its files, \
      a.parquet:0.5,b.jsonl a mixture of the first half of one and all of the other. Forms of \
      columns are those of TRL, SPPO, ShareGPT and Alpaca: docs/data.md.
      """,
    subcommands: [
      DataInspectCommand.self, DataDoctorCommand.self, DataConvertCommand.self,
      DataBootstrapCommand.self,
    ])
}
