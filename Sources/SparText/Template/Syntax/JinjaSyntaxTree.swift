/// An expression of a template. Chains of one precedence are flat, so that their length costs no
/// stack.
indirect enum JinjaExpression: Sendable {
  case literal(JinjaValue)
  case name(String)
  case list([JinjaExpression])
  case tuple([JinjaExpression])
  case dictionary([(key: JinjaExpression, value: JinjaExpression)])
  case attribute(JinjaExpression, String)
  case item(JinjaExpression, JinjaExpression)
  case slice(JinjaExpression, JinjaSlice)
  case call(JinjaExpression, JinjaArguments)
  case filter(JinjaExpression, String, JinjaArguments)
  case test(JinjaExpression, String, JinjaArguments, negated: Bool)
  case negative(JinjaExpression)
  case positive(JinjaExpression)
  case not(JinjaExpression)
  case all([JinjaExpression])
  case any([JinjaExpression])
  case comparison(JinjaExpression, [JinjaOperation])
  case arithmetic(JinjaExpression, [JinjaOperation])
  case concatenation([JinjaExpression])
  case conditional(
    then: JinjaExpression, when: JinjaExpression, otherwise: JinjaExpression?, line: Int)
}

struct JinjaOperation: Sendable {
  /// "+", "==", "in", "not in", …
  var symbol: String
  var right: JinjaExpression
}

struct JinjaSlice: Sendable {
  var start: JinjaExpression?
  var stop: JinjaExpression?
  var step: JinjaExpression?
}

struct JinjaArguments: Sendable {
  var positional: [JinjaExpression] = []
  var named: [(name: String, value: JinjaExpression)] = []
  /// `*values`
  var more: JinjaExpression?
  /// `**members`
  var moreNamed: JinjaExpression?
}

/// What an assignment or a loop binds.
indirect enum JinjaTarget: Sendable {
  case name(String)
  /// `ns.x`
  case attribute(String, String)
  case tuple([JinjaTarget])
}

/// Statements with names of their own.
struct JinjaFrame: Sendable {
  var body: [JinjaStatement]
  /// What the names hold when the frame is entered; found by `JinjaScoping`.
  var names: [JinjaName] = []
}

/// A name of a frame and its first value.
struct JinjaName: Equatable, Sendable {
  enum Origin: Sendable {
    /// What an outer frame holds under the name.
    case outer
    /// A variable of the rendering or a global function.
    case variable
    /// Nothing, until it is set.
    case nothing
    /// Set by what enters the frame: a loop's target, a macro's parameter.
    case parameter
  }
  var name: String
  var origin: Origin
}

struct JinjaMacro: Sendable {
  /// nil for the body of a call block.
  var name: String?
  var parameters: [(name: String, fallback: JinjaExpression?)]
  var frame: JinjaFrame
  var usesCaller = false
  var usesPositional = false
  var usesNamed = false
}

struct JinjaLoop: Sendable {
  var target: JinjaTarget
  var iterable: JinjaExpression
  var condition: JinjaExpression?
  var isRecursive: Bool
  var frame: JinjaFrame
  var otherwise: JinjaFrame
  /// Names of the condition, whose scope is not that of the body.
  var conditionNames: [JinjaName] = []
  /// The body speaks of `loop`.
  var usesLoop = false
}

/// A statement and the line it begins on.
struct JinjaStatement: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    case output(JinjaExpression)
    case branch([(condition: JinjaExpression, body: [JinjaStatement])], otherwise: [JinjaStatement])
    case loop(JinjaLoop)
    case set(JinjaTarget, JinjaExpression)
    /// `{% set x %}…{% endset %}`, with the filters of its head.
    case capture(JinjaTarget, [JinjaFilterStep], JinjaFrame)
    case macro(JinjaMacro)
    /// `{% call(x) f(y) %}…{% endcall %}`
    case callBlock(JinjaMacro, JinjaExpression)
    case filterBlock([JinjaFilterStep], JinjaFrame)
    case with([(target: JinjaTarget, value: JinjaExpression)], JinjaFrame)
    /// `{% generation %}`: transformers marks the assistant's text with it; the text is unchanged.
    case generation(JinjaMacro)
    case breakLoop
    case continueLoop
  }
  var kind: Kind
  var line: Int
}

struct JinjaFilterStep: Sendable {
  var name: String
  var arguments: JinjaArguments
}
