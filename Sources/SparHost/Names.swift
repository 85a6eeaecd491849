/// A name as the ABI spells it: users may type `sppo_single` for `sppo-single`.
func canonical(_ name: String) -> String {
  String(name.map { $0 == "_" ? "-" : $0 })
}

/// The candidate that was probably meant, or nil when none is close: few edits away (at most a
/// third of the letters; among equals the one that starts alike), or the only one that begins with
/// what was typed.
func nearest(to name: String, among candidates: [String]) -> String? {
  let typed = canonical(name)
  let prefixed = candidates.filter { !typed.isEmpty && canonical($0).hasPrefix(typed) }
  if prefixed.count == 1 { return prefixed[0] }
  let ranked = candidates.map { name in
    let shared = zip(typed, canonical(name)).prefix { $0 == $1 }.count
    return (name: name, edits: editDistance(typed, canonical(name)), shared: shared)
  }
  guard let best = ranked.min(by: { ($0.edits, -$0.shared) < ($1.edits, -$1.shared) }) else {
    return nil
  }
  return best.edits <= max(1, best.name.count / 3) ? best.name : nil
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a)
  let b = Array(b)
  var rows = [Array(0...b.count)]
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        best = min(best, rows[i - 1][j - 1] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
