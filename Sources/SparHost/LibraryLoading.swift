import CSparPlugin
import Glibc

/// Opens a candidate and returns what its entry returned.
///
/// The library's code first runs in dlopen (constructors), after its place, its owners and its
/// symbols have been found good.  It stays loaded for ever: Swift and C++ plugins leave records
/// in their runtimes that would point into unmapped memory.
func loadEntry(resolved path: String) throws(PluginProblem) -> UnsafeRawPointer {
  func problem(_ reason: PluginProblem.Reason) -> PluginProblem {
    PluginProblem(path: path, reason: reason)
  }
  let unsafe: UnsafePath?
  do throws(SystemError) {
    unsafe = try unsafePart(of: path)
  } catch {
    throw problem(.unreadable(error.description))
  }
  if let unsafe { throw problem(.unsafe(unsafe)) }

  let entries: [String]
  do throws(ELFProblem) {
    entries = try definedSymbols(of: path, startingWith: "spar_plugin_entry_v")
  } catch {
    throw problem(.notALibrary(error))
  }
  guard entries.contains(SPAR_ENTRY_SYMBOL) else {
    throw problem(entries.isEmpty ? .noEntrySymbol : .otherGeneration(entries.sorted()))
  }

  let neverUnload: Int32 = 0x1000  // RTLD_NODELETE, which the Glibc module lacks on some versions
  guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | neverUnload) else {
    throw problem(.dlopenFailed(dlerror().map { String(cString: $0) } ?? "no reason given"))
  }
  guard let symbol = dlsym(handle, SPAR_ENTRY_SYMBOL) else { throw problem(.noEntrySymbol) }
  let entry = unsafeBitCast(symbol, to: (@convention(c) () -> UnsafeRawPointer?).self)
  guard let table = entry() else {
    throw problem(.badDescriptor(part: "the entry", what: "returned NULL"))
  }
  return table
}
