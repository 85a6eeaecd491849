import Foundation

/// A Hugging Face model folder: `model.safetensors`, or `model.safetensors.index.json` and the
/// shards that its `weight_map` names.
public final class SafetensorsFolder: WeightSource {
  public let path: String
  public let entries: [WeightEntry]
  private let files: [String: SafetensorsFile]  // by tensor name

  private struct Index: Decodable {
    var weightMap: [String: String]

    enum CodingKeys: String, CodingKey {
      case weightMap = "weight_map"
    }
  }

  /// Opens every shard and checks that each tensor is where the index says, and nowhere else.
  public init(_ path: String) throws(WeightError) {
    self.path = path
    let single = path + "/model.safetensors"
    let index = single + ".index.json"
    // transformers reads the single file, others the index; one of them is stale, and to refuse is
    // safer than to guess.
    switch (Self.exists(single), Self.exists(index)) {
    case (true, true):
      throw WeightError(
        path,
        .unsupported("both model.safetensors and model.safetensors.index.json exist: remove one"))
    case (true, false):
      let file = try SafetensorsFile(single)
      entries = file.entries
      files = Dictionary(uniqueKeysWithValues: file.entries.map { ($0.name, file) })
    case (false, true):
      (entries, files) = try Self.openShards(folder: path, index: index)
    case (false, false):
      throw WeightError(
        path, .unsupported("no model.safetensors and no model.safetensors.index.json in it"))
    }
  }

  public func entry(_ name: String) -> WeightEntry? { files[name]?.entry(name) }

  public func read(
    _ name: String, into destination: UnsafeMutableBufferPointer<Float>
  ) throws {
    guard let file = files[name] else { throw absence(of: name) }
    try file.read(name, into: destination)
  }

  public func rawBytes(_ name: String) throws -> UnsafeRawBufferPointer {
    guard let file = files[name] else { throw absence(of: name) }
    return try file.rawBytes(name)
  }

  private static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  private static func openShards(
    folder: String, index: String
  ) throws(WeightError) -> ([WeightEntry], [String: SafetensorsFile]) {
    let map: [String: String]
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: index))
      map = try JSONDecoder().decode(Index.self, from: data).weightMap
    } catch {
      throw WeightError(index, .malformed("not a safetensors index: \(error)"))
    }
    var entries: [WeightEntry] = []
    var files: [String: SafetensorsFile] = [:]
    let shards = Set(map.values).sorted()
    let missing = shards.filter { !$0.contains("/") && !exists(folder + "/" + $0) }
    guard missing.isEmpty else {
      throw WeightError(folder, .missingShards(missing, of: shards.count))
    }
    for shard in shards {
      guard !shard.contains("/"), shard != ".." else {  // an index must not lead out of its folder
        throw WeightError(index, .malformed("shard name \(shard) leaves the folder"))
      }
      let file = try SafetensorsFile(folder + "/" + shard)
      for entry in file.entries {
        guard map[entry.name] == shard else {
          throw WeightError(
            index,
            .malformed(
              "\(shard) holds tensor \(entry.name), which the index places in "
                + (map[entry.name] ?? "no shard")))
        }
        entries.append(entry)
        files[entry.name] = file
      }
    }
    for (name, shard) in map.sorted(by: { $0.key < $1.key }) where files[name] == nil {
      throw WeightError(index, .malformed("tensor \(name) is not in \(shard)"))
    }
    return (entries, files)
  }
}
