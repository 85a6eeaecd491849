import SparModel
import SparStore
import Testing

@Suite("Stage files") struct StageFileTests {
  @Test("candidates come back as they were")
  func candidates() throws {
    let folder = try TemporaryFolder()
    let table = StageFixtures.candidates
    try CandidatesFile.write(
      to: folder["c.h5"], table, attributes: StageFixtures.candidateAttributes)
    let (read, attributes) = try CandidatesFile.read(folder["c.h5"])
    #expect(read == table)
    for (name, value) in StageFixtures.candidateAttributes { #expect(attributes[name] == value) }
    #expect(attributes["K"] == 2)
    #expect(read.rows[1].answers[1].sumLogp == -7)
    #expect(try folder.names() == ["c.h5"])
  }

  @Test("long candidate lists are compressed and come back")
  func manyCandidates() throws {
    let folder = try TemporaryFolder()
    let answer = CandidateAnswer(
      ids: (0..<700).map { Int32($0 % 50) }, logps: (0..<700).map { Float($0 % 7) * -0.1 },
      finish: .length, text: "t")
    let table = CandidateTable(
      K: 2,
      rows: (0..<50).map {
        CandidateGroup(
          promptIndex: $0, promptID: "\($0)", messages: [], promptIDs: [1],
          answers: [answer, answer])
      })
    try CandidatesFile.write(to: folder["c.h5"], table)
    #expect(try CandidatesFile.read(folder["c.h5"]).table == table)
    #expect(try HDF5Outline(folder["c.h5"]).node(at: "answer/ids")?.dataset?.isCompressed == true)
  }

  @Test("U+0000 in an answer's text is replaced, its ids are kept")
  func nul() throws {
    let folder = try TemporaryFolder()
    var table = StageFixtures.candidates
    table.rows[0].answers[0].text = "a\0b"
    try CandidatesFile.write(to: folder["c.h5"], table)
    let read = try CandidatesFile.read(folder["c.h5"]).table
    #expect(read.rows[0].answers[0].text == "a\u{FFFD}b")
    #expect(read.rows[0].answers[0].ids == table.rows[0].answers[0].ids)
  }

  @Test("no prompts at all is a table too")
  func emptyTables() throws {
    let folder = try TemporaryFolder()
    let none = CandidateTable(K: 3, rows: [])
    try CandidatesFile.write(to: folder["c.h5"], none)
    #expect(try CandidatesFile.read(folder["c.h5"]).table == none)
  }

  @Test("tables that contradict themselves are not written")
  func contradictions() throws {
    let folder = try TemporaryFolder()
    var table = StageFixtures.candidates
    table.rows[0].answers.removeLast()
    #expect(
      message { try CandidatesFile.write(to: folder["c.h5"], table) }.contains("1 answers, K is 2"))
    table = StageFixtures.candidates
    table.rows[0].answers[0].logps.removeLast()
    #expect(
      message { try CandidatesFile.write(to: folder["c.h5"], table) }.contains("2 ids and 1 log"))
    var preferences = StageFixtures.preferences
    preferences.raw.removeLast()
    #expect(
      message { try PreferencesFile.write(to: folder["p.h5"], preferences) }
        .contains("raw has 7 values; 2 prompts with K = 2 need 8"))
    preferences = StageFixtures.preferences
    preferences.rejected[0] = 0
    #expect(
      message { try PreferencesFile.write(to: folder["p.h5"], preferences) }
        .contains("chosen 0 and rejected 0"))
    #expect(try folder.names() == [])
  }

  @Test("preferences come back as they were, with the counts of each status")
  func preferences() throws {
    let folder = try TemporaryFolder()
    try PreferencesFile.write(
      to: folder["p.h5"], StageFixtures.preferences, attributes: ["ranker": "length"])
    let (read, attributes) = try PreferencesFile.read(folder["p.h5"])
    #expect(read == StageFixtures.preferences)
    #expect(attributes["ranker"] == "length")
    #expect(attributes["count_kept"] == 1)
    #expect(attributes["count_tie"] == 1)
    #expect(attributes["count_empty"] == 0)
  }

  @Test("a checkpoint comes back: header, parameters, optimizer, blobs")
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    try StageFixtures.writeCheckpoint(to: folder["s.h5"])
    let file = try CheckpointFile(folder["s.h5"])
    #expect(file.header == StageFixtures.header)
    #expect(try file.parameterNames() == ["model.b.weight", "model.a.weight", "scale"])
    #expect(try file.shape(ofParameter: "model.b.weight") == [2, 3])
    #expect(try file.optimizerStates() == ["m", "v"])
    #expect(try file.optimizerNames(of: "v").count == 3)
    var values = [Float](repeating: 0, count: 6)
    try values.withUnsafeMutableBufferPointer {
      try file.readParameter("model.b.weight", into: $0)
    }
    #expect(values == [0, 1, 2, 3, 4, 5])
    try values.withUnsafeMutableBufferPointer {
      try file.readOptimizer("v", "model.b.weight", into: $0)
    }
    #expect(values == [Float](repeating: 2, count: 6))
    #expect(try file.blob("rng") == [1, 2, 255])
    #expect(message { _ = try file.shape(ofParameter: "x") }.contains("no dataset parameters/x"))
  }

  @Test("the parameters of a checkpoint are a weight source")
  func weightSource() throws {
    let folder = try TemporaryFolder()
    try StageFixtures.writeCheckpoint(to: folder["s.h5"])
    let source = try HDF5WeightSource(path: folder["s.h5"])
    #expect(source.entries.map(\.name) == ["model.b.weight", "model.a.weight", "scale"])
    #expect(source.entry("model.a.weight")?.shape == [4])
    #expect(try source.floats("model.a.weight") == [0, 1, 2, 3])
    #expect(try Array(source.rawBytes("scale").bindMemory(to: Float.self)) == [0])
    #expect(message { _ = try source.floats("a.weight") }.contains("nearest: model.a.weight"))
  }

  @Test("the outline lists what is there")
  func outline() throws {
    let folder = try TemporaryFolder()
    try CandidatesFile.write(to: folder["c.h5"], StageFixtures.candidates)
    let outline = try HDF5Outline(folder["c.h5"])
    let ids = outline.node(at: "answer/ids")?.dataset
    #expect(ids?.type == "i32")
    #expect(ids?.shape == [6])
    #expect(outline.root.attributes["schema"] == "spar.candidates")
    #expect(outline.node(at: "answer/none") == nil)
    #expect(outline.text.contains("@schema = \"spar.candidates\""))
    #expect(outline.text.contains("    finish  i8 [2, 2]  4 bytes"))
  }

  @Test("another schema or version is refused, naming both")
  func schemas() throws {
    let folder = try TemporaryFolder()
    try PreferencesFile.write(to: folder["p.h5"], StageFixtures.preferences)
    let wrong = message { _ = try CandidatesFile.read(folder["p.h5"]) }
    #expect(
      wrong.contains(
        "found spar.preferences version 1, this build reads spar.candidates version 1"))
    try H5File.write(to: folder["v.h5"]) { file in
      try file.setAttribute("schema", "spar.checkpoint")
      try file.setAttribute("schema_version", 9)
    }
    #expect(
      message { _ = try CheckpointFile(folder["v.h5"]) }.contains("spar.checkpoint version 9"))
    try H5File.write(to: folder["n.h5"]) { try $0.write("x", [Float(1)]) }
    #expect(
      message { _ = try PreferencesFile.read(folder["n.h5"]) }.contains("no schema attribute"))
  }
}
