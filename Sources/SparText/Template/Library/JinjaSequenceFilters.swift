/// Filters on lists, dictionaries and texts as sequences.
extension JinjaInterpreter {
  /// nil where `name` is none of them.
  func sequenceFilter(
    _ name: String, _ value: JinjaValue, _ given: JinjaCall
  ) throws -> JinjaValue? {
    switch name {
    case "length", "count":
      _ = try given.place("len", 0...0)
      return .integer(try length(value))
    case "items":
      _ = try given.bind("do_items")
      return try items(value)
    case "list":
      _ = try given.bind("sync_do_list")
      return try list(elements(value))
    case "first":
      _ = try given.bind("sync_do_first", implicit: 2)
      return try iterator(value).next() ?? .undefined("No first item, sequence was empty.")
    case "last":
      _ = try given.bind("do_last", implicit: 2)
      return try backwards(value).first ?? .undefined("No last item, sequence was empty.")
    case "join": return .string(try joined(value, given))
    case "reverse":
      _ = try given.bind("do_reverse")
      return try reversed(value)
    case "map": return try mapped(value, given)
    case "select", "reject": return try selected(value, given, keeps: name == "select")
    case "selectattr", "rejectattr":
      return try selectedByAttribute(value, given, keeps: name == "selectattr")
    case "unique": return try unique(value, given)
    case "sort": return try list(sorted(value, given))
    case "dictsort": return try list(dictionarySorted(value, given))
    case "min", "max": return try extreme(value, name, given)
    case "sum": return try sum(value, given)
    case "batch": return try batches(value, given)
    case "slice": return try slices(value, given)
    case "groupby": return try groups(value, given)
    default: return nil
    }
  }

  private func length(_ value: JinjaValue) throws -> Int {
    if case .reference(let reference) = value, reference.kind == .loop {
      return try loop(reference).count()
    }
    if let text = value.asText { try spend(bytes: text.utf8.count) }
    guard let count = value.count else {
      throw JinjaFault.type("object of type '\(typeName(value))' has no len()")
    }
    return count
  }

  private func items(_ value: JinjaValue) throws -> JinjaValue {
    switch value {
    case .undefined: return try generator { nil }
    case .dictionary(let members):
      try make(elements: 3 * members.count)
      let source = JinjaIterator(elements: members.items)
      return try generator { try source.next() }
    default:
      return try generator { throw JinjaFault.type("Can only get item pairs from a mapping.") }
    }
  }

  /// What `reversed(value)` walks over.
  private func backwards(_ value: JinjaValue) throws -> [JinjaValue] {
    guard value.count != nil else {
      throw JinjaFault.type("'\(typeName(value))' object is not reversible")
    }
    return try elements(value).reversed()
  }

  private func reversed(_ value: JinjaValue) throws -> JinjaValue {
    if let text = value.asText {
      try make(bytes: text.utf8.count)
      let reversed = String(String.UnicodeScalarView(text.unicodeScalars.reversed()))
      if case .markup = value { return .markup(reversed) }
      return .string(reversed)
    }
    let typeName: String
    switch value {
    case .list: typeName = "list_reverseiterator"
    case .tuple: typeName = "reversed"
    case .dictionary, .view(_, .keys): typeName = "dict_reversekeyiterator"
    case .view(_, .values): typeName = "dict_reversevalueiterator"
    case .view(_, .items): typeName = "dict_reverseitemiterator"
    case .range: typeName = "range_iterator"
    case .undefined: typeName = "reversed"
    default:
      guard try iterator(value, orNil: true) != nil else {
        throw JinjaFault.type("argument must be iterable")
      }
      return try list(elements(value).reversed())
    }
    let source = JinjaIterator(elements: try backwards(value))
    return try generator(typeName) { try source.next() }
  }

  // MARK: Attributes

  /// The parts of "a.b.0".
  private func path(_ value: JinjaValue?) -> [JinjaValue] {
    guard let value, !value.isNone else { return [] }
    guard let text = value.asText else { return [value] }
    return text.split(separator: ".", omittingEmptySubsequences: false).map { part in
      PythonCase.holds("isdigit", String(part))
        ? Int(part).map(JinjaValue.integer) ?? .string(String(part)) : .string(String(part))
    }
  }

  private func member(
    _ item: JinjaValue, _ path: [JinjaValue], default fallback: JinjaValue? = nil
  ) throws -> JinjaValue {
    var value = item
    for part in path {
      value = try self.item(of: value, part)
      if value.isUndefined, let fallback, !fallback.isNone { value = fallback }
    }
    return value
  }

  private func folded(_ value: JinjaValue, exactCase: Bool) throws -> JinjaValue {
    guard !exactCase, let text = value.asText else { return value }
    try make(bytes: text.utf8.count)
    return .string(PythonCase.lower(text))
  }

  // MARK: One after the other

