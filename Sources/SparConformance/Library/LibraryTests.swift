import CSparPlugin
import Glibc
import SparHost

/// What the file itself promises before any component of it is made.
let libraryTests = [
  ConformanceTest(
    "library.loads", .library,
    "The library is a plugin of this generation, and its tables are in order.",
    cure: "compile against spar_plugin.h of generation 1 and export spar_plugin_entry_v1"
  ) { subject in
    let host = try subject.load()
    let bad = host.problems
    try require(bad.isEmpty, bad.map { "\($0.reason)" }.joined(separator: "; "))
    return PluginKind.allCases.flatMap { kind in
      host.components(kind).filter { $0.library.path != nil }.map { "\(kind) \($0.id)" }
    }.joined(separator: ", ")
  },
  ConformanceTest(
    "library.exports-one-symbol", .library,
    "The library exports spar_plugin_entry_v1 and nothing else.",
    cure: "compile with -fvisibility=hidden, or link with a version script "
      + "{ global: spar_plugin_entry_v1; local: *; };"
  ) { subject in
    let names: [String]
    do {
      names = try definedSymbols(of: subject.file, startingWith: "")
    } catch {
      throw Violation("\(error)")
    }
    let others = names.filter { !$0.hasPrefix("spar_plugin_entry_v") }.sorted()
    try require(names.contains(SPAR_ENTRY_SYMBOL), "it does not export \(SPAR_ENTRY_SYMBOL)")
    try require(
      others.isEmpty,
      "it also exports \(others.prefix(4).joined(separator: ", "))"
        + (others.count > 4 ? " and \(others.count - 4) more" : ""))
    return nil
  },
  ConformanceTest(
    "library.quiet-entry", .library,
    "Loading and the entry take less than 100 ms, print nothing, and leave no thread and no file.",
    cure: "do the work in create; constructors and the entry only hand out static tables"
  ) { subject in
    let threads = entries(of: "/proc/self/task")
    let files = entries(of: "/proc/self/fd")
    let capture = try OutputCapture(of: [1, 2])
    subject.doing("dlopen")
    let start = processorSeconds()
    let table = openEntry(subject.file)
    let spent = processorSeconds() - start
    let printed = try capture.end()
    try require(table.text == nil, table.text ?? "")
    try require(printed.isEmpty, "loading prints \"\(excerpt(printed))\"")
    let newThreads = entries(of: "/proc/self/task").subtracting(threads)
    try require(newThreads.isEmpty, "loading leaves \(newThreads.count) threads running")
    let newFiles = entries(of: "/proc/self/fd").subtracting(files)
    try require(newFiles.isEmpty, "loading leaves \(newFiles.count) files open")
    try require(
      spent < 0.1, "loading and entry take \(Int(spent * 1000)) ms of processor time")
    return "\(Int((spent * 1000).rounded(.up))) ms"
  },
  ConformanceTest(
    "library.static-tables", .library,
    "The entry returns the same pointer each time, and its tables do not change.",
    cure: "return the address of a static table that no call writes"
  ) { subject in
    subject.doing("calling the entry twice")
    let (first, second) = (openEntry(subject.file), openEntry(subject.file))
    try require(first.text == nil, first.text ?? "")
    try require(first.pointer == second.pointer, "the second call returns another pointer")
    let host = try subject.load()
    let before = describe(host)
    let again = describe(try subject.load())
    try require(before == again, "the descriptor reads differently the second time")
    return nil
  },
  ConformanceTest(
    "library.described", .library,
    "Plugin and components have ids, versions, names and one line of documentation.",
    cure: "fill version, name and doc; ids are of [a-z0-9-]", isAdvice: true
  ) { subject in
    let host = try subject.load()
    for library in host.libraries where library.path != nil {
      try require(library.version != "?", "the plugin tells no version")
      try require(library.id.contains("."), "the id \(library.id) is no reverse domain name")
    }
    for component in PluginKind.allCases.flatMap({ host.components($0) })
    where component.library.path != nil {
      try require(
        !component.doc.contains("\n"), "the doc of \(component.id) has more than one line")
    }
    return nil
  },
]

/// All that the descriptor says, as text.
private func describe(_ host: PluginHost) -> String {
  PluginKind.allCases.flatMap { host.components($0) }.filter { $0.library.path != nil }
    .map { PluginInfo($0).description }.joined(separator: "\n")
}

/// What the entry returns, or why there is none.
private func openEntry(_ path: String) -> (pointer: UnsafeRawPointer?, text: String?) {
  guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | 0x1000) else {
    return (nil, dlerror().map { String(cString: $0) } ?? "dlopen gives no reason")
  }
  guard let symbol = dlsym(handle, SPAR_ENTRY_SYMBOL) else {
    return (nil, "it does not export \(SPAR_ENTRY_SYMBOL)")
  }
  let entry = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafeRawPointer?).self)
  guard let table = entry() else { return (nil, "the entry returns NULL") }
  return (table, nil)
}

/// Processor time of this process: unlike the clock on the wall it does not see other programs.
func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Names in a folder of /proc.
func entries(of path: String) -> Set<String> {
  guard let folder = opendir(path) else { return [] }
  let own = "\(dirfd(folder))"
  var names: Set<String> = []
  while let entry = readdir(folder) {
    names.insert(
      withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      })
  }
  closedir(folder)
  return names.subtracting([".", "..", own])
}
