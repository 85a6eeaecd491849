import Foundation
import SparText
import Testing

@testable import SparRankerTraining

@Suite("Kept states") struct StatesFileTests {
  private func data(_ words: [String]) throws -> RankerData {
    var data = RankerData()
    let encoder = RankerEncoder(try tinyLanguageModel(), maxLength: 200)
    for (chosen, rejected) in zip(words, words.dropFirst()) {
      _ = try encoder.add(
        prompt: [ChatMessage(role: "user", content: "which?")], chosen: chosen,
        rejected: rejected, place: "test", to: &data)
    }
    return data
  }

  private func features(
    _ data: RankerData, _ kept: StatesFile?
  ) throws -> (features: RankerFeatures, read: Int) {
    var read = 0
    let features = try RankerFeatures(
      data, under: tinyLanguageModel(), gate: true, tokensPerPass: 40, kept: kept,
      progress: { read = Int($0.total) }, isCancelled: { false })
    return (features, read)
  }

  @Test("kept states are the computed ones, to the bit; only what is missing is read")
  func kept() throws {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    let path = folder.path + "/states"
    let (few, all) = (
      try data(["one", "two", "three"]), try data(["one", "two", "three", "four"])
    )
    do {
      let file = try StatesFile(path, model: try tinyLanguageModel())
      #expect(try features(few, file).read == 3)
      // While it is open nobody else writes it.
      #expect(throws: RankerTrainingError.self) {
        try StatesFile(path, model: try tinyLanguageModel())
      }
    }
    // A write that was cut short.
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("half a record".utf8))
    try handle.close()
    let fresh = try features(all, nil).features
    for expected in [1, 0] {
      let file = try StatesFile(path, model: try tinyLanguageModel())
      let found = try features(all, file)
      #expect(found.read == expected)
      #expect(found.features.last == fresh.last && found.features.turnEnd == fresh.turnEnd)
    }
  }

  @Test("states of another model, and a file of something else, are refused")
  func foreign() throws {
    let folder = TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder.path, withIntermediateDirectories: true)
    let path = folder.path + "/states"
    do { _ = try StatesFile(path, model: try tinyLanguageModel()) }
    #expect(throws: RankerTrainingError.self) {
      try StatesFile(path, model: try tinyLanguageModel(seed: 6))
    }
    try Data("a letter".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: RankerTrainingError.self) {
      try StatesFile(path, model: try tinyLanguageModel())
    }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "a letter")
  }
}
