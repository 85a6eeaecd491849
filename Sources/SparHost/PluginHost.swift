import CSparPlugin
import Synchronization

/// Finds, loads and offers plugins.
///
/// Loading never fails as a whole: what cannot be used is told in `problems`.  Nothing of a plugin
/// runs before a component of it is asked for, but its entry, which returns static data.
public final class PluginHost: @unchecked Sendable {
  // Unchecked: `context` guards itself, so does `catalogue`.

  let context: HostContext
  private let catalogue = Mutex(PluginCatalogue())

  /// `threads`: the budget of loops and of plugins.  `cacheDirectory`: exists and is writable;
  /// nil keeps plugins from caching.  `log` is called on any thread.
  public init(
    search: PluginSearch, threads: Int, cacheDirectory: String? = nil,
    log: @escaping @Sendable (PluginLogLevel, String) -> Void = { _, _ in }
  ) {
    context = HostContext(threads: threads, cacheDirectory: cacheDirectory, log: log)
    let (candidates, problems) = search.candidates()
    catalogue.withLock { catalogue in
      catalogue = PluginCatalogue(problems: problems)
      for candidate in candidates { catalogue.load(candidate) }
    }
    addBuiltIn(ReferenceBackend.plugin)
  }

  /// Those that were loaded, in the order of the search.
  public var libraries: [PluginLibrary] { catalogue.withLock { $0.libraries } }
  /// Those that were found and not used, and why.
  public var problems: [PluginProblem] { catalogue.withLock { $0.problems } }

  /// Offers the tables of a plugin that is linked into the program.  Loaded plugins come first.
  public func addBuiltIn(_ plugin: UnsafePointer<spar_plugin>) {
    let table = Table(pointer: UnsafeRawPointer(plugin))
    catalogue.withLock { $0.add(table.pointer, path: nil, origin: .builtIn) }
  }

  private struct Table: @unchecked Sendable {
    var pointer: UnsafeRawPointer
  }

  /// Makes `pointer` what plugins get for the extension `id`, such as "spar.language-model/1".
  /// It must stay valid until the process ends.
  public func register(extension id: String, _ pointer: UnsafeRawPointer) {
    context.register(id, pointer)
  }

  /// What long work of plugins polls.
  public var cancelled: Bool {
    get { context.cancelled.load(ordering: .relaxed) }
    set { context.cancelled.store(newValue, ordering: .relaxed) }
  }

  /// Components of a kind, in the order of the search; shadowed ones are left out.
  public func components(_ kind: PluginKind) -> [PluginComponent] {
    catalogue.withLock { $0.components }.filter { $0.kind == kind }
  }

  /// The component that users call `id`; `_` and `-` are alike.
  public func component(_ kind: PluginKind, _ id: String) throws(PluginError) -> PluginComponent {
    let all = components(kind)
    if let found = all.first(where: { $0.id == canonical(id) }) { return found }
    let known = all.map(\.id)
    // A copy that lost to another explains nothing about an id that nobody offers.
    let telling = problems.filter {
      if case .shadowed = $0.reason { false } else { true }
    }
    throw .unknownComponent(
      kind: kind, id: id, known: known.sorted(), nearest: nearest(to: id, among: known),
      problems: telling)
  }
}

extension PluginHost {
  public func makeObjective(
    _ id: String, options: [String: String]
  ) throws(PluginError) -> Objective {
    Objective(try instance(.objective, id, options, threads: Int(context.threads)))
  }

  public func makeRanker(_ id: String, options: [String: String]) throws(PluginError) -> Ranker {
    Ranker(try instance(.ranker, id, options, threads: Int(context.threads)))
  }

  /// `threads`: the budget for threads of the backend's own.
  public func makeBackend(
    _ id: String, options: [String: String], threads: Int
  ) throws(PluginError) -> BackendInstance {
    BackendInstance(try instance(.backend, id, options, threads: threads))
  }

  private func instance(
    _ kind: PluginKind, _ id: String, _ options: [String: String], threads: Int
  ) throws(PluginError) -> ComponentInstance {
    try ComponentInstance(
      component(kind, id), options: options, context: context, threads: threads)
  }

  /// What a component says about itself on this machine: 0 = unusable, 100 = portable baseline.
  public func score(_ component: PluginComponent) throws(PluginError) -> (score: Int, why: String?)
  {
    try probe(component, context)
  }

  /// The usable backend with the highest score, the first among equals; nil when there is none.
  public func bestBackend() -> PluginComponent? {
    var best: (component: PluginComponent, score: Int)?
    for component in components(.backend) {
      do throws(PluginError) {
        let score = try probe(component, context).score
        if score > best?.score ?? 0 { best = (component, score) }
      } catch {
        context.log(.warning, "backend \(component.id) is passed over: \(error)")
      }
    }
    return best?.component
  }
}
