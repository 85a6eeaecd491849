import SparStore

/// A tensor on its way into a file: what it will be there, and how its bytes come.
///
/// Bytes come in pieces and one tensor at a time, so a model of any size passes through a few
/// megabytes.
public struct OutgoingTensor {
  public typealias Lend = ((UnsafeBufferPointer<Float>) throws -> Void) throws -> Void
  public typealias Take = (UnsafeRawBufferPointer) throws -> Void
  public var name: String
  /// One of `WeightType.writable`, or the type that its source stores.
  public var type: WeightType
  /// Row-major.
  public var shape: [Int]
  /// Gives the encoded bytes to `take`, in order; errors speak of a file of the tensor's name.
  private let pieces: (_ take: Take) throws -> Void

  var count: Int { shape.reduce(1, *) }
  /// Bytes in the file; 0 for a shape that the type cannot have, which the writers refuse.
  var byteCount: Int { type.byteCount(of: count) ?? 0 }

  /// - Parameter lend: gives the f32 values, row-major, for the time of a call.
  public init(name: String, type: WeightType = .f32, shape: [Int], lend: @escaping Lend) {
    self.name = name
    self.type = type
    self.shape = shape
    let count = shape.reduce(1, *)
    pieces = { take in
      try lend { values in
        guard values.count == count else {
          throw WeightError(name, .size(tensor: name, expected: count, found: values.count))
        }
        guard let base = values.baseAddress else { return }
        try Encoder(name: name, type: type).encode(base, count: count, take)
      }
    }
  }

  public init(name: String, type: WeightType = .f32, shape: [Int], values: [Float]) {
    self.init(name: name, type: type, shape: shape) { body in
      try values.withUnsafeBufferPointer(body)
    }
  }

  /// What becomes of a source's values on the way.
  public struct Change {
    /// The source's row for each row of the file; nil keeps the order.
    public var sourceRow: ((Int) -> Int)?
    /// Added to every value, in f32.
    public var adds: Float?

    public init(sourceRow: ((Int) -> Int)? = nil, adds: Float? = nil) {
      self.sourceRow = sourceRow
      self.adds = adds
    }
  }

  /// A tensor of `source` under another name and type. Where nothing is to be converted, its
  /// stored bytes pass as they are.
  public init(
    _ entry: WeightEntry, of source: any WeightSource, as name: String, type: WeightType,
    _ change: Change = Change()
  ) {
    self.name = name
    self.type = type
    shape = entry.shape
    let isReordered = change.sourceRow != nil && !entry.shape.isEmpty
    let rows = entry.shape.count > 1 || isReordered ? entry.shape[0] : 1
    pieces = { take in
      guard entry.count > 0 else { return }
      try source.lendBytes(entry.name) { bytes in
        let same = type == entry.type && change.adds == nil
        if same, change.sourceRow == nil { return try take(bytes) }
        guard let base = bytes.baseAddress else { return }
        let rowBytes = bytes.count / rows
        if same {
          for row in 0..<rows {
            let from = change.sourceRow?(row) ?? row
            try take(UnsafeRawBufferPointer(start: base + from * rowBytes, count: rowBytes))
          }
          return
        }
        try Self.convert(entry, base, rows: rows, change, Encoder(name: name, type: type), take)
      }
    }
  }

  /// Values that are decoded before they are encoded again.
  private static let pieceValues = 1 << 18

  private static func convert(
    _ entry: WeightEntry, _ base: UnsafeRawPointer, rows: Int, _ change: Change,
    _ encoder: Encoder, _ take: Take
  ) throws {
    let columns = entry.count / rows
    guard let rowBytes = entry.type.byteCount(of: columns) else {
      throw WeightError(
        encoder.name, .malformed("rows of \(columns) are no whole blocks of \(entry.type)"))
    }
    let rowsAtOnce = max(1, pieceValues / columns)
    let values = UnsafeMutablePointer<Float>.allocate(capacity: rowsAtOnce * columns)
    defer { values.deallocate() }
    var row = 0
    while row < rows {
      let count = min(rowsAtOnce, rows - row)
      if let sourceRow = change.sourceRow {
        for i in 0..<count {
          entry.type.decode(
            base + sourceRow(row + i) * rowBytes, count: columns, into: values + i * columns)
        }
      } else {
        entry.type.decode(base + row * rowBytes, count: count * columns, into: values)
      }
      if let adds = change.adds {
        for i in 0..<count * columns { values[i] += adds }
      }
      try encoder.encode(values, count: count * columns, take)
      row += count
    }
  }

  /// Encodes in pieces that are whole blocks.
  private struct Encoder {
    let name: String
    let type: WeightType

    func encode(_ values: UnsafePointer<Float>, count: Int, _ take: Take) throws {
      if type == .f32 {
        return try take(UnsafeRawBufferPointer(start: values, count: 4 * count))
      }
      let piece = min(count, 1 << 16)
      guard WeightType.writable.contains(type), type.byteCount(of: count) != nil,
        let room = type.byteCount(of: piece)
      else {
        throw WeightError(
          name,
          .unreadableType(
            tensor: name, type: "\(type)", known: WeightType.writable.map(\.rawValue)))
      }
      let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 64)
      defer { bytes.deallocate() }
      guard let base = bytes.baseAddress else { return }
      var start = 0
      while start < count {
        let part = min(piece, count - start)
        guard type.encode(values + start, count: part, into: base),
          let size = type.byteCount(of: part)
        else {
          throw WeightError(name, .unencodable(tensor: name, type: type))
        }
        try take(UnsafeRawBufferPointer(rebasing: bytes[..<size]))
        start += part
      }
    }
  }
}

extension OutgoingTensor {
  /// Gives the encoded bytes to `take`, in order.
  ///
  /// - Parameter path: the file that is written, for messages.
  func emit(path: String, _ take: Take) throws {
    do {
      try pieces(take)
    } catch var error as WeightError where error.path == name {
      error.path = path
      throw error
    }
  }

  /// Writes the bytes.
  ///
  /// - Parameters:
  ///   - path: the file, for messages.
  ///   - progress: told of every piece; what it throws ends the writing.
  func write(to sink: ByteSink, path: String, progress: (_ bytes: Int) throws -> Void) throws {
    var written = 0
    try emit(path: path) { bytes in
      try sink.write(bytes)
      written += bytes.count
      try progress(bytes.count)
    }
    guard written == byteCount else {
      throw WeightError(path, .size(tensor: name, expected: byteCount, found: written))
    }
  }
}
