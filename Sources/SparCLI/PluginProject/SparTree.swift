import Foundation

/// The files around the running program: of an installation, or of the source tree it was built in.
///
/// Templates are files rather than text inside the program, so that they can be read, compiled and
/// changed for what they are.
struct SparTree {
  var templates: URL
  /// Folder of spar_plugin.h.
  var include: URL
  /// Folder of spar.pc; nil in the source tree.
  var pkgConfig: URL?

  struct Missing: Error, CustomStringConvertible {
    var searched: [String]
    var description: String {
      "the plugin templates are missing: there is neither \(searched.joined(separator: " nor ")); "
        + "install Spar with `make install`"
    }
  }

  static func ofProgram() throws -> SparTree {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return try around(program.deletingLastPathComponent())
  }

  /// - Parameter folder: the program's: PREFIX/bin, or .build/TRIPLE/release of the source tree.
  static func around(_ folder: URL) throws -> SparTree {
    let prefix = folder.deletingLastPathComponent()
    let source = prefix.deletingLastPathComponent().deletingLastPathComponent()
    let installed = SparTree(
      templates: prefix.appendingPathComponent("share/spar/templates/plugin"),
      include: prefix.appendingPathComponent("include/spar"),
      pkgConfig: prefix.appendingPathComponent("lib/pkgconfig"))
    let built = SparTree(
      templates: source.appendingPathComponent("templates/plugin"),
      include: source.appendingPathComponent("Sources/CSparPlugin/include"))
    for tree in [installed, built]
    where FileManager.default.fileExists(atPath: tree.templates.path) {
      return tree
    }
    throw Missing(searched: [installed.templates.path, built.templates.path])
  }

  /// The shell command after which a project finds spar_plugin.h; nil when pkg-config knows it.
  func preparation() throws -> String? {
    if let pkgConfig {
      return try Self.isKnownToPkgConfig()
        ? nil : "export PKG_CONFIG_PATH=\(pkgConfig.path)${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    }
    return "export SPAR_INCLUDE=\(include.path)"
  }

  private static func isKnownToPkgConfig() throws -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["pkg-config", "--exists", "spar"]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
