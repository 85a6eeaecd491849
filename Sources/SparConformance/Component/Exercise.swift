import CSparPlugin
import Glibc
import SparHost

extension ComponentUnderTest {
  /// Does with an instance what a host does all day, whatever its kind.  Results are not judged:
  /// other tests do that.  `demanding`: an error of the plugin is a violation.
  func exercise(_ instance: LiveInstance, demanding: Bool = true) throws {
    func judge(_ outcome: Outcome, _ doing: String) throws {
      try outcome.requireText(doing)
      if demanding, !outcome.isUnsupported { try outcome.requireOK(doing) }
    }
    switch component.kind {
    case .objective:
      let objective = ObjectiveUnderTest(instance)
      subject.doing("evaluate")
      let batch = RandomBatch(seed: subject.seed, item: 1, .bestAndWorst)
      try judge(objective.evaluate(batch).outcome, "evaluate")
    case .ranker:
      let ranker = RankerUnderTest(instance)
      subject.doing("rank")
      try judge(ranker.call([.usual, .many(3)]).outcome, "rank")
    case .backend:
      for operation in OperationFamily.exercise {
        for trial in operation.cases(subject.seed) {
          subject.doing("\(operation.name), \(trial.label)")
          guard let run = trial.run(on: instance, age: age) else { break }
          try judge(run.outcome, operation.name)
        }
      }
    case .collective:
      throw NotApplicable("not checked: this version of Spar uses no collectives")
    }
  }
}
