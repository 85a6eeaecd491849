import ArgumentParser
import Foundation
import SparCompute
import SparConformance
import SparHost
import SparModel
import SparRanking
import Synchronization

extension PluginCommand {
  /// One test in a process of its own, which `check` starts.
  struct RunTest: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "run-test", abstract: "Run one test of `plugin check`.", shouldDisplay: false)

    @Argument var file: String
    @Option var test: String
    @Option var component: String?
    @Option var seed: UInt64 = 1
    @Option(name: .customLong("option")) var given: [String] = []

    func run() throws {
      guard let test = ConformanceTest.named(test) else {
        throw UsageError("there is no test \(test)")
      }
      // Signals are the plugin's here: it must be seen to die of them.
      signal(SIGINT, SIG_DFL)
      signal(SIGTERM, SIG_DFL)
      var none = rlimit(rlim_cur: 0, rlim_max: 0)
      setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
      let journal = Journal()
      let options = try PluginTestOptions.parse(given)
      let subject = Subject(
        file: file, name: component.flatMap { ComponentName($0) }, options: options, seed: seed,
        lend: PluginTestOptions.extensions(options), tell: journal.doing)
      let verdict = test.verdict(on: subject)
      if test.scope == .library, !verdict.isFailure {
        journal.components(try components(of: subject))
      }
      journal.verdict(verdict)
      // Neither the plugin's destructors nor its threads concern this test any more.
      _exit(0)
    }
  }
}

/// Options of components and what they need of the program.
enum PluginTestOptions {
  static func parse(_ given: [String]) throws -> [String: String] {
    var options: [String: String] = [:]
    for text in given {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw UsageError("--option \(text) must be NAME=VALUE")
      }
      options[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    return options
  }

  /// Language models for rankers whose options say which; without options nothing is lent, so that
  /// no default model is searched or fetched.
  static func extensions(
    _ options: [String: String]
  ) -> @Sendable (String) -> UnsafeRawPointer? {
    guard !options.isEmpty else { return { _ in nil } }
    // Made when first needed: other libraries must not be loaded while one is looked at.
    let backend = Mutex<Backend?>(nil)
    @Sendable func made() throws -> Backend {
      try backend.withLock { known in
        if let known { return known }
        let fresh = try PluginHost(search: PluginSearch(), threads: 2).backend(threads: 2)
        known = fresh
        return fresh
      }
    }
    let languageModels = LanguageModelExtension { try LanguageModel.load($0, backend: made()) }
    let textModels = TextModelExtension { try TextModels.load($0, backend: made()) }
    return { id in
      switch id {
      case LanguageModelExtension.id: languageModels.table
      case TextModelExtension.id: textModels.table
      default: nil
      }
    }
  }
}
