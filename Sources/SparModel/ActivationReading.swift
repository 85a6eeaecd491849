import SparCompute
import SparTensor

extension LanguageModel {
  /// Runs `batch` and hands out the selected activations of `rows` (rows of the batch, repetition
  /// allowed), series after series in their order.
  ///
  /// `take` gets whole rows, a series in one or several pieces; the memory is lent for the call.
  /// Memory beside that of the pass: one series of `rows`, and `logitRows` rows of logits.
  public func readActivations(
    _ batch: PackedBatch, rows: [Int32], of selection: ActivationSelection, logitRows: Int = 64,
    take: (ActivationSeries, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    try withoutActuallyEscaping(take) { take in
      let graph = Graph(backend)
      let recorder = ActivationRecorder(selection, rows: rows, take: take)
      let hidden = try architecture.hidden(batch, graph, cached: nil, tap: recorder)
      guard let logits = selection.series.last, logits.site == .logits else { return }
      // The whole of it would be V floats a row: 100 MB for 512 rows of a small model.
      for first in stride(from: 0, to: rows.count, by: logitRows) {
        let piece = Array(rows[first..<min(first + logitRows, rows.count)])
        let values = try architecture.logits(of: graph.gather(hidden, rows: piece), graph).value
        try take(logits, UnsafeBufferPointer(start: values.floats, count: values.count))
      }
    }
  }
}

/// A tap that copies chosen rows of chosen series.
private final class ActivationRecorder: ActivationTap {
  private let wanted: [String: ActivationSeries]
  private let rows: [Int32]
  private let take: (ActivationSeries, UnsafeBufferPointer<Float>) throws -> Void

  init(
    _ selection: ActivationSelection, rows: [Int32],
    take: @escaping (ActivationSeries, UnsafeBufferPointer<Float>) throws -> Void
  ) {
    wanted = Dictionary(uniqueKeysWithValues: selection.series.map { ($0.name, $0) })
    self.rows = rows
    self.take = take
  }

  func see(_ site: ActivationSite, layer: Int, _ value: Tensor) throws {
    guard let series = wanted["\(site.rawValue)/\(layer)"] else { return }
    let width = value.shape[1]
    let copy = [Float](unsafeUninitializedCapacity: rows.count * width) { buffer, count in
      for (place, row) in rows.enumerated() {
        let source = UnsafeBufferPointer(start: value.floats + Int(row) * width, count: width)
        _ = buffer[(place * width)...].update(fromContentsOf: source)
      }
      count = rows.count * width
    }
    try copy.withUnsafeBufferPointer { try take(series, $0) }
  }
}
