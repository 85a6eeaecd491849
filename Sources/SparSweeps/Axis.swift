import SparPipeline

/// A setting that a sweep varies: its name, and its values under conditions.
public struct Axis: Equatable, Sendable {
  /// Values that hold where every condition does.
  public struct Branch: Equatable, Sendable {
    public var values: [String]
    public var when: [Condition]
  }
  public struct Condition: Equatable, Sendable {
    public var name: String
    public var values: [String]

    func holds(_ value: String?) -> Bool {
      guard let value else { return false }
      return values.contains { AxisValues.same($0, value) }
    }
  }

  /// Canonical, dotted.
  public var name: String
  public var branches: [Branch]
  public var place: String

  /// All values, in the order in which they are written.
  public var values: [String] {
    var seen: Set<String> = []
    return branches.flatMap(\.values).filter { seen.insert($0).inserted }
  }

  /// The canonical name of a setting in any spelling.
  static func name(_ key: String, place: String) throws(SweepError) -> String {
    guard let target = SettingTable.find(key) else {
      let nearest = SettingTable.nearest(to: key).map { "; did you mean \"\($0)\"?" } ?? ""
      throw .syntax(place: place, problem: "unknown setting \"\(key)\"\(nearest)")
    }
    if ["output_dir", "threads"].contains(target.name) {
      throw .syntax(place: place, problem: "\(target.name) changes no result and cannot be varied")
    }
    return target.name
  }
}

/// Settings that go together: each row is one alternative, an axis of several settings.
public struct SettingSets: Equatable, Sendable {
  public struct Row: Equatable, Sendable {
    public var values: [(name: String, values: [String])]

    public static func == (a: Row, b: Row) -> Bool {
      a.values.elementsEqual(b.values) { $0.name == $1.name && $0.values == $1.values }
    }
  }
  public var rows: [Row]
  public var place: String
}
