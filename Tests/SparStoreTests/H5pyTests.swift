import Foundation
import SparStore
import Testing

/// What docs/formats.md promises, as another program sees it.
@Suite("h5py reads the stage files") struct H5pyTests {
  static let python: String? = {
    let named = ProcessInfo.processInfo.environment["SPAR_PYTHON"] ?? "python3"
    do {
      return try run([named, "-c", "import h5py"]).status == 0 ? named : nil
    } catch {
      return nil
    }
  }()

  private func check(_ path: String, _ script: String) throws {
    let program = """
      import sys, json, h5py, numpy as np
      f = h5py.File(sys.argv[1], "r")
      def has(name, dtype, shape):
        d = f[name]
        assert d.dtype == np.dtype(dtype) and d.shape == tuple(shape), (name, d.dtype, d.shape)
        return d[()]
      def text(name, shape):
        d = f[name]
        i = h5py.check_string_dtype(d.dtype)
        assert i.encoding == "utf-8" and i.length is None and d.shape == tuple(shape), (name, i)
        return d.asstr()[()]
      \(script)
      """
    let python = try #require(Self.python)
    let result = try run([python, "-c", program, path])
    #expect(result.status == 0, "\(result.output)")
  }

  static let absence: Comment = "h5py is not importable: set SPAR_PYTHON to a Python that has it"

  @Test("candidates", .enabled(if: python != nil, absence))
  func candidates() throws {
    let folder = try TemporaryFolder()
    try CandidatesFile.write(
      to: folder["c.h5"], StageFixtures.candidates, attributes: StageFixtures.candidateAttributes)
    try check(
      folder["c.h5"],
      """
      a = f.attrs
      assert a["schema"] == "spar.candidates" and a["schema_version"] == 1 and a["K"] == 2
      assert a["seed"] == 42 and a["seed"].dtype == np.uint64 and a["temperature"] == 0.7
      assert list(has("prompt/index", "i8", [2])) == [7, 3]
      assert list(text("prompt/id", [2])) == ["p-7", ""]
      m = json.loads(text("prompt/messages", [2])[0])
      assert m[1] == {"role": "user", "content": "漢字?"}, m
      assert list(has("prompt/ids", "i4", [3])) == [1, 5, 9]
      assert list(has("prompt/offsets", "i8", [3])) == [0, 3, 3]
      assert list(has("answer/ids", "i4", [6])) == [4, 2, 8, 8, 8, 2]
      assert has("answer/logps", "f4", [6])[0] == -0.5
      assert list(has("answer/offsets", "i8", [5])) == [0, 2, 2, 3, 6]
      assert has("answer/finish", "i1", [2, 2]).tolist() == [[0, 1], [1, 0]]
      assert text("answer/text", [2, 2]).tolist() == [["yes 👍", ""], ["a", "b\\nc"]]
      """)
  }

  @Test("preferences", .enabled(if: python != nil, absence))
  func preferences() throws {
    let folder = try TemporaryFolder()
    try PreferencesFile.write(
      to: folder["p.h5"], StageFixtures.preferences, attributes: ["ranker": "length"])
    try check(
      folder["p.h5"],
      """
      a = f.attrs
      assert a["schema"] == "spar.preferences" and a["schema_version"] == 1 and a["K"] == 2
      assert a["ranker"] == "length" and a["count_kept"] == 1 and a["count_tie"] == 1
      for name in ["raw", "win_prob", "log_odds"]: has(name, "f8", [2, 2, 2])
      for name in ["row_mean", "mean_score", "score"]: has(name, "f8", [2, 2])
      p = f["win_prob"][()]
      assert np.allclose(p + p.transpose(0, 2, 1), 1) and p[0, 0, 1] == 0.8
      assert list(has("chosen", "i4", [2])) == [0, -1] and list(has("rejected", "i4", [2])) == [1, -1]
      assert list(has("status", "i1", [2])) == [0, 1]
      assert list(has("prompt/index", "i8", [2])) == [7, 3]
      assert list(text("prompt/id", [2])) == ["p-7", ""]
      """)
  }

  @Test("checkpoints", .enabled(if: python != nil, absence))
  func checkpoint() throws {
    let folder = try TemporaryFolder()
    try StageFixtures.writeCheckpoint(to: folder["s.h5"])
    try check(
      folder["s.h5"],
      """
      a = f.attrs
      assert a["schema"] == "spar.checkpoint" and a["schema_version"] == 1
      assert a["step"] == 12 and a["seed"] == 2**64 - 1 and a["data_position"] == 96
      assert a["loss"] == 0.5 and a["objective"] == "sppo"
      assert json.loads(text("config_json", []))["hidden_size"] == 8
      assert len(text("tokenizer_json", [])) == 240000
      assert text("chat_template", []) == "{{ x }}" and text("training_config_json", []) == "{}"
      assert has("parameters/model.b.weight", "f4", [2, 3]).tolist() == [[0, 1, 2], [3, 4, 5]]
      has("parameters/scale", "f4", [])
      assert has("optimizer/m/model.a.weight", "f4", [4])[0] == 1
      assert has("optimizer/v/model.a.weight", "f4", [4])[0] == 2
      assert has("blobs/rng", "u1", [3]).tolist() == [1, 2, 255]
      """)
  }
}
