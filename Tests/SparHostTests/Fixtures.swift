import Foundation
import Testing

@testable import SparHost

/// A host that sees the plugins built beside the test binary and nothing else.
func builtHost(threads: Int = 2) throws -> PluginHost {
  var search = PluginSearch(environment: [:])
  search.installed = []
  let host = PluginHost(search: search, threads: threads)
  let ids = host.components(.objective).map(\.id)
  try #require(
    ids.contains("sppo"),
    "libspar-*.so should stand beside the test binary; found \(host.problems), \(ids)")
  return host
}

/// A search of the named places only.
func search(_ paths: [String] = [], environment: [String: String] = [:]) -> PluginSearch {
  var search = PluginSearch(paths: paths, environment: environment)
  search.executableDirectory = nil
  search.installed = []
  search.isPrivileged = false
  return search
}

/// The folder of this run's fixtures under /tmp (sticky, so safe), removed when the process ends:
/// loaded libraries stay loaded until then.
private let fixtures: String = {
  let path = "/tmp/spar-host-tests-\(getpid())"
  mkdir(path, 0o755)
  atexit {
    do {
      try FileManager.default.removeItem(atPath: "/tmp/spar-host-tests-\(getpid())")
    } catch {
      print("left fixtures in /tmp: \(error)")
    }
  }
  return path
}()

extension PluginHost {
  /// Those that came from files.
  var loaded: [PluginLibrary] { libraries.filter { $0.path != nil } }
}

/// An empty folder for one test.
struct Folder {
  let path: String

  init() throws {
    path = "\(fixtures)/\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
  }

  @discardableResult
  func write(_ name: String, _ bytes: Data, mode: Int = 0o644) throws -> String {
    let file = "\(path)/\(name)"
    try bytes.write(to: URL(filePath: file))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
    return file
  }

  /// Compiles C source to a shared library.
  @discardableResult
  func library(_ name: String, _ source: String, _ flags: [String] = []) throws -> String {
    let code = try write("\(name).c", Data(source.utf8))
    let file = "\(path)/\(name)"
    let include = repository + "/Sources/CSparPlugin/include"
    let cc = Process()
    cc.executableURL = URL(filePath: "/usr/bin/env")
    cc.arguments =
      ["cc", "-std=c11", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs", "-I\(include)"]
      + ["-o", file, code] + flags
    let output = Pipe()
    cc.standardError = output
    try cc.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    cc.waitUntilExit()
    try #require(cc.terminationStatus == 0, "cc failed: \(text)")
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
    return file
  }
}

/// The root of the package.
let repository = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().path

/// `shared/golden`, from SPAR_SHARED or a folder `shared` beside a parent of this file.
let goldenFolder: String? = {
  if let shared = ProcessInfo.processInfo.environment["SPAR_SHARED"] { return shared + "/golden" }
  var folder = URL(filePath: #filePath)
  while folder.path != "/" {
    folder.deleteLastPathComponent()
    let golden = folder.appending(path: "shared/golden").path
    if FileManager.default.fileExists(atPath: golden) { return golden }
  }
  return nil
}()

/// C source of a plugin with one objective: loss = scale · Σ logp.
func objectiveSource(id: String, plugin: String, extra: String = "", scale: String = "1") -> String
{
  """
  #include "spar_plugin.h"
  \(extra)
  static spar_status evaluate(void *self, spar_objective_batch *b) {
    (void)self;
    for (int64_t i = 0; i < b->n; i++) { b->loss[i] = \(scale) * b->logp[i]; b->dlogp[i] = \(scale); }
    return SPAR_OK;
  }
  static const spar_objective_api api = { .struct_size = sizeof api, .evaluate = evaluate };
  static spar_status create(const spar_host *h, const spar_create_info *i, void **self) {
    (void)h; (void)i; *self = 0; return SPAR_OK;
  }
  static void destroy(void *self) { (void)self; }
  static const spar_component components[] = {{
    .struct_size = sizeof(spar_component), .kind = SPAR_KIND_OBJECTIVE, .id = "\(id)",
    .name = "fixture", .doc = "A fixture.", .create = create, .destroy = destroy, .api = &api }};
  static const spar_plugin plugin = {
    .struct_size = sizeof plugin, .generation = 1, .id = "\(plugin)", .name = "fixture",
    .version = "1", .components = components, .n_components = 1 };
  SPAR_EXPORT const spar_plugin *spar_plugin_entry_v1(void) { return &plugin; }
  """
}

/// n rows in one group, without tables.
func plainBatch(logp: [Double]) -> ObjectiveBatch {
  let n = logp.count
  return ObjectiveBatch(
    begin: [0, Int64(n)], logp: logp, nTokens: .init(repeating: 1, count: n),
    label: .init(repeating: 0, count: n), stepPairs: 1, stepAnswers: Int64(n),
    stepTokens: Int64(n))
}
