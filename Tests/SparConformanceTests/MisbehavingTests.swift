import Foundation
import SparConformance
import Testing

/// A plugin of Tests/Misbehaving, the test that it must fail and how.
struct Misbehaviour: Sendable, CustomTestStringConvertible {
  var source: String
  var test: String
  var verdict: String
  /// What the reason must say.
  var says: String
  var timeout = 20.0

  init(
    _ source: String, _ test: String, _ verdict: String, _ says: String, timeout: Double = 20
  ) {
    self.source = source
    self.test = test
    self.verdict = verdict
    self.says = says
    self.timeout = timeout
  }

  var testDescription: String { source }

  static let all: [Misbehaviour] = [
    Misbehaviour("not_a_plugin", "library.loads", "failed", "not a Spar plugin"),
    Misbehaviour("other_generation", "library.loads", "failed", "spar_plugin_entry_v2"),
    Misbehaviour("wrong_generation", "library.loads", "failed", "generation 2"),
    Misbehaviour("crashes_in_entry", "library.loads", "crashed", "SIGABRT"),
    Misbehaviour("extra_symbols", "library.exports-one-symbol", "failed", "helper"),
    Misbehaviour("slow_entry", "library.quiet-entry", "failed", "ms of processor time"),
    Misbehaviour("thread_in_entry", "library.quiet-entry", "failed", "1 threads running"),
    Misbehaviour("over_reads_host", "versions.present-host", "crashed", "SIGSEGV"),
    Misbehaviour("over_reads_info", "versions.past-host", "crashed", "while create"),
    Misbehaviour("wants_equal_size", "versions.future-host", "failed", "struct_size"),
    Misbehaviour("refuses_range_end", "options.range-ends", "failed", "beta=0.0"),
    Misbehaviour("ignores_no_memory", "errors.no-memory", "crashed", "allocation 0 fails"),
    Misbehaviour(
      "silent_error", "objective.gradient-by-finite-differences", "failed", "no error text"),
    Misbehaviour("changes_directory", "manners.process-state", "failed", "directory to /"),
    Misbehaviour("changes_rounding", "manners.process-state", "failed", "floating-point mode"),
    Misbehaviour("takes_signals", "manners.process-state", "failed", "handler"),
    Misbehaviour("prints", "manners.silent", "failed", "evaluating 13 answers"),
    Misbehaviour("leaks_host_memory", "manners.frees-memory", "failed", "host->alloc"),
    Misbehaviour("leaks_heap_memory", "manners.frees-memory", "failed", "C heap grows"),
    Misbehaviour("frees_wrong_size", "manners.frees-memory", "failed", "free with 1 bytes"),
    Misbehaviour(
      "exits", "objective.gradient-by-finite-differences", "failed", "exit status 0"),
    Misbehaviour(
      "crashes", "objective.gradient-by-finite-differences", "crashed", "SIGSEGV"),
    Misbehaviour(
      "hangs", "objective.gradient-by-finite-differences", "hung", "no answer in 2 s", timeout: 2),
    Misbehaviour(
      "nan_loss", "objective.gradient-by-finite-differences", "failed", "nan after evaluating"),
    Misbehaviour(
      "wrong_gradient", "objective.gradient-by-finite-differences", "failed", "dlogp[0] is"),
    Misbehaviour("remembers", "objective.determinism", "failed", "other bits"),
    Misbehaviour("first_group_counts", "objective.order-of-groups", "failed", "of group 0"),
    Misbehaviour("overflows", "objective.extremes", "failed", "inf"),
    Misbehaviour("lies_about_complement", "ranker.complement-claim", "failed", "claimed is 1"),
    Misbehaviour("lies_about_scalar", "ranker.scalar-claim", "failed", "no function"),
    Misbehaviour("prefers_the_first", "ranker.order-of-answers", "failed", "in reverse order"),
    Misbehaviour("reads_to_nul", "ranker.probabilities", "crashed", "ranking five answers"),
    Misbehaviour("probability_above_one", "ranker.probabilities", "failed", "is 1.5"),
    Misbehaviour("writes_out_of_bounds", "backend.fill", "failed", "writes outside"),
    Misbehaviour("writes_then_refuses", "backend.gemm", "failed", "has written to c"),
    Misbehaviour("reads_c_at_beta_zero", "backend.gemm", "failed", "is nan"),
    Misbehaviour(
      "lies_about_determinism", "backend.thread-count-claim", "failed", "other bits"),
    Misbehaviour("depends_on_values", "backend.embed", "failed", "some values only"),
  ]
}

@Suite("The check of plugins") struct MisbehavingTests {
  @Test("names what is wrong with a misbehaving plugin", arguments: Misbehaviour.all)
  func misbehaviour(_ expected: Misbehaviour) throws {
    var check = ConformanceCheck(file: try library(expected.source), program: program)
    check.timeout = expected.timeout
    check.wants = { $0 == expected.test }
    let report = try check.run()
    let result = try #require(
      report.results.first { $0.test == expected.test }, "\(report.lines)")
    #expect(result.verdict.name == expected.verdict, "\(result)")
    #expect(result.verdict.detail?.contains(expected.says) == true, "\(result)")
    #expect(!report.conforms)
    #expect(report.verdictLine.contains("does NOT conform"))
  }

  @Test("has a source for every misbehaviour, and a misbehaviour for every source")
  func completeness() throws {
    let sources = try FileManager.default.contentsOfDirectory(atPath: misbehaving)
      .filter { $0.hasSuffix(".c") }.map { String($0.dropLast(2)) }
    let expected = Misbehaviour.all.map(\.source) + honest
    #expect(Set(sources) == Set(expected))
  }

  @Test("finds nothing wrong with honest plugins in C", arguments: honest)
  func honesty(_ source: String) throws {
    let report = try checkAll(try library(source))
    #expect(report.conforms, "\(report.lines.joined(separator: "\n"))")
    #expect(!report.results.contains { $0.verdict.name == "warning" }, "\(report.lines)")
    #expect(report.results.count { $0.verdict.name == "passed" } >= 15)
  }

  @Test("repeats with its seed: the same failure for one, another for another")
  func seeds() throws {
    func reason(_ seed: UInt64) throws -> String? {
      var check = ConformanceCheck(file: try library("wrong_gradient"), program: program)
      check.seed = seed
      check.wants = { $0 == "objective.gradient-by-finite-differences" }
      return try check.run().failures.first?.verdict.detail
    }
    let (first, again, other) = (try reason(5), try reason(5), try reason(6))
    #expect(first != nil && first == again)
    #expect(first != other)
  }
}

let honest = ["honest_objective", "honest_ranker", "honest_backend"]
