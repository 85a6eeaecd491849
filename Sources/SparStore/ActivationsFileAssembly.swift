import Foundation

/// The last act of a capture: spooled blocks become activations.h5, one dataset after the other, in
/// pieces of a few megabytes.
struct ActivationsAssembly {
  private let spool: ActivationsSpool
  private let blocks: [ActivationsSpool.Block]
  private var description: ActivationsFile.Description { spool.description }

  init(_ spool: ActivationsSpool) {
    self.spool = spool
    blocks = spool.blocks.sorted { $0.order < $1.order }
  }

  func write(progress: (Double) -> Void) throws {
    try H5File.write(to: spool.output, doing: "writing the activations") { file in
      try file.stamp(ActivationsFile.schema)
      try file.setAttribute(ActivationsFile.keyAttribute, .string(description.key))
      try file.setAttributes(
        description.attributes.filter {
          !H5Schema.attributeNames.contains($0.key) && $0.key != ActivationsFile.keyAttribute
        })
      try writeIndex(file)
      let total = Double(max(description.rowBytes, 1))
      var before = 0
      for series in description.series {
        switch description.type {
        case .f16: try write(series, at: before, file, as: H5Half.self)
        default: try write(series, at: before, file, as: Float.self)
        }
        before += series.channels * description.valueBytes
        progress(Double(before) / total)
      }
    }
  }

  private func writeIndex(_ file: H5File) throws {
    let layout = H5Layout(chunkRows: 1 << 13, deflate: 1, growable: true)
    func make(_ name: String, _ type: H5Type) throws -> H5Dataset {
      try file.createDataset(name, type, shape: [0], layout: layout)
    }
    let id = try make("sample/id", .string)
    let prompt = try make("sample/prompt", .i64)
    let answer = try make("sample/answer", .i32)
    let step = try make("sample/step", .i64)
    let label = try make("sample/label", .i8)
    let promptTokens = try make("sample/prompt_tokens", .i32)
    let offsets = try make("sample/offsets", .i64)
    let sample = try make("row/sample", .i64)
    let position = try make("row/position", .i32)
    let token = try make("row/token", .i32)
    try offsets.append([Int64(0)])
    var (samples, rows) = (0, 0)
    for block in blocks {
      var bytes = [UInt8](repeating: 0, count: block.indexBytes)
      try bytes.withUnsafeMutableBytes { try spool.read(block, from: 0, into: $0) }
      let index = try JSONDecoder().decode(ActivationsSpool.Index.self, from: Data(bytes))
      let own = index.samples
      try id.append(texts: own.map { $0.id.replacing("\0", with: "\u{FFFD}") })
      try prompt.append(own.map { Int64($0.prompt) })
      try answer.append(own.map { Int32($0.answer) })
      try step.append(own.map { Int64($0.step) })
      try label.append(own.map(\.label))
      try promptTokens.append(own.map { Int32($0.promptTokens) })
      for one in own {
        try sample.append([Int64](repeating: Int64(samples), count: one.rows))
        rows += one.rows
        samples += 1
        try offsets.append([Int64(rows)])
      }
      try position.append(index.positions)
      try token.append(index.tokens)
    }
  }

  /// - Parameter before: bytes of a row in the series ahead of this one.
  private func write<Element: H5Element>(
    _ series: ActivationsFile.Series, at before: Int, _ file: H5File, as _: Element.Type
  ) throws {
    let width = series.channels * MemoryLayout<Element>.size
    let chunk = min(max((256 << 10) / width, 1), 4096)
    let total = blocks.reduce(0) { $0 + $1.rows }
    let dataset = try file.createDataset(
      series.name, Element.h5Type, shape: [total, series.channels],
      layout: H5Layout(chunkRows: chunk, deflate: 1, growable: true))
    // Whole chunks at a time: none is compressed twice.
    let capacity = chunk * max((4 << 20) / (chunk * width), 1)
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: capacity * width, alignment: 64)
    defer { buffer.deallocate() }
    var (filled, start) = (0, 0)
    func flush() throws {
      let values = UnsafeRawBufferPointer(rebasing: buffer[..<(filled * width)])
      try values.withMemoryRebound(to: Element.self) {
        try dataset.write(rows: start..<start + filled, from: $0)
      }
      start += filled
      filled = 0
    }
    for block in blocks {
      var row = 0
      while row < block.rows {
        let count = min(capacity - filled, block.rows - row)
        let piece = UnsafeMutableRawBufferPointer(
          rebasing: buffer[(filled * width)..<((filled + count) * width)])
        try spool.read(
          block, from: block.indexBytes + before * block.rows + row * width, into: piece)
        row += count
        filled += count
        if filled == capacity { try flush() }
      }
    }
    if filled > 0 { try flush() }
  }
}
