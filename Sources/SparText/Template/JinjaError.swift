/// What stopped a chat template, where, and what to do about it.
public struct JinjaError: Error, Equatable, Sendable {
  /// The template's name.
  public var template: String
  /// Counted from 1; 0 where no line is to blame.
  public var line: Int
  /// What happened, in the words Python's jinja2 uses; for `raise_exception` its argument alone.
  public var what: String
  public var cure: String

  public init(template: String, line: Int, what: String, cure: String) {
    self.template = template
    self.line = line
    self.what = what
    self.cure = cure
  }
}

extension JinjaError: CustomStringConvertible {
  public var description: String {
    let place = line > 0 ? "\(template):\(line)" : template
    return cure.isEmpty ? "\(place): \(what)" : "\(place): \(what) (hint: \(cure))"
  }
}

/// An error inside the interpreter, before the place is known.
struct JinjaFault: Error {
  var what: String
  var cure: String

  init(_ what: String, cure: String = "") {
    self.what = what
    self.cure = cure
  }

  static func type(_ what: String) -> JinjaFault {
    JinjaFault(what, cure: "the template expects values of another type than it was given")
  }

  static func undefined(_ what: String) -> JinjaFault {
    JinjaFault(what, cure: "pass this variable, or a message that has this field")
  }
}
