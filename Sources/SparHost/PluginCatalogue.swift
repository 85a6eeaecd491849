/// Libraries in the order in which they were found, and what they offer.  The first to offer an id
/// has it.
struct PluginCatalogue {
  private(set) var libraries: [PluginLibrary] = []
  private(set) var problems: [PluginProblem]
  private(set) var components: [PluginComponent] = []
  private var resolved: Set<String> = []

  init(problems: [PluginProblem] = []) {
    self.problems = problems
  }

  mutating func load(_ candidate: PluginSearch.Candidate) {
    let path: String
    switch resolvedPath(candidate.path) {
    case .success(let resolved): path = resolved
    case .failure(let error):
      problems.append(
        PluginProblem(path: candidate.path, reason: .unreadable(error.description)))
      return
    }
    // The same file by two ways is one plugin.
    guard resolved.insert(path).inserted else { return }
    do throws(PluginProblem) {
      add(try loadEntry(resolved: path), path: path, origin: candidate.origin)
    } catch {
      problems.append(error)
    }
  }

  mutating func add(
    _ table: UnsafeRawPointer, path: String?, origin: PluginSearch.Origin
  ) {
    let place = path ?? origin.rawValue
    func problem(_ fault: DescriptorFault) -> PluginProblem {
      PluginProblem(path: place, reason: .badDescriptor(part: fault.part, what: fault.what))
    }
    let reading: DescriptorReading
    do throws(DescriptorFault) {
      reading = try DescriptorReading(table, path: path, origin: origin)
    } catch {
      problems.append(problem(error))
      return
    }
    if let first = libraries.first(where: { $0.id == reading.library.id }) {
      problems.append(
        PluginProblem(
          path: place, reason: .shadowed(what: "plugin \(first.id)", by: first.location)))
      return
    }
    let (offered, faults) = reading.components()
    problems += faults.map(problem)
    guard !offered.isEmpty else { return }
    libraries.append(reading.library)
    for component in offered {
      if let first = components.first(where: {
        $0.kind == component.kind && $0.id == component.id
      }) {
        problems.append(
          PluginProblem(
            path: place,
            reason: .shadowed(
              what: "\(component.kind) \(component.id)", by: first.library.location)))
      } else {
        components.append(component)
      }
    }
  }
}
