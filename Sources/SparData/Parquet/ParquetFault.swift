/// Bytes that are not Parquet as the format defines it; the reader adds the place.
struct ParquetFault: Error {
  var what: String
  var cure = "the file is damaged: fetch or write it again"
}
