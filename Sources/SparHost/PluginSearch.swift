import Glibc

/// Where plugins are looked for.  The first library to offer an id wins.
///
/// Order: `paths`, then SPAR_PLUGIN_PATH, the executable's folder, `../lib/spar/plugins` from it,
/// `installed`.  Never the working directory.
public struct PluginSearch: Sendable {
  /// From --plugin-path: folders, or files of any name.
  public var paths: [String]
  public var environment: [String: String]
  /// false (--no-plugins): nothing is loaded, components that are linked in remain.
  public var usePlugins: Bool
  /// Folder of the running program; nil for a search that does not look there.
  public var executableDirectory: String?
  public var installed: [String]
  /// The program runs with more rights than its caller, who must not choose what it loads.
  public var isPrivileged: Bool

  public init(
    paths: [String] = [], environment: [String: String] = currentEnvironment(),
    usePlugins: Bool = true
  ) {
    self.paths = paths
    self.environment = environment
    self.usePlugins = usePlugins
    executableDirectory = PluginSearch.currentExecutableDirectory()
    installed = ["/usr/local/lib/spar/plugins", "/usr/lib/spar/plugins"]
    isPrivileged = PluginSearch.isSecureExecution()
  }

  /// How a library came into the search.
  public enum Origin: String, Sendable, Codable {
    case explicit = "--plugin-path"
    case environment = "SPAR_PLUGIN_PATH"
    case executable = "beside the program"
    case installed
    case builtIn = "built in"
  }

  struct Candidate: Equatable {
    var path: String
    var origin: Origin
  }

  /// Libraries in the order in which they are tried, and places that could not be searched.
  func candidates() -> (found: [Candidate], problems: [PluginProblem]) {
    guard usePlugins else { return ([], []) }
    var found: [Candidate] = []
    var problems: [PluginProblem] = []
    func add(_ path: String, _ origin: Origin, required: Bool) {
      switch Self.libraries(at: path, acceptsFile: required) {
      case .success(let files): found += files.map { Candidate(path: $0, origin: origin) }
      case .failure(let error):
        if required || error.code != ENOENT {
          problems.append(PluginProblem(path: path, reason: .unreadable(error.description)))
        }
      }
    }
    for path in paths { add(absolutePath(path), .explicit, required: true) }
    if !isPrivileged {
      // Empty entries are skipped: they must not mean the working directory.
      for entry in (environment["SPAR_PLUGIN_PATH"] ?? "").split(separator: ":") {
        if entry.hasPrefix("/") {
          add(String(entry), .environment, required: true)
        } else {
          problems.append(PluginProblem(path: String(entry), reason: .relativePath))
        }
      }
    }
    if let executableDirectory {
      add(executableDirectory, .executable, required: false)
      let prefix = parentDirectory(executableDirectory)
      add((prefix == "/" ? "" : prefix) + "/lib/spar/plugins", .executable, required: false)
    }
    for folder in installed { add(folder, .installed, required: false) }
    return (found, problems)
  }

  /// The file itself, or the `libspar-*.so` of a folder sorted by name (readdir has no order).
  private static func libraries(
    at path: String, acceptsFile: Bool
  ) -> Result<[String], SystemError> {
    var info = stat()
    guard stat(path, &info) == 0 else { return .failure(SystemError(code: errno)) }
    if info.st_mode & S_IFMT != S_IFDIR {
      return acceptsFile ? .success([path]) : .failure(SystemError(code: ENOTDIR))
    }
    guard let folder = opendir(path) else { return .failure(SystemError(code: errno)) }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix("libspar-"), name.hasSuffix(".so") { names.append(name) }
    }
    let base = path == "/" ? "" : path
    return .success(names.sorted().map { "\(base)/\($0)" })
  }

  private static func currentExecutableDirectory() -> String? {
    switch resolvedPath("/proc/self/exe") {
    case .success(let path): parentDirectory(path)
    case .failure: nil
    }
  }

  /// AT_SECURE of the auxiliary vector: set-user-id, set-group-id or file capabilities.  The
  /// Glibc module does not import getauxval, hence the look-up; without it, the ids decide.
  private static func isSecureExecution() -> Bool {
    guard let symbol = dlsym(nil, "getauxval") else {
      return getuid() != geteuid() || getgid() != getegid()
    }
    let getauxval = unsafeBitCast(symbol, to: (@convention(c) (UInt) -> UInt).self)
    let atSecure: UInt = 23
    return getauxval(atSecure) != 0
  }
}

/// The process's environment variables.
public func currentEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var next = environ
  while let entry = next.pointee {
    let parts = String(cString: entry).split(
      separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
    next += 1
  }
  return variables
}
