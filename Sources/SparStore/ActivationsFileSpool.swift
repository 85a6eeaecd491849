import Foundation

/// Activations on their way to the file: what a forward pass gives is appended to `<output>.values`
/// and noted in `<output>.journal`, so that a killed capture goes on where it was.
///
/// A block is one pass: the index of its rows, then series after series, each [rows, channels], as
/// the pass makes them.  Memory holds one piece of a block, and a few numbers for each block.
public final class ActivationsSpool {
  /// A finished pass.  `order` decides its place in the file.
  struct Block: Codable {
    var order: Int
    var samples: Int
    var rows: Int
    /// Where its index begins, in bytes.
    var offset: Int
    var indexBytes: Int
    /// Of the values.
    var bytes: Int
  }

  /// The part of a block that says what its rows are.
  struct Index: Codable {
    var samples: [ActivationsFile.Sample]
    var positions: [Int32]
    var tokens: [Int32]
  }

  public let output: String
  let description: ActivationsFile.Description
  private let journal: Journal
  private(set) var blocks: [Block] = []
  private var orders: Set<Int> = []
  public private(set) var samples = 0
  public private(set) var rows = 0
  let values: FileHandle
  var valuesPath: String { output + ".values" }
  private var end = 0

  /// Opens the spool and finds what an earlier, killed capture with the same key left there.
  public init(output: String, _ description: ActivationsFile.Description) throws {
    self.output = output
    self.description = description
    journal = try Journal(
      path: output + ".journal", key: description.key, keepsOthers: false)
    let path = output + ".values"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw StoreError(path: path, doing: "capturing activations", .system(errno))
    }
    values = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    let found = Int(try values.seekToEnd())
    for line in journal.resumed {
      let block = try JSONDecoder().decode(Block.self, from: line)
      // A values file that was deleted or cut: what it lost is computed again.
      guard block.offset == end, block.offset + block.indexBytes + block.bytes <= found else {
        break
      }
      note(block)
    }
    try values.truncate(atOffset: UInt64(end))
    try values.seekToEnd()
  }

  public func contains(order: Int) -> Bool { orders.contains(order) }

  /// Adds one pass; `body` writes the values of all series, in order.
  ///
  /// - Throws: what `body` throws, and the system's refusals; the block is then as never begun.
  public func add(
    order: Int, samples: [ActivationsFile.Sample], positions: [Int32], tokens: [Int32],
    values body: (_ write: ([UInt8]) throws -> Void) throws -> Void
  ) throws {
    precondition(
      positions.count == tokens.count && samples.reduce(0) { $0 + $1.rows } == tokens.count,
      "the index speaks of every row")
    let index = try JSONEncoder().encode(
      Index(samples: samples, positions: positions, tokens: tokens))
    let expected = tokens.count * description.rowBytes
    var written = 0
    do {
      try append(index)
      try body { bytes in
        written += bytes.count
        try append(Data(bytes))
      }
      precondition(written == expected, "\(written) bytes of values, \(expected) expected")
      try synchronise()
    } catch {
      try values.truncate(atOffset: UInt64(end))
      try values.seekToEnd()
      throw error
    }
    let block = Block(
      order: order, samples: samples.count, rows: tokens.count, offset: end,
      indexBytes: index.count, bytes: written)
    try journal.append(JSONEncoder().encode(block))
    note(block)
  }

  private func note(_ block: Block) {
    blocks.append(block)
    orders.insert(block.order)
    samples += block.samples
    rows += block.rows
    end += block.indexBytes + block.bytes
  }

  private func append(_ bytes: Data) throws {
    do {
      try values.write(contentsOf: bytes)
    } catch {
      throw JournalError(path: valuesPath, .system(errno))
    }
  }

  private func synchronise() throws {
    do {
      try values.synchronize()
    } catch {
      throw JournalError(path: valuesPath, .system(errno))
    }
  }

  /// Makes the file of all blocks and removes the spool.  `progress` hears the share that is done.
  public func finish(progress: (Double) -> Void = { _ in }) throws {
    try ActivationsAssembly(self).write(progress: progress)
    try discard()
  }

  /// Removes the spool: its content stands in the file.
  public func discard() throws {
    try values.close()
    try FileManager.default.removeItem(atPath: valuesPath)
    try journal.remove()
  }

  func read(_ block: Block, from offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < buffer.count {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(
        values.fileDescriptor, part.baseAddress, part.count,
        off_t(block.offset + offset + done))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw StoreError(
          path: valuesPath, doing: "reading captured activations",
          count < 0 ? .system(errno) : .invalid("it ends in the middle of a block"))
      }
      done += count
    }
  }
}
