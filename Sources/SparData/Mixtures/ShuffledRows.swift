import SparTensor

/// A shuffle of a stream in bounded memory.
///
/// `window` rows are held; each row that comes takes the place of one of them, drawn at random,
/// which is given out; at the end the rest comes in random order.  With a window as large as the
/// stream this is a uniform permutation; else a row comes out at most `window` rows early, and
/// late without bound.  The same seed and rows give the same order.
public final class ShuffledRows: RowReader {
  private let rows: any RowReader
  private let window: Int
  private var random: Random
  private var held: [DataRow] = []
  private var isFull = false

  public init(_ rows: any RowReader, seed: UInt64, window: Int = 10_000) {
    precondition(window > 0, "a shuffle needs room for a row")
    self.rows = rows
    self.window = window
    random = Random(seed: seed, stage: .shuffle, iteration: -2)
  }

  public func next() throws(DataError) -> DataRow? {
    while !isFull {
      guard held.count < window, let row = try rows.next() else {
        isFull = true
        break
      }
      held.append(row)
    }
    guard !held.isEmpty else { return nil }
    let place = Int(random.next() % UInt64(held.count))
    if let row = try rows.next() {
      defer { held[place] = row }
      return held[place]
    }
    held.swapAt(place, held.count - 1)
    return held.removeLast()
  }
}
