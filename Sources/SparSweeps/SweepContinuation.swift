import SparPipeline

extension SweepRecord {
  /// Why this sweep cannot go on from `earlier`; empty when it can, which it can when all earlier
  /// points are among its own and nothing else changed.
  func differences(from earlier: SweepRecord) -> [String] {
    func short(_ text: String?) -> String {
      guard let text else { return "not set" }
      return text.count > 40 ? text.prefix(12) + "…" : text.isEmpty ? "empty" : text
    }
    let names = Set(settings.keys).union(earlier.settings.keys).sorted()
    var found: [String] = names.compactMap { name in
      let (was, now) = (earlier.settings[name], settings[name])
      // A file or plugin that new points bring along, or that only old ones needed.
      let isFact = name.hasPrefix("library of ") || name.hasPrefix("content of ")
      if was == now || isFact && (was == nil || now == nil) { return nil }
      return "\(name) was \(short(was)), is \(short(now))"
    }
    let (was, now) = (earlier.axes.map(\.name).sorted(), axes.map(\.name).sorted())
    if was != now {
      found.append(
        "its axes were \(was.joined(separator: ", ")), are \(now.joined(separator: ", "))")
    } else {
      let mine = Set(points.map(\.values))
      found += earlier.points.filter { !mine.contains($0.values) }.map {
        let values = $0.values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "its point \($0.id) (\(values.joined(separator: " "))) is not in this sweep"
      }
    }
    return found
  }
}
