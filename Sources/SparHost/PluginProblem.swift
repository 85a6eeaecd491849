/// A library, or a part of one, that was found and not used.  Never fatal.
public struct PluginProblem: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    case unreadable(String)
    /// An entry of SPAR_PLUGIN_PATH that would depend on the working directory.
    case relativePath
    case unsafe(UnsafePath)
    case notALibrary(ELFProblem)
    /// A shared library that is not a plugin; its code has not run.
    case noEntrySymbol
    /// Exports entries for other generations of the ABI only.
    case otherGeneration([String])
    /// What dlerror said.
    case dlopenFailed(String)
    /// The part of the descriptor and what is wrong with it.
    case badDescriptor(part: String, what: String)
    /// An earlier library offers the same: "objective dpo", or the whole plugin's id.
    case shadowed(what: String, by: String)
  }

  public var path: String
  public var reason: Reason
}
