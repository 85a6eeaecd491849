import Foundation

/// Under what licence a model is: the words of its maker.
public enum ModelLicense {
  /// From a checkpoint's attribute, `general.license` of a GGUF file, the front matter of
  /// README.md, or the first line of a LICENSE file; nil where nothing is said.
  public static func identifier(of files: ModelFiles) throws -> String? {
    if let gguf = files.weights as? GGUFLlamaSource {
      if let stated = try gguf.file.string("general.license") { return stated }
    }
    if let stored = files.weights as? HDF5WeightSource,
      case .string(let stated)? = stored.checkpoint.header.attributes["license"]
    {
      return stated
    }
    guard files.weights is SafetensorsFolder else {
      return KnownModel.all.first { $0.path == files.path }?.license
    }
    if let card = try text(files.path + "/README.md"), let stated = frontMatter(card, "license") {
      return stated
    }
    for name in ["LICENSE", "LICENSE.txt", "LICENSE.md"] {
      guard let full = try text(files.path + "/" + name) else { continue }
      let lines = full.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      if let first = lines.first(where: { !$0.isEmpty }) { return String(first.prefix(80)) }
    }
    return nil
  }

  /// The value of a top-level key between the `---` lines that begin a model card.
  static func frontMatter(_ card: String, _ key: String) -> String? {
    let lines = card.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first?.trimmingCharacters(in: .whitespaces) == "---" else { return nil }
    for line in lines.dropFirst() {
      if line.trimmingCharacters(in: .whitespaces) == "---" { return nil }
      guard line.hasPrefix(key + ":") else { continue }
      let value = line.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces)
      let bare = value.trimmingCharacters(in: CharacterSet(charactersIn: "\"'"))
      return bare.isEmpty ? nil : bare
    }
    return nil
  }

  private static func text(_ path: String) throws -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
}
