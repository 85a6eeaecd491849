import Foundation
import SparActivations
import SparModel
import SparStore
import Testing

/// What docs/activations.md promises, as another program sees it.
@Suite("h5py reads and extends activations") struct H5pyTests {
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run(named, "import h5py", []) == "" ? named : nil
    } catch {
      return nil
    }
  }()

  /// What the program complains of; "" where it is content.
  static func run(_ python: String, _ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, "-c", program] + arguments
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? "" : "failed: " + String(decoding: text, as: UTF8.self)
  }

  @Test(
    "f16 and f32 agree, chunked, deflated and growable",
    .enabled(if: python != nil, "h5py is not importable: set SPAR_PYTHON to a Python that has it"))
  func files() throws {
    let tests = try CaptureTests()
    try tests.capture(CaptureTests.texts(9), CaptureTests.options(), "f32.h5")
    try tests.capture(CaptureTests.texts(9), CaptureTests.options(.all, .f16), "f16.h5")
    let complaint = try Self.run(
      try #require(Self.python),
      """
      import sys, h5py, numpy as np
      a, b = h5py.File(sys.argv[1], "r+"), h5py.File(sys.argv[2], "r")
      assert a.attrs["schema"] == "spar.activations" and a.attrs["schema_version"] == 1
      names = list(a.attrs["series"])
      assert names == list(b.attrs["series"]) and len(names) == 2 * 3 + 1 + 1
      rows = len(a["row/token"])
      assert a["sample/offsets"][-1] == rows and len(a["sample/id"]) == 9
      assert a["sample/id"].asstr()[8] == "t8"
      for name in names:
        x, y = a[name], b[name]
        assert x.dtype == np.float32 and y.dtype == np.float16, (x.dtype, y.dtype)
        assert x.shape == (rows, 40 if name == "logits" else 16) == y.shape
        assert x.compression == "gzip" and x.shuffle and x.maxshape[0] is None and x.chunks
        assert (x[()].astype(np.float16) == y[()]).all(), name
      total = a["residual/0"][()] + a["attention/1"][()] + a["mlp/1"][()]
      assert (total == a["residual/1"][()]).all()
      a["residual/0"].resize(rows + 1, axis=0)
      a["residual/0"][rows] = 1
      """, [tests.folder["f32.h5"], tests.folder["f16.h5"]])
    #expect(complaint == "")
  }
}
