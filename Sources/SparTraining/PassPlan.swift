/// How the groups of a step are dealt to forward passes.
///
/// A pass holds as many whole groups, in order, as fit in `limit` packed rows, and at least one.
enum PassPlan {
  static func passes(_ groups: [TrainingGroup], limit: Int) -> [Range<Int>] {
    var passes: [Range<Int>] = []
    var first = 0
    var rows = 0
    for (index, group) in groups.enumerated() {
      if index > first, rows + group.rows > limit {
        passes.append(first..<index)
        first = index
        rows = 0
      }
      rows += group.rows
    }
    if first < groups.count { passes.append(first..<groups.count) }
    return passes
  }
}
