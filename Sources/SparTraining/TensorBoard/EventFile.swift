import Foundation

/// A TensorBoard event file of scalars.
///
/// Frames are TFRecord: u64 length, masked CRC of the length, payload, masked CRC of the payload,
/// little-endian.  Payloads are `Event` messages {1 wall_time, 2 step, 3 file_version, 5 summary,
/// 7 session_log}; scalars stand in `simple_value`, which every TensorBoard version reads.
public final class EventFile {
  public let path: String
  private let handle: FileHandle

  /// Makes `directory` and in it a file that TensorBoard recognises by name.
  ///
  /// A run that goes on at `resumeStep` says so: TensorBoard then hides what an earlier file of
  /// the folder has at or after that step.
  public init(directory: String, resumeStep: Int? = nil, now: Date = Date()) throws {
    let folder = URL(fileURLWithPath: directory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let seconds = Int(now.timeIntervalSince1970)
    let process = ProcessInfo.processInfo
    let stem = "events.out.tfevents.\(seconds).\(process.hostName).\(process.processIdentifier)"
    var serial = 0
    while FileManager.default.fileExists(atPath: folder.path + "/\(stem).\(serial)") { serial += 1 }
    path = folder.path + "/\(stem).\(serial)"
    try Data().write(to: URL(fileURLWithPath: path))
    handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    var event = Protobuf()
    event.double(1, now.timeIntervalSince1970)
    event.block(3, Array("brain.Event:2".utf8))
    try append(event.bytes)
    if let resumeStep {
      var session = Protobuf()
      session.integer(1, 1)  // SessionLog.START
      var event = Protobuf()
      event.double(1, now.timeIntervalSince1970)
      event.integer(2, resumeStep)
      event.block(7, session.bytes)
      try append(event.bytes)
    }
  }

  /// One event with a value per tag, on disk when this returns.
  public func write(_ scalars: [String: Double], step: Int, now: Date = Date()) throws {
    var summary = Protobuf()
    for (tag, value) in scalars.sorted(by: { $0.key < $1.key }) {
      var entry = Protobuf()
      entry.block(1, Array(tag.utf8))
      entry.float(2, Float(value))
      summary.block(1, entry.bytes)
    }
    var event = Protobuf()
    event.double(1, now.timeIntervalSince1970)
    event.integer(2, step)
    event.block(5, summary.bytes)
    try append(event.bytes)
  }

  public func close() throws { try handle.close() }

  private func append(_ payload: [UInt8]) throws {
    let length = littleEndianBytes(UInt64(payload.count))
    try handle.write(
      contentsOf: Data(
        length + littleEndianBytes(CRC32C.masked(length)) + payload
          + littleEndianBytes(CRC32C.masked(payload))))
  }
}
