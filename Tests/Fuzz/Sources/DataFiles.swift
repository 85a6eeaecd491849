import Foundation
import SparText

@testable import SparData

extension FuzzTarget {
  static let jsonLines = data(
    "jsonl",
    seeds: {
      [
        Data(
          #"{"prompt":"a","chosen":[{"role":"user","content":"é"}],"n":[1,2.5,null,true]}"#.utf8)
          + Data("\n\r\n{\"prompt\":\"\\ud83d\\ude00\",\"x\":NaN}\n".utf8)
      ]
    })

  static let jsonArray = data(
    "json-array", ending: "json",
    seeds: { [Data(#"[{"prompt":"a","answers":["x","y"]}, {"prompt":"b"}]"#.utf8)] })

  static let csv = data(
    "csv",
    seeds: { [Data("prompt,chosen,rejected\n\"a, \"\"b\"\"\n\",1,2.5\r\nx,,é\n".utf8)] })

  /// Rows of every kind of column, as our own writer lays them out.
  static let parquet = data(
    "parquet",
    seeds: {
      let path = ScratchFile.folder + "/seed.parquet"
      let rows = [
        #"{"prompt":"a","chosen":[{"role":"user","content":"é"}],"p":[[0.5,1],[2,3]],"n":1,"b":true}"#,
        #"{"prompt":"bb","chosen":[],"p":[],"n":null,"b":false}"#,
        #"{"prompt":null,"chosen":[{"role":"assistant","content":null}],"p":null,"n":-7,"b":null}"#,
      ]
      let writer = try ParquetWriter(path)
      for (i, text) in rows.enumerated() {
        guard let members = try JSONParser.parse(Data(text.utf8)).members else { continue }
        try writer.add(
          DataRow(columns: members, place: RowPlace(path: path, number: i + 1, unit: .row)))
      }
      try writer.finish()
      defer { unlink(path) }
      return [try Data(contentsOf: URL(fileURLWithPath: path))]
    })

  private static func data(
    _ name: String, ending: String? = nil, seeds: @escaping @Sendable () throws -> [Data]
  ) -> FuzzTarget {
    FuzzTarget(
      name: name, seeds: seeds,
      run: { data in
        let reader = FilesReader([
          try ScratchFile.write(data, as: "input." + (ending ?? name))
        ])
        while let row = try reader.next() {
          do {
            _ = try Example(row, form: DataForm.of(row))
          } catch {
            // The rows after one of no form are read as well.
            _ = "\(error)".utf8.count
          }
        }
      })
  }
}
