import Glibc

/// The text of an `errno`.
func systemError(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// `path` against the working directory, with a leading `~/` taken as the home directory.
func absolutePath(_ path: String) -> String {
  if path.hasPrefix("/") { return path }
  if path.hasPrefix("~/"), let home = getenv("HOME") {
    return String(cString: home) + path.dropFirst(1)
  }
  guard let raw = getcwd(nil, 0) else { return path }
  defer { free(raw) }
  let directory = String(cString: raw)
  return (directory == "/" ? "" : directory) + "/" + path
}

/// The path without links and dots, or the `errno` that says why there is none.
func resolvedPath(_ path: String) -> Result<String, SystemError> {
  guard let raw = realpath(path, nil) else { return .failure(SystemError(code: errno)) }
  defer { free(raw) }
  return .success(String(cString: raw))
}

struct SystemError: Error, CustomStringConvertible {
  var code: Int32
  var description: String { systemError(code) }
}

/// The folder of a path: "/usr/lib/x.so" -> "/usr/lib", "/x" -> "/".
func parentDirectory(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
  return String(path[..<slash])
}

func lastComponent(_ path: String) -> String {
  path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
}
