import Foundation
import SparModel
import SparStore

/// Identity of a model's files, without reading weights into memory.
///
/// A folder's digest covers what a model is read from: configuration, tokenizer, template, weights.
public enum ModelIdentity {
  /// SHA-256 over the files that a model argument names.
  public static func digest(_ argument: String) throws -> String {
    switch try ModelLocation.resolve(argument) {
    case .gguf(let file), .checkpoint(let file): return try fileDigest(file)
    case .huggingFace(let folder):
      var key = StageKey()
      for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      where isRead(name) {
        key[name] = try fileDigest(folder + "/" + name)
      }
      return key.digest
    }
  }

  private static func isRead(_ name: String) -> Bool {
    [".safetensors", ".json", ".jinja"].contains { name.hasSuffix($0) }
  }
}
