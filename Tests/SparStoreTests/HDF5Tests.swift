import SparStore
import Testing

@Suite("HDF5") struct HDF5Tests {
  @Test("numbers of every type come back with their shape")
  func numbers() throws {
    let folder = try TemporaryFolder()
    func check<Element: H5Element & Equatable>(_ values: [Element]) throws {
      let path = folder["\(Element.self).h5"]
      try H5File.write(to: path) {
        try $0.write("deep/er/x", values, shape: [values.count / 2, 2])
      }
      let file = try H5File.open(path)
      #expect(try file.read("deep/er/x", as: Element.self, shape: [-1, 2]) == values)
      #expect(try file.dataset("deep/er/x").type == Element.h5Type)
    }
    try check([Float.pi, -0.0, .infinity, .leastNonzeroMagnitude])
    try check([Double.pi, .greatestFiniteMagnitude])
    try check([Int8.min, .max])
    try check([Int32.min, .max])
    try check([Int64.min, .max])
    try check([UInt8.min, .max])
    try check([UInt64.min, .max])
    try check([Float]())
  }

  @Test("text of any script and length comes back, and U+0000 is refused")
  func text() throws {
    let folder = try TemporaryFolder()
    let texts = ["", "plain", "ünï 漢字 👩‍👩‍👧", String(repeating: "long ", count: 50_000), "a\nb\t\"q\""]
    try H5File.write(to: folder["t.h5"]) { file in
      try file.writeStrings("texts", texts)
      try file.writeString("one", texts[3])
      try file.writeStrings("none", [])
    }
    let file = try H5File.open(folder["t.h5"])
    #expect(try file.readStrings("texts") == texts)
    #expect(try file.readString("one") == texts[3])
    #expect(try file.readStrings("none") == [])
    let refusal = message {
      try H5File.write(to: folder["z.h5"]) { try $0.writeString("x", "a\0b") }
    }
    #expect(refusal.contains("U+0000"))
    #expect(try folder.names() == ["t.h5"])
  }

  @Test("attributes of every kind come back, on the root and on datasets")
  func attributes() throws {
    let folder = try TemporaryFolder()
    let values: [String: AttributeValue] = [
      "int": -7, "seed": .unsigned(.max), "double": 0.1, "text": "ü\n", "ints": .ints([1, -2]),
      "doubles": .doubles([0.5]), "texts": .strings(["a", ""]), "nothing": .ints([]),
    ]
    try H5File.write(to: folder["a.h5"]) { file in
      try file.write("x", [Float(1)])
      try file.setAttributes(values)
      try file.setAttributes(values, on: "x")
      try file.setAttribute("int", 8, on: "x")  // replaces
    }
    let file = try H5File.open(folder["a.h5"])
    #expect(try file.attributes() == values)
    #expect(try file.int("int", on: "x") == 8)
    #expect(try file.attribute("none") == nil)
    #expect(message { _ = try file.int("none") }.contains("no attribute none"))
    #expect(message { _ = try file.int("text") }.contains("expected an integer"))
    #expect(message { _ = try file.attributes(of: "y") }.contains("no y in it"))
  }

  @Test("rows can be written and read by ranges, and appended, compressed or not")
  func rows() throws {
    let folder = try TemporaryFolder()
    try H5File.write(to: folder["r.h5"]) { file in
      let fixed = try file.createDataset("fixed", .f32, shape: [4, 3])
      for row in 0..<4 {
        try [Float](repeating: Float(row), count: 3).withUnsafeBufferPointer {
          try fixed.write(rows: row..<row + 1, from: $0)
        }
      }
      for (name, deflate) in [("plain", nil), ("packed", 4)] as [(String, Int?)] {
        let layout = H5Layout(chunkRows: 8, deflate: deflate, growable: true)
        let growing = try file.createDataset(name, .i32, shape: [0, 2], layout: layout)
        for part in 0..<10 { try growing.append((0..<6).map { Int32(part * 6 + $0) }) }
        #expect(growing.shape == [30, 2])
        #expect(message { try growing.append([Int32(1)]) }.contains("no whole rows"))
      }
    }
    let file = try H5File.open(folder["r.h5"])
    var two = [Float](repeating: -1, count: 6)
    try two.withUnsafeMutableBufferPointer {
      try file.dataset("fixed").read(rows: 1..<3, into: $0)
    }
    #expect(two == [1, 1, 1, 2, 2, 2])
    #expect(try file.read("plain", as: Int32.self) == (0..<60).map { Int32($0) })
    #expect(try file.read("packed", as: Int32.self) == (0..<60).map { Int32($0) })
    var cell: [Int32] = [0, 0]
    let outside = message {
      try cell.withUnsafeMutableBufferPointer {
        try file.dataset("plain").read(rows: 30..<31, into: $0)
      }
    }
    #expect(outside.contains("rows 30..<31 are not in plain"))
  }

  @Test("another type, another shape, an absent name are refused with the evidence")
  func mismatches() throws {
    let folder = try TemporaryFolder()
    try H5File.write(to: folder["m.h5"]) {
      try $0.write("x", [Float](repeating: 0, count: 6), shape: [2, 3])
    }
    let file = try H5File.open(folder["m.h5"])
    #expect(message { _ = try file.read("x", as: Double.self) }.contains("holds f32, expected f64"))
    #expect(
      message { _ = try file.read("x", as: Float.self, shape: [3, -1]) }
        .contains("x has shape [2, 3], expected [3, -1]"))
    #expect(message { _ = try file.read("y/z", as: Float.self) }.contains("no dataset y/z"))
    #expect(message { _ = try file.readStrings("x") }.contains("expected string"))
  }

  @Test("children come in the order in which they were made")
  func order() throws {
    let folder = try TemporaryFolder()
    let names = ["z", "a", "model.layers.10.x", "model.layers.9.x"]
    try H5File.write(to: folder["o.h5"]) { file in
      try file.createGroup("made")
      for name in names {
        try file.write("made/\(name)", [Float(0)])
        try file.write("implied/\(name)", [Float(0)])
      }
    }
    let file = try H5File.open(folder["o.h5"])
    #expect(try file.children(of: "made") == names)
    #expect(try file.children() == ["made", "implied"])
  }

  @Test("files can be used from many threads at once")
  func threads() async throws {
    let folder = try TemporaryFolder()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<8 {
        let path = folder["\(task).h5"]
        group.addTask {
          let values = (0..<1000).map { Int64($0 * task) }
          try H5File.write(to: path) { try $0.write("x", values) }
          for _ in 0..<10 {
            #expect(try H5File.open(path).read("x", as: Int64.self) == values)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
