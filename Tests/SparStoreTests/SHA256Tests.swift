import SparStore
import Testing

@Suite("SHA-256") struct SHA256Tests {
  @Test(
    "gives the digests of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func knownVectors(text: String, digest: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    #expect(hash.hexDigest() == digest)
  }

  @Test("does not depend on how the bytes are cut")
  func cuts() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    var whole = SHA256()
    whole.update(bytes)
    for step in [1, 3, 63, 64, 65, 200] {
      var parts = SHA256()
      for start in stride(from: 0, to: bytes.count, by: step) {
        parts.update(Array(bytes[start..<min(start + step, bytes.count)]))
      }
      #expect(parts.hexDigest() == whole.hexDigest(), "step \(step)")
    }
  }

  @Test("digests a file")
  func file() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("a", Array(repeating: UInt8(ascii: "a"), count: 300_000))
    let tool = try run(["sha256sum", path])
    try #require(tool.status == 0)
    #expect(try fileDigest(path) == tool.output.prefix(64))
    #expect(message { _ = try fileDigest(folder["none"]) }.contains("No such file"))
  }
}
