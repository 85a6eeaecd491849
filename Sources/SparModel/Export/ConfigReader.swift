import Foundation

/// Fields of a config.json, by the spelling of transformers 5 (`rope_parameters`) or before.
struct ConfigReader {
  private let object: [String: Any]
  private let path: String

  init(_ data: Data, path: String) throws {
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw ModelError(.config(field: "(all)", problem: "is not a JSON object"), path: path)
    }
    self.object = object
    self.path = path
  }

  func string(_ key: String) -> String? { object[key] as? String }
  func strings(_ key: String) -> [String] { object[key] as? [String] ?? [] }
  func flag(_ key: String) -> Bool? { object[key] as? Bool }
  func integer(_ key: String) -> Int? { (object[key] as? NSNumber)?.intValue }
  func number(_ key: String) -> Double? { (object[key] as? NSNumber)?.doubleValue }

  func required(_ key: String) throws -> Int {
    guard let value = integer(key), value > 0 else {
      throw ModelError(
        .config(field: key, problem: "a positive integer is needed"), path: path)
    }
    return value
  }

  private var scaling: [String: Any] {
    object["rope_parameters"] as? [String: Any] ?? object["rope_scaling"] as? [String: Any] ?? [:]
  }

  func rope(_ key: String) -> Double? { scaling(key) ?? number(key) }
  func scaling(_ key: String) -> Double? { (scaling[key] as? NSNumber)?.doubleValue }
  func scalingString(_ key: String) -> String? { scaling[key] as? String }
  func scalingNumbers(_ key: String) -> [Double]? {
    (scaling[key] as? [Any])?.compactMap { ($0 as? NSNumber)?.doubleValue }
  }
}
