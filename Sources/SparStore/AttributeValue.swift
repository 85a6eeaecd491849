/// The value of an HDF5 attribute.
public enum AttributeValue: Sendable, Equatable {
  case int(Int64)
  /// Stored as an unsigned 64-bit number, such as a seed.
  case unsigned(UInt64)
  case double(Double)
  case string(String)
  case ints([Int64])
  case doubles([Double])
  case strings([String])
  /// A type that Spar does not write, by name; it is listed and cannot be used.
  case other(String)
}

extension AttributeValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByStringLiteral
{
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
}

extension AttributeValue: CustomStringConvertible {
  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .ints(let values): "\(values)"
    case .doubles(let values): "\(values)"
    case .strings(let values): "\(values)"
    case .other(let type): "<\(type)>"
    }
  }
}
