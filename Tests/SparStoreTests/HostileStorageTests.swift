import Foundation
import SparModel
import SparStore
import Testing

@Suite("Hostile storage") struct HostileStorageTests {
  @Test("a truncated or foreign HDF5 file is refused")
  func truncated() throws {
    let folder = try TemporaryFolder()
    try StageFixtures.writeCheckpoint(to: folder["s.h5"])
    let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: folder["s.h5"])))
    for end in [0, 4, 100, 1000, bytes.count / 2, bytes.count - 1] {
      let path = try folder.write("t.h5", Array(bytes[..<end]))
      #expect(throws: StoreError.self, "\(end)") { _ = try CheckpointFile(path) }
    }
    let path = try folder.write("t.h5", Array(bytes.dropLast(10)))
    let text = message { _ = try CheckpointFile(path) }
    #expect(text.hasPrefix("reading the checkpoint \(path): HDF5 refused"))
    #expect(text.contains("truncated file"))
    let foreign = try folder.write("f.h5", Array(repeating: 65, count: 4096))
    #expect(message { _ = try CheckpointFile(foreign) }.contains("not an HDF5 file"))
    #expect(message { _ = try CheckpointFile(folder["none.h5"]) }.contains("No such file"))
  }

  @Test("a shape that no file of this size can hold is refused before memory is asked for")
  func impossibleShapes() throws {
    let folder = try TemporaryFolder()
    try H5File.write(to: folder["s.h5"]) { file in
      let layout = H5Layout(chunkRows: 1 << 20, growable: true)
      _ = try file.createDataset("parameters/x", .f32, shape: [1 << 50], layout: layout)
      try file.setAttribute("schema", "spar.checkpoint")
      try file.setAttribute("schema_version", 1)
      try file.setAttribute("step", 0)
      try file.setAttribute("seed", 0)
      try file.setAttribute("data_position", 0)
      try file.writeString("config_json", "{}")
    }
    let text = message { _ = try HDF5WeightSource(path: folder["s.h5"]) }
    #expect(text.contains("parameters/x of shape [1125899906842624] cannot fit a file"))
    for wrong in [AttributeValue.int(.max), 0] {
      try H5File.write(to: folder["k.h5"]) { file in
        try file.setAttributes(["schema": "spar.candidates", "schema_version": 1, "K": wrong])
      }
      #expect(message { _ = try CandidatesFile.read(folder["k.h5"]) }.contains("not in 1...4096"))
    }
  }

  @Test("a place that cannot be written is named with the reason and the cure")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("file", [1])
    let below = message { try CandidatesFile.write(to: "\(file)/c.h5", StageFixtures.candidates) }
    #expect(below.contains("writing the candidates \(file)/c.h5: Not a directory"))
    let absent = message {
      try CandidatesFile.write(to: folder["no/c.h5"], StageFixtures.candidates)
    }
    #expect(absent.contains("No such file or directory: check that"))
    let system = message {
      try CandidatesFile.write(to: "/proc/self/c.h5", StageFixtures.candidates)
    }
    #expect(system.contains("/proc/self/c.h5: "))
    #expect(!system.contains(".tmp-"))
    let weights = message {
      try SafetensorsWriter.write([.init(name: "a", shape: [1], values: [1])], to: "\(file)/w")
    }
    #expect(weights.contains("writing the weights \(file)/w: Not a directory"))
  }

  @Test("an error while writing leaves the old file and no temporary one")
  func abandoned() throws {
    struct Interruption: Error {}
    let folder = try TemporaryFolder()
    try StageFixtures.writeCheckpoint(to: folder["s.h5"])
    let digest = try fileDigest(folder["s.h5"])
    #expect(throws: Interruption.self) {
      try CheckpointFile.write(to: folder["s.h5"], StageFixtures.header) { writer in
        try writer.blob("x", [1])
        throw Interruption()
      }
    }
    #expect(try fileDigest(folder["s.h5"]) == digest)
    #expect(try folder.names() == ["s.h5"])
  }

  @Test("a full disk is named, and the file that was there stays")
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let disk = folder["disk"]
    try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
    let mounted = try run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk])
    guard mounted.status == 0 else {
      print("skipped: a small disk cannot be mounted here: \(mounted.output)")
      return
    }
    defer {
      do {
        // Lazily: processes that other tests start at this moment may hold the directory.
        let unmounted = try run(["umount", "-l", disk])
        #expect(unmounted.status == 0, "\(unmounted.output)")
      } catch {
        Issue.record(error)
      }
    }
    let path = "\(disk)/c.h5"
    try CandidatesFile.write(to: path, StageFixtures.candidates)
    let digest = try fileDigest(path)
    for size in [1 << 18, 1 << 15, 1 << 12] {  // the data alone, or the rest of the file beside it
      let text = message {
        try CheckpointFile.write(to: path, StageFixtures.header) { writer in
          try [Float](repeating: 1, count: size).withUnsafeBufferPointer {
            try writer.parameter("big", shape: [size], $0)
          }
        }
      }
      #expect(text.contains("writing the checkpoint \(path): No space left on device: free some"))
    }
    let weights = message {
      try SafetensorsWriter.write(
        [.init(name: "a", shape: [1 << 18], values: [Float](repeating: 0, count: 1 << 18))],
        to: "\(disk)/w")
    }
    #expect(weights.contains("No space left on device"))
    #expect(try fileDigest(path) == digest)
    #expect(try FileManager.default.contentsOfDirectory(atPath: disk) == ["c.h5"])
    // The library is usable after the failures.
    for _ in 0..<5 { try CandidatesFile.write(to: path, StageFixtures.candidates) }
    #expect(try CandidatesFile.read(path).table == StageFixtures.candidates)
  }
}
