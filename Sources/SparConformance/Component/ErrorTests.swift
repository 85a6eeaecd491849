import CSparPlugin
import SparHost

/// What goes wrong must come back as a status with a text, and leave nothing behind.
let errorTests = [
  ConformanceTest(
    "errors.no-memory", .component,
    "When host->alloc gives nothing, calls return a status with a text and hold no memory.",
    cure: "test every result of host->alloc; free what create had so far before it returns"
  ) { subject in
    let opened = try subject.open()
    try opened.make().destroy()
    opened.host.failAllocation(nil)
    let whole = try opened.make()
    let inCreate = opened.host.allocations
    try opened.exercise(whole)
    let inAll = opened.host.allocations
    whole.destroy()
    guard inAll > 0 else { throw NotApplicable("never calls host->alloc") }
    for n in 0..<min(inCreate, 64) {
      let before = opened.host.held
      subject.doing("create while allocation \(n) fails")
      opened.host.failAllocation(n)
      let creation = try opened.create()
      opened.host.failAllocation(nil)
      try creation.outcome.requireText("create without memory")
      creation.instance?.destroy()
      let kept = opened.host.held - before
      try require(
        kept == 0,
        "create failed at allocation \(n) and keeps \(kept) bytes of those it had got")
    }
    for n in 0..<min(inAll - inCreate, 64) {
      let instance = try opened.make()
      opened.host.failAllocation(n)
      try opened.exercise(instance, demanding: false)
      opened.host.failAllocation(nil)
      subject.doing("working on after allocation \(n) had failed")
      try opened.exercise(instance)
      instance.destroy()
    }
    return "\(inCreate) allocations in create, \(inAll - inCreate) at work"
  },
  ConformanceTest(
    "errors.create-without-values", .component,
    "create without any option values returns a status with a text instead of crashing.",
    cure: "test n_values before you index values; a host of this ABI always passes them all",
    isAdvice: true
  ) { subject in
    let opened = try subject.open()
    guard !opened.component.options.isEmpty else { throw NotApplicable("it has no options") }
    subject.doing("create without values")
    let creation = opened.create(values: nil, arena: GuardedArena())
    try creation.outcome.requireText("create without values")
    return nil
  },
  ConformanceTest(
    "errors.create-with-nan", .component,
    "create with NaN for a number returns a status with a text, or works, and does not crash.",
    cure: "convert numbers to integers only after a test; a host of this ABI passes finite ones",
    isAdvice: true
  ) { subject in
    let opened = try subject.open()
    let options = opened.component.options
    guard options.contains(where: { $0.type == .float }) else {
      throw NotApplicable("it has no option that is a number")
    }
    try opened.make().destroy()
    let given = subject.options.filter { name, _ in
      options.contains { $0.name == canonicalOption(name) }
    }
    let arena = GuardedArena()
    var values = try opened.component.check(given)
      .map { $0.abi(text: arena.text($0.value.text)) }
    for (i, option) in options.enumerated() where option.type == .float { values[i].f = .nan }
    subject.doing("create with NaN")
    let creation = opened.create(values: values, arena: arena)
    try creation.outcome.requireText("create with NaN")
    return nil
  },
]
