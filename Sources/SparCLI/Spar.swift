import ArgumentParser
import Foundation
import SparPipeline

struct Spar: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spar",
    abstract: "Aligns language models by self-play preference optimisation, on CPUs.",
    discussion: """
      Answers are generated, ranked and trained on, round after round: `spar run RECIPE` does it \
      all, the other commands do one stage or look at its files.

      In flags `-` and `_` are alike (`--top_p`, `--top-p`, `--top_p=0.9`). Completion for your \
      shell: spar --generate-completion-script bash|zsh|fish.
      """,
    version: SparVersion.current,
    groupedSubcommands: [
      CommandGroup(
        name: "Self-play",
        subcommands: [
          RunCommand.self, SweepCommand.self, GenerateCommand.self, RankCommand.self,
          PairCommand.self, TrainCommand.self, TrainRankerCommand.self, EvaluateRankerCommand.self,
          EvaluateCommand.self,
          LensCommand.self,
          ReportCommand.self, UpstreamCommand.self,
        ]),
      CommandGroup(
        name: "Models and text",
        subcommands: [
          ModelCommand.self, DataCommand.self, ScoreCommand.self, ActivationsCommand.self,
          TokenizeCommand.self,
          TemplateCommand.self,
        ]),
      CommandGroup(
        name: "Looking around",
        subcommands: [
          PluginCommand.self, InspectCommand.self, DoctorCommand.self, BenchCommand.self,
        ]),
    ])

  /// Runs one command line and returns the exit code: 0 done, 1 failed, 2 wrong usage,
  /// 130 interrupted.
  static func run(_ arguments: [String]) -> Int32 {
    Interrupts.install()
    do {
      if let script = CompletionScript(arguments) {
        try Terminal.line(script.text)
        return 0
      }
      try CommandNames.check(arguments)
      var command = try parseAsRoot(FlagSpelling.normalise(arguments))
      try command.run()
      return 0
    } catch {
      let status = SparFailure.report(error)
      guard status == 0, let help = ComponentHelp(arguments) else { return status }
      do {
        for line in try help.lines() { try Terminal.line(line) }
        return 0
      } catch {
        return SparFailure.report(error)
      }
    }
  }
}
