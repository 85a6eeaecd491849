import Foundation

extension JinjaValue {
  /// JSON text as a value, members in the order of the text.
  ///
  /// - Throws: `JinjaError`, for an integer beyond 64 bits, too, that tells the byte at which the text stops being JSON.
  public init(jsonText data: Data, name: String) throws(JinjaError) {
    do throws(JSONSyntaxError) {
      self.init(node: try JSONParser.parse(data, refusingLargeIntegers: true))
    } catch {
      throw JinjaError(
        template: name, line: 0, what: "not JSON: \(error.what) at byte \(error.offset)",
        cure: "give one whole JSON value")
    }
  }

  /// What JSONSerialization makes. Its dictionaries have no order, so their members come sorted;
  /// use `init(jsonText:name:)` where the order must survive. Anything else becomes its
  /// description.
  public init(json: Any) {
    switch json {
    case is NSNull: self = .none
    case let value as JinjaValue: self = value
    case let text as String: self = .string(text)
    case let number as NSNumber where !(json is Bool) && !(json is Int) && !(json is Double):
      self = .number(number.doubleValue)
    case let flag as Bool where Self.isBoolean(json): self = .boolean(flag)
    case let value as Int: self = .integer(value)
    case let value as Double: self = .number(value)
    case let elements as [Any]: self = .list(elements.map(JinjaValue.init(json:)))
    case let members as [String: Any]:
      var dictionary = JinjaDictionary()
      for (key, value) in members.sorted(by: { $0.key < $1.key }) {
        dictionary[key] = JinjaValue(json: value)
      }
      self = .dictionary(dictionary)
    default: self = .string(String(describing: json))
    }
  }

  /// NSNumber answers to Bool and Int alike; its type code tells them apart.
  private static func isBoolean(_ json: Any) -> Bool {
    if type(of: json) == Bool.self { return true }
    guard let number = json as? NSNumber else { return false }
    return String(cString: number.objCType) == "c" || String(cString: number.objCType) == "B"
  }
}