  private func joined(_ value: JinjaValue, _ given: JinjaCall) throws -> String {
    let options = try given.bind("sync_do_join", optional: ["d", "attribute"], implicit: 2)
    let path = path(options[1])
    let separator = try text(options[0] ?? .string(""))
    var out = ""
    var isFirst = true
    let source = try iterator(value)
    while let item = try source.next() {
      if !isFirst { out += separator }
      isFirst = false
      out += try text(member(item, path))
      try spend(bytes: separator.utf8.count)
      guard out.utf8.count <= limits.outputBytes else { break }
    }
    try make(bytes: out.utf8.count)
    return out
  }

  /// A generator that is set up when it is first asked, as Python's generator functions are.
  private func lazily(
    _ value: JinjaValue, _ setUp: @escaping () throws -> (JinjaValue) throws -> JinjaValue?
  ) throws -> JinjaValue {
    var source: JinjaIterator?
    var function: ((JinjaValue) throws -> JinjaValue?)?
    return try generator { [unowned self] in
      guard value.isTrue else { return nil }
      if function == nil {
        function = try setUp()
        source = try iterator(value)
      }
      while let item = try source?.next() {
        try spend()
        if let result = try function?(item) { return result }
      }
      return nil
    }
  }

  private func mapped(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    try lazily(value) { [unowned self] in
      if given.positional.isEmpty,
        let attribute = given.named.first(where: { $0.name == "attribute" })
      {
        let fallback = given.named.first { $0.name == "default" }?.value
        if let other = given.named.first(where: { $0.name != "attribute" && $0.name != "default" })
        {
          throw JinjaFault.type(
            "Unexpected keyword argument \(JinjaText.quoted(other.name))")
        }
        let path = path(attribute.value)
        return { try self.member($0, path, default: fallback) }
      }
      guard let first = given.positional.first else {
        throw JinjaFault.type("map requires a filter argument")
      }
      let name = try text(first)
      let rest = given.dropFirst()
      return { item in try self.deeper { try self.filter(name, item, rest) } }
    }
  }

  private func selected(
    _ value: JinjaValue, _ given: JinjaCall, keeps: Bool
  ) throws -> JinjaValue {
    try lazily(value) { [unowned self] in
      { item in try self.passes(item, given) == keeps ? item : nil }
    }
  }

  private func selectedByAttribute(
    _ value: JinjaValue, _ given: JinjaCall, keeps: Bool
  ) throws -> JinjaValue {
    try lazily(value) { [unowned self] in
      guard let attribute = given.positional.first else {
        throw JinjaFault.type("Missing parameter for attribute name")
      }
      let path = path(attribute)
      let rest = given.dropFirst()
      return { item in
        try self.passes(self.member(item, path), rest) == keeps ? item : nil
      }
    }
  }

  /// The test named first in the call, or truth.
  private func passes(_ value: JinjaValue, _ given: JinjaCall) throws -> Bool {
    guard let name = given.positional.first else { return value.isTrue }
    return try test(text(name), value, given.dropFirst())
  }

  private func unique(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind(
      "sync_do_unique", optional: ["case_sensitive", "attribute"], implicit: 2)
    let (exactCase, path) = (options[0]?.isTrue ?? false, path(options[1]))
    var seen: Set<JinjaKey> = []
    var source: JinjaIterator?
    return try generator { [unowned self] in
      let items = try source ?? iterator(value)
      source = items
      while let item = try items.next() {
        try make(elements: 1)
        let key = try key(folded(member(item, path), exactCase: exactCase))
        if seen.insert(key).inserted { return item }
      }
      return nil
    }
  }

  // MARK: Order

  private func ordered(
    _ items: [JinjaValue], isReverse: Bool, _ key: (JinjaValue) throws -> JinjaValue
  ) throws -> [JinjaValue] {
    var keyed = try items.map { (key: try key($0), item: $0) }
    // Python reverses before and after, so that equal items keep their order.
    if isReverse { keyed.reverse() }
    let sorted = try PythonSort.sorted(keyed) { try isOrdered($0.key, "<", $1.key) }
    return isReverse ? sorted.reversed().map(\.item) : sorted.map(\.item)
  }

  private func sorted(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    let options = try given.bind(
      "do_sort", optional: ["reverse", "case_sensitive", "attribute"], implicit: 2)
    let exactCase = options[1]?.isTrue ?? false
    var paths = [path(options[2])]
    if let text = options[2]?.asText {
      paths = text.split(separator: ",", omittingEmptySubsequences: false).map {
        path(.string(String($0)))
      }
    }
    return try ordered(elements(value), isReverse: options[0]?.isTrue ?? false) { item in
      .list(try paths.map { try folded(member(item, $0), exactCase: exactCase) })
    }
  }

