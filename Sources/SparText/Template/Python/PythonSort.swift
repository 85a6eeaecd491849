/// `sorted`, comparing in the order CPython does, so that lists which cannot be sorted fail with
/// the same two values in the message.
enum PythonSort {
  /// Stable. `precedes` is Python's `<`.
  static func sorted<Element>(
    _ elements: [Element], _ precedes: (Element, Element) throws -> Bool
  ) rethrows -> [Element] {
    // CPython merges runs of at least 32…64; up to there it inserts.
    let width = 64
    if elements.count < width { return try inserted(elements[...], precedes) }
    var runs: [[Element]] = []
    for start in stride(from: 0, to: elements.count, by: width) {
      runs.append(
        try inserted(elements[start..<min(start + width, elements.count)], precedes))
    }
    while runs.count > 1 {
      var merged: [[Element]] = []
      for pair in stride(from: 0, to: runs.count, by: 2) {
        merged.append(
          pair + 1 < runs.count ? try merge(runs[pair], runs[pair + 1], precedes) : runs[pair])
      }
      runs = merged
    }
    return runs.first ?? []
  }

  /// The run at the start, then binary insertion of the rest.
  private static func inserted<Element>(
    _ slice: ArraySlice<Element>, _ precedes: (Element, Element) throws -> Bool
  ) rethrows -> [Element] {
    var out = Array(slice)
    guard out.count > 1 else { return out }
    var run = 2
    if try precedes(out[1], out[0]) {
      while run < out.count, try precedes(out[run], out[run - 1]) { run += 1 }
      out[0..<run].reverse()
    } else {
      while run < out.count, try !precedes(out[run], out[run - 1]) { run += 1 }
    }
    for i in run..<max(run, out.count) {
      let pivot = out[i]
      var (low, high) = (0, i)
      while low < high {
        let middle = low + (high - low) / 2
        if try precedes(pivot, out[middle]) { high = middle } else { low = middle + 1 }
      }
      out.remove(at: i)
      out.insert(pivot, at: low)
    }
    return out
  }

  private static func merge<Element>(
    _ a: [Element], _ b: [Element], _ precedes: (Element, Element) throws -> Bool
  ) rethrows -> [Element] {
    var out: [Element] = []
    out.reserveCapacity(a.count + b.count)
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if try precedes(b[j], a[i]) {
        out.append(b[j])
        j += 1
      } else {
        out.append(a[i])
        i += 1
      }
    }
    out.append(contentsOf: a[i...])
    out.append(contentsOf: b[j...])
    return out
  }
}
