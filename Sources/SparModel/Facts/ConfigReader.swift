import Foundation

/// Fields of a config.json of any architecture, also of one that `ModelConfig` does not know.
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

  func required(_ key: String) throws -> Int {
    guard let value = integer(key), value > 0 else {
      throw ModelError(
        .config(field: key, problem: "a positive integer is needed"), path: path)
    }
    return value
  }
}