  private func dictionarySorted(_ value: JinjaValue, _ given: JinjaCall) throws -> [JinjaValue] {
    let options = try given.bind("do_dictsort", optional: ["case_sensitive", "by", "reverse"])
    let by = options[1].map { $0.asText ?? "" } ?? "key"
    guard by == "key" || by == "value" else {
      throw JinjaFault.type("You can only sort by either \"key\" or \"value\"")
    }
    if case .undefined(let why) = value { throw JinjaFault.undefined(why) }
    guard case .dictionary(let members) = value else {
      throw JinjaFault.type("'\(typeName(value))' object has no attribute 'items'")
    }
    try make(elements: 3 * members.count)
    let exactCase = options[0]?.isTrue ?? false
    return try ordered(members.items, isReverse: options[2]?.isTrue ?? false) { pair in
      guard case .tuple(let pair) = pair else { return pair }
      return try folded(pair.elements[by == "key" ? 0 : 1], exactCase: exactCase)
    }
  }

  private func extreme(
    _ value: JinjaValue, _ name: String, _ given: JinjaCall
  ) throws -> JinjaValue {
    let options = try given.bind(
      "do_\(name)", optional: ["case_sensitive", "attribute"], implicit: 2)
    let (exactCase, path) = (options[0]?.isTrue ?? false, path(options[1]))
    let source = try iterator(value)
    var best: (key: JinjaValue, item: JinjaValue)?
    while let item = try source.next() {
      let key = try folded(member(item, path), exactCase: exactCase)
      if let found = best, try !isOrdered(key, name == "min" ? "<" : ">", found.key) { continue }
      best = (key, item)
    }
    return best?.item ?? .undefined("No aggregated item, sequence was empty.")
  }

  private func sum(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind("sync_do_sum", optional: ["attribute", "start"], implicit: 2)
    let path = path(options[0])
    var total = options[1] ?? .integer(0)
    let source = try iterator(value)
    guard total.asText == nil else {
      throw JinjaFault.type("sum() can't sum strings [use ''.join(seq) instead]")
    }
    while let item = try source.next() { total = try combine(total, "+", member(item, path)) }
    return total
  }

  // MARK: Rows

  private func batches(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind("do_batch", required: ["linecount"], optional: ["fill_with"])
    guard let count = options[0]?.asInteger, count > 0 else {
      throw JinjaFault(
        "batch(\(try representation(options[0] ?? .none))) is not supported in chat templates",
        cure: "give the length of a row, 1 or more")
    }
    let filler = options[1] ?? .none
    var source: JinjaIterator?
    return try generator { [unowned self] in
      let items = try source ?? iterator(value)
      source = items
      var row: [JinjaValue] = []
      while row.count < count, let item = try items.next() {
        try make(elements: 1)
        row.append(item)
      }
      guard !row.isEmpty else { return nil }
      if !filler.isNone, row.count < count {
        try make(elements: count)
        row += Array(repeating: filler, count: count - row.count)
      }
      return try list(row)
    }
  }

  private func slices(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind("sync_do_slice", required: ["slices"], optional: ["fill_with"])
    let given = options[0] ?? .none
    let filler = options[1] ?? .none
    var items: [JinjaValue]?
    var (place, number) = (0, 0)
    return try generator { [unowned self] in
      guard let count = given.asInteger else {
        throw combineFault(given)
      }
      let all = try items ?? elements(value)
      items = all
      guard count != 0 else { throw JinjaFault.type("integer division or modulo by zero") }
      guard number < count else { return nil }
      let isLonger = number < all.count % count
      let end = place + all.count / count + (isLonger ? 1 : 0)
      var row = Array(all[place..<end])
      try make(elements: row.count + 1)
      if !filler.isNone, !isLonger { row.append(filler) }
      place = end
      number += 1
      return try list(row)
    }
  }

  private func combineFault(_ value: JinjaValue) -> JinjaFault {
    .type("unsupported operand type(s) for //: 'int' and '\(typeName(value))'")
  }

  private func groups(_ value: JinjaValue, _ given: JinjaCall) throws -> JinjaValue {
    let options = try given.bind(
      "sync_do_groupby", required: ["attribute"], optional: ["default", "case_sensitive"],
      implicit: 2)
    let path = path(options[0])
    let exactCase = options[2]?.isTrue ?? false
    func found(_ item: JinjaValue) throws -> JinjaValue {
      try member(item, path, default: options[1])
    }
    let items = try ordered(elements(value), isReverse: false) {
      try folded(found($0), exactCase: exactCase)
    }
    var groups: [(key: JinjaValue, folded: JinjaValue, items: [JinjaValue])] = []
    for item in items {
      let key = try found(item)
      let folded = try folded(key, exactCase: exactCase)
      if let last = groups.last, try equal(last.folded, folded) {
        groups[groups.count - 1].items.append(item)
      } else {
        groups.append((key, folded, [item]))
      }
    }
    return try list(
      groups.map { group in
        var pair = JinjaList([group.key, try list(group.items)])
        pair.isGroup = true
        return .tuple(pair)
      })
  }
}
