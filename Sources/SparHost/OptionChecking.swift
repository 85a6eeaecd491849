/// An option of a component with the value it will be created with.
public struct CheckedOption: Sendable, Equatable {
  public var schema: OptionSchema
  public var value: OptionValue
  /// false: the default.
  public var given: Bool
}

extension PluginComponent {
  /// The component's options in the order of its schema, defaults filled in.
  ///
  /// `_` and `-` in names are alike.  Throws for a name that this component does not have, for a
  /// missing required option and for a value that its schema does not admit.
  public func check(_ given: [String: String]) throws(PluginError) -> [CheckedOption] {
    var texts: [String: String] = [:]
    let known = options.map(\.name)
    for (name, text) in given.sorted(by: { $0.key < $1.key }) {
      let canonicalName = canonical(name)
      guard known.contains(canonicalName) else {
        throw .unknownOption(
          component: id, name: name, known: known, nearest: nearest(to: name, among: known))
      }
      guard texts.updateValue(text, forKey: canonicalName) == nil else {
        throw .optionTwice(component: id, name: canonicalName)
      }
    }
    var checked: [CheckedOption] = []
    for schema in options {
      guard let text = texts[schema.name] ?? schema.defaultText else {
        throw .missingOption(component: id, schema: schema)
      }
      do throws(OptionError) {
        checked.append(
          CheckedOption(
            schema: schema, value: try schema.parse(text), given: texts[schema.name] != nil))
      } catch {
        throw .badOption(component: id, error)
      }
    }
    return checked
  }
}
