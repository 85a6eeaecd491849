import SparCompute
import SparModel

/// Opens the text model that an argument names, whatever its kind.
public enum TextModels {
  /// - Parameter argument: a Hugging Face folder, a .gguf file, an HDF5 checkpoint or a known name.
  public static func load(
    _ argument: String, backend: Backend, weights: WeightsPolicy = .f32
  ) throws -> any TextModel {
    let files = try ModelFiles.open(argument)
    if EncoderModel.reads(config: files.config) {
      return try EncoderTextModel(files, backend: backend, weights: weights)
    }
    return try CausalTextModel(files, backend: backend, weights: weights)
  }
}
