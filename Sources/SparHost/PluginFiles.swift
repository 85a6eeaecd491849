extension PluginSearch {
  /// A library that this search would load.
  public struct File: Equatable, Sendable {
    public var path: String
    public var origin: Origin
  }

  /// The libraries in the order in which they are tried, without loading any, and the places that
  /// could not be searched.
  public var files: (found: [File], problems: [PluginProblem]) {
    let (candidates, problems) = candidates()
    return (candidates.map { File(path: $0.path, origin: $0.origin) }, problems)
  }

  /// A search for one library alone, which looks nowhere else.
  public static func only(_ path: String) -> PluginSearch {
    var search = PluginSearch(paths: [path], environment: [:])
    search.executableDirectory = nil
    search.installed = []
    return search
  }
}
