import Foundation

/// Files that a command will write, looked at before it works for them.
///
/// An output that is also an input would replace what it was made from, which may have taken hours;
/// a folder that is not there would be noticed when the work is done.
struct OutputFiles {
  private typealias File = (name: String, path: String, identity: Identity)

  private var inputs: [File] = []
  private var outputs: [File] = []

  /// One file under whatever name: by inode where it exists, else by its full path.
  private enum Identity: Equatable {
    case inode(device: UInt64, number: UInt64)
    case path(String)

    init(_ path: String) {
      var facts = stat()
      if stat(path, &facts) == 0 {
        self = .inode(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
      } else {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        let folder = url.deletingLastPathComponent().resolvingSymlinksInPath()
        self = .path(folder.appendingPathComponent(url.lastPathComponent).path)
      }
    }
  }

  /// Something that is read; `name` is the flag that names it.  Nil and what is no file are passed
  /// over.
  mutating func reads(_ name: String, _ paths: String?...) {
    reads(name, paths.compactMap { $0 })
  }

  mutating func reads(_ name: String, _ paths: [String]) {
    for path in paths { inputs.append((name, path, Identity(path))) }
  }

  /// Whether a rename may put a file in the place of `path`: not of devices and pipes.
  private static func isReplaceable(_ path: String) -> Bool {
    let full = URL(fileURLWithPath: path).standardizedFileURL.path
    if full.hasPrefix("/dev/") || full.hasPrefix("/proc/") { return false }
    var facts = stat()
    return stat(path, &facts) != 0 || facts.st_mode & S_IFMT == S_IFREG
  }

  /// A file that is written; nil is passed over.
  ///
  /// - Throws: `UsageError` where it is one of those before it, a folder, a device, or in a folder
  ///   that is not there or cannot be written to.
  mutating func writes(_ name: String, _ path: String?) throws {
    guard let path else { return }
    let file: File = (name, path, Identity(path))
    if let input = inputs.first(where: { $0.identity == file.identity }) {
      throw UsageError(
        "\(name): \(path) is one of the files that are read (\(input.name))",
        hint: "write another file")
    }
    if let other = outputs.first(where: { $0.identity == file.identity }) {
      throw UsageError(
        "\(name): \(path) is the file of \(other.name), too", hint: "write another file")
    }
    outputs.append(file)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw UsageError("\(name): \(path) is a folder", hint: "name a file in it")
    }
    guard Self.isReplaceable(path) else {
      throw UsageError(
        "\(name): \(path) is no file that can be replaced",
        hint: "a file is written under another name and renamed when it is whole; --json prints on "
          + "stdout")
    }
    let parent = (path as NSString).deletingLastPathComponent
    let folder = parent.isEmpty ? "." : parent
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
      throw UsageError("\(name): there is no folder \(folder)", hint: "make it, or write elsewhere")
    }
    guard isFolder.boolValue else {
      throw UsageError("\(name): \(folder) is no folder", hint: "write elsewhere")
    }
    guard access(folder, W_OK) == 0 else {
      throw UsageError(
        "\(name): cannot write to \(folder): \(String(cString: strerror(errno)))",
        hint: "change its owner or mode, or write elsewhere")
    }
  }
}
