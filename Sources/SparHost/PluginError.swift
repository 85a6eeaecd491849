/// Why a component could not be used.
public enum PluginError: Error, Equatable, Sendable {
  /// `kind` is nil where one of any kind was asked for.
  case unknownComponent(
    kind: PluginKind?, id: String, known: [String], nearest: String?, problems: [PluginProblem])
  case unknownOption(component: String, name: String, known: [String], nearest: String?)
  case optionTwice(component: String, name: String)
  case missingOption(component: String, schema: OptionSchema)
  case badOption(component: String, OptionError)
  /// The component's own probe says that it cannot work here.
  case unusable(component: String, library: String, why: String?)
  /// A function of the plugin returned an error status.
  case failed(component: String, library: String, doing: String, status: Int32, text: String?)
  /// The component needs an input that the caller does not have, such as `win_prob`.
  case missingInput(component: String, input: String)
  /// A result that breaks the contract: "pairwise[0][2] of query 3", "is nan".
  case badResult(component: String, library: String, entry: String, what: String)
}
