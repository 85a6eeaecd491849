import CSparPlugin
import Glibc
import SparHost
import Synchronization

/// A component of a library by name, as in "objective/sppo".
public struct ComponentName: Sendable, Hashable, Codable, CustomStringConvertible {
  public var kind: String
  public var id: String

  public init(kind: String, id: String) {
    self.kind = kind
    self.id = id
  }

  /// "objective/sppo"; nil when there is no slash.
  public init?(_ text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 2 else { return nil }
    self.init(kind: String(parts[0]), id: String(parts[1]))
  }

  public var description: String { "\(kind)/\(id)" }
}

/// What a test works on: one plugin file, one component of it, and how it is to be tried.
public final class Subject: Sendable {
  public let file: String
  /// nil for tests of the library.
  public let name: ComponentName?
  /// Options of the component that the user gave.
  public let options: [String: String]
  /// Of every random number.
  public let seed: UInt64
  let lend: @Sendable (String) -> UnsafeRawPointer?
  private let tell: @Sendable (String) -> Void

  /// - Parameters:
  ///   - lend: extensions that the host offers, such as language models.
  ///   - tell: gets what is about to be done, so that a crash can be told from another.
  public init(
    file: String, name: ComponentName?, options: [String: String] = [:], seed: UInt64 = 1,
    lend: @escaping @Sendable (String) -> UnsafeRawPointer? = { _ in nil },
    tell: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.file = file
    self.name = name
    self.options = options
    self.seed = seed
    self.lend = lend
    self.tell = tell
  }

  func doing(_ what: String) { tell(what) }

  /// The library as the program itself would load it.
  func load() throws -> PluginHost {
    doing("loading the library")
    let host = PluginHost(search: .only(file), threads: 1)
    guard host.libraries.contains(where: { $0.path != nil }) else {
      throw Violation(host.problems.map { "\($0.reason)" }.joined(separator: "; "))
    }
    return host
  }

  /// The component under test, met by a host of that age.
  func open(_ age: HostAge = .present) throws -> ComponentUnderTest {
    let loaded = try load()
    guard let name, let kind = PluginKind(rawValue: name.kind) else {
      throw NotApplicable("no component was named")
    }
    guard
      let component = loaded.components(kind).first(where: {
        $0.id == name.id && $0.library.path != nil
      })
    else { throw Violation("the library offers no \(name)") }
    return try ComponentUnderTest(component, self, age)
  }
}

/// A loaded component with the host that watches it.
final class ComponentUnderTest {
  let component: PluginComponent
  let host: RecordingHost
  let age: HostAge
  let subject: Subject

  /// Libraries whose init has run in this process.
  private static let initialised = Mutex<Set<String>>([])

  init(_ component: PluginComponent, _ subject: Subject, _ age: HostAge) throws {
    self.component = component
    self.subject = subject
    self.age = age
    host = RecordingHost(age, lend: subject.lend)
    guard let start = component.plugin.`init` else { return }
    let isFirst = Self.initialised.withLock { $0.insert(component.library.location).inserted }
    guard isFirst else { return }
    subject.doing("init")
    let host = host
    let outcome = host.call { start(host.table) }
    try outcome.requireOK("init")
  }

  /// What `create` answered; the instance when it is one.
  struct Creation {
    var outcome: Outcome
    var instance: LiveInstance?
  }

  /// Calls `create` with the options that the user gave, those in `overriding`, and defaults.
  func create(
    overriding: [String: String] = [:], threads: Int32 = 2
  ) throws -> Creation {
    let given = subject.options.filter { known, _ in
      component.options.contains { $0.name == canonicalOption(known) }
    }
    let checked: [CheckedOption]
    do {
      checked = try component.check(given.merging(overriding) { $1 })
    } catch PluginError.missingOption(_, let schema) {
      throw NotApplicable("needs --option \(schema.name)=…, which has no default")
    } catch {
      throw NotApplicable("the options given do not fit: \(error)")
    }
    let arena = GuardedArena()
    return create(
      values: checked.map { $0.abi(text: arena.text($0.value.text)) }, threads: threads,
      arena: arena)
  }

  /// Calls `create` with values as they are; nil = none at all.
  func create(values: [spar_value]?, threads: Int32 = 2, arena: GuardedArena) -> Creation {
    host.setThreads(threads)
    var info = spar_create_info()
    info.values = values.map { UnsafePointer(arena.copy($0)) }
    info.n_values = UInt64(values?.count ?? 0)
    info.threads = threads
    let size = MemoryLayout<spar_create_info>.offset(of: \.cache_dir)
    let lent = arena.structure(info, age, pastSize: size)
    let slot = arena.fill(UnsafeMutableRawPointer?.none, count: 1)
    let outcome = host.call { component.raw.create(host.table, lent, slot) }
    guard outcome.isOK else { return Creation(outcome: outcome, instance: nil) }
    return Creation(outcome: outcome, instance: LiveInstance(self, slot.pointee))
  }

  /// An instance to try laws on.  A component that cannot work here has none, which breaks no law.
  func make(overriding: [String: String] = [:], threads: Int32 = 2) throws -> LiveInstance {
    try probe()
    subject.doing("create")
    let creation = try create(overriding: overriding, threads: threads)
    if let instance = creation.instance { return instance }
    try creation.outcome.requireText("create")
    if component.kind == .ranker, subject.options.isEmpty {
      throw NotApplicable(
        "create says \(creation.outcome.description); give what it needs with --option NAME=VALUE")
    }
    throw Violation("create returned \(creation.outcome.description)")
  }

  private func probe() throws {
    guard let ask = component.raw.probe else { return }
    subject.doing("probe")
    var score: Int32 = 0
    let outcome = host.call { ask(host.table, &score) }
    guard outcome.isOK, score > 0 else {
      throw NotApplicable("probe says that it cannot work here: \(outcome.description)")
    }
  }
}

/// `_` and `-` are alike in names of options.
func canonicalOption(_ name: String) -> String {
  name.lowercased().replacing("_", with: "-")
}

/// What `create` made; `destroy` is called once, at the latest with the last reference.
final class LiveInstance: @unchecked Sendable {
  // Unchecked: the pointer is the plugin's; tests call it as the ABI's thread tags allow.
  let owner: ComponentUnderTest
  let pointer: UnsafeMutableRawPointer?
  private var isLive = true

  init(_ owner: ComponentUnderTest, _ pointer: UnsafeMutableRawPointer?) {
    self.owner = owner
    self.pointer = pointer
  }

  func destroy() {
    guard isLive else { return }
    isLive = false
    owner.component.raw.destroy(pointer)
  }

  deinit { destroy() }
}
