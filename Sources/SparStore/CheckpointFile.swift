/// What a checkpoint says beside its tensors.
public struct CheckpointHeader: Sendable, Equatable {
  /// Optimizer steps done.
  public var step: Int
  public var seed: UInt64
  /// Training examples consumed: where the data continue.
  public var dataPosition: Int
  /// The model's `config.json`.
  public var configJSON: String
  /// The model's `tokenizer.json`.
  public var tokenizerJSON: String?
  public var chatTemplate: String?
  /// The training settings, as JSON.
  public var trainingConfigJSON: String?
  /// Further root attributes: the scalars of the trainer.
  public var attributes: [String: AttributeValue]

  public init(
    step: Int, seed: UInt64, dataPosition: Int, configJSON: String, tokenizerJSON: String? = nil,
    chatTemplate: String? = nil, trainingConfigJSON: String? = nil,
    attributes: [String: AttributeValue] = [:]
  ) {
    self.step = step
    self.seed = seed
    self.dataPosition = dataPosition
    self.configJSON = configJSON
    self.tokenizerJSON = tokenizerJSON
    self.chatTemplate = chatTemplate
    self.trainingConfigJSON = trainingConfigJSON
    self.attributes = attributes
  }

  static let ownAttributes: Set<String> = ["step", "seed", "data_position"]
}

/// step-N.h5, open for reading. Tensors are read straight into the caller's memory. The layout is
/// in docs/formats.md.
public final class CheckpointFile: Sendable {
  public static let schema = H5Schema(name: "spar.checkpoint", version: 1)
  public let path: String
  public let header: CheckpointHeader
  private let file: H5File

  /// Writes a checkpoint atomically; `body` adds the tensors one by one.
  public static func write(
    to path: String, _ header: CheckpointHeader, _ body: (CheckpointWriter) throws -> Void
  ) throws {
    try H5File.write(to: path, doing: "writing the checkpoint") { file in
      try file.stamp(schema)
      try file.setAttribute("step", .int(Int64(header.step)))
      try file.setAttribute("seed", .unsigned(header.seed))
      try file.setAttribute("data_position", .int(Int64(header.dataPosition)))
      try file.setAttributes(
        header.attributes.filter {
          !H5Schema.attributeNames.union(CheckpointHeader.ownAttributes).contains($0.key)
        })
      try file.writeString("config_json", header.configJSON)
      for (name, text) in [
        ("tokenizer_json", header.tokenizerJSON), ("chat_template", header.chatTemplate),
        ("training_config_json", header.trainingConfigJSON),
      ] {
        if let text { try file.writeString(name, text) }
      }
      for group in ["parameters", "optimizer", "blobs"] { try file.createGroup(group) }
      try body(CheckpointWriter(file: file))
    }
  }

  public init(_ path: String) throws(StoreError) {
    let file = try H5File.open(path, doing: "reading the checkpoint")
    try file.require(Self.schema)
    func text(_ name: String) throws(StoreError) -> String? {
      guard try file.exists(name) else { return nil }
      return try file.readString(name)
    }
    header = CheckpointHeader(
      step: Int(try file.int("step")), seed: try file.unsigned("seed"),
      dataPosition: Int(try file.int("data_position")),
      configJSON: try file.readString("config_json"), tokenizerJSON: try text("tokenizer_json"),
      chatTemplate: try text("chat_template"),
      trainingConfigJSON: try text("training_config_json"),
      attributes: try file.attributes().filter {
        !H5Schema.attributeNames.union(CheckpointHeader.ownAttributes).contains($0.key)
      })
    self.path = path
    self.file = file
  }

  /// Names of all parameters, in the order in which they were written.
  public func parameterNames() throws(StoreError) -> [String] {
    try file.children(of: "parameters")
  }

  public func shape(ofParameter name: String) throws(StoreError) -> [Int] {
    try file.dataset("parameters/\(name)").shape
  }

  /// The open dataset, for its shape, its rows or its place in the file.
  public func parameter(_ name: String) throws(StoreError) -> H5Dataset {
    try file.dataset("parameters/\(name)")
  }

  /// - Parameter values: exactly as many as the parameter has.
  public func readParameter(
    _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(StoreError) {
    try file.dataset("parameters/\(name)").read(into: values)
  }

  /// The optimizer's kinds of state, for example `m` and `v`.
  public func optimizerStates() throws(StoreError) -> [String] {
    try file.children(of: "optimizer")
  }

  public func optimizerNames(of state: String) throws(StoreError) -> [String] {
    try file.children(of: "optimizer/\(state)")
  }

  public func readOptimizer(
    _ state: String, _ name: String, into values: UnsafeMutableBufferPointer<Float>
  ) throws(StoreError) {
    try file.dataset("optimizer/\(state)/\(name)").read(into: values)
  }

  public func blobNames() throws(StoreError) -> [String] { try file.children(of: "blobs") }

  public func blob(_ name: String) throws(StoreError) -> [UInt8] {
    try file.read("blobs/\(name)", as: UInt8.self, shape: [-1])
  }
}

/// Adds tensors to a checkpoint that is being written. Values go from the caller's memory to the
/// file without a copy.
public struct CheckpointWriter {
  let file: H5File

  public func parameter(
    _ name: String, shape: [Int], _ values: UnsafeBufferPointer<Float>
  ) throws(StoreError) {
    try file.write("parameters/\(checked(name))", values, shape: shape)
  }

  /// A parameter as bytes of the type in which it is stored, f32, f16 or bf16.
  public func parameter(
    _ name: String, _ type: H5Type, shape: [Int], bytes: UnsafeRawBufferPointer
  ) throws(StoreError) {
    try file.createDataset("parameters/\(checked(name))", type, shape: shape).write(bytes: bytes)
  }

  /// - Parameter state: the kind, for example `m`.
  public func optimizer(
    _ state: String, _ name: String, shape: [Int], _ values: UnsafeBufferPointer<Float>
  ) throws(StoreError) {
    try file.write("optimizer/\(checked(state))/\(checked(name))", values, shape: shape)
  }

  /// Any bytes: the state of a random generator, of a sampler.
  public func blob(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
    try file.write("blobs/\(checked(name))", bytes)
  }

  /// A slash would make groups of a name.
  private func checked(_ name: String) throws(StoreError) -> String {
    guard !name.isEmpty, !name.contains("/"), name != "." else {
      throw file.context.error(.invalid("the name \"\(name)\" cannot be stored"))
    }
    return name
  }
}
