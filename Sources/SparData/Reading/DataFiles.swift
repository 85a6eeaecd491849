import Foundation

/// The files that a path means: a file, a folder of files, or a pattern with * and ?.
public enum DataFiles {
  /// In the order of their names; at least one.
  public static func find(_ path: String) throws(DataError) -> [String] {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
      guard isFolder.boolValue else { return [path] }
      return try folder(path)
    }
    guard path.contains(where: { "*?[".contains($0) }) else {
      throw DataError(path: path, what: "No such file or directory", cure: "")
    }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(path, 0, nil, &found) == 0, let names = found.gl_pathv else {
      throw DataError(path: path, what: "no file fits the pattern", cure: "")
    }
    return (0..<Int(found.gl_pathc)).compactMap { names[$0].map { String(cString: $0) } }
  }

  private static func folder(_ path: String) throws(DataError) -> [String] {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      throw DataError(path: path, what: "the folder cannot be read", cure: "")
    }
    let files = names.filter { !$0.hasPrefix(".") && !$0.hasPrefix("_") }
      .filter { DataFormat.named($0) != nil }.sorted()
    guard !files.isEmpty else {
      throw DataError(
        path: path, what: "the folder holds no data file",
        cure: "put .jsonl, .json, .csv, .tsv or .parquet files there")
    }
    return files.map { (path as NSString).appendingPathComponent($0) }
  }
}

/// The rows of several files, one file after the other.
public final class FilesReader: RowReader {
  private var rest: ArraySlice<String>
  private var reader: (any RowReader)?

  public init(_ files: [String]) { rest = files[...] }

  /// All files that `path` means.
  public convenience init(path: String) throws(DataError) {
    self.init(try DataFiles.find(path))
  }

  public func next() throws(DataError) -> DataRow? {
    while true {
      if let row = try reader?.next() { return row }
      guard let file = rest.popFirst() else { return nil }
      reader = try DataFormat.open(file)
    }
  }
}
