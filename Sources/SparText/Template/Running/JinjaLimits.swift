/// Limits that keep a template from running, writing or growing for ever. Exceeding one is an
/// error that names it.
public struct JinjaLimits: Equatable, Sendable {
  /// One for each expression, statement and turn of a loop, and one for each 64 bytes that an
  /// operation on text or lists copies. Ten thousand messages need about two million.
  public var steps = 50_000_000
  /// Bytes of text: what is rendered, and any one text on the way.
  public var outputBytes = 64 << 20
  /// Bytes of all texts and lists that the template makes, those it drops again included.
  public var memoryBytes = 1 << 30
  /// Nested evaluations, macros calling macros included.
  public var depth = 1000
  /// Levels of lists in lists.
  public var nesting = 200

  public init() {}
}
