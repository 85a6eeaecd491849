import SparStore

/// Small tables that exercise every field.
enum StageFixtures {
  static let candidates = CandidateTable(
    K: 2,
    rows: [
      CandidateGroup(
        promptIndex: 7, promptID: "p-7",
        messages: [
          .init(role: "system", content: "Be \"brief\"/\n"), .init(role: "user", content: "漢字?"),
        ],
        promptIDs: [1, 5, 9],
        answers: [
          .init(ids: [4, 2], logps: [-0.5, -0.25], finish: .stop, text: "yes 👍"),
          .init(ids: [], logps: [], finish: .length, text: ""),
        ]),
      CandidateGroup(
        promptIndex: 3, promptID: "", messages: [.init(role: "user", content: "x")],
        promptIDs: [],
        answers: [
          .init(ids: [8], logps: [-3], finish: .length, text: "a"),
          .init(ids: [8, 8, 2], logps: [-1, -2, -4], finish: .stop, text: "b\nc"),
        ]),
    ])

  static let candidateAttributes: [String: AttributeValue] = [
    "model": "SmolLM2", "model_digest": "ab12", "tokenizer_digest": "cd34", "seed": .unsigned(42),
    "temperature": 0.7, "top_p": 0.9, "top_k": 50, "max_new_tokens": 64, "iteration": 1,
    "created": "2026-11-22T20:00:00Z",
  ]

  static let preferences = PreferenceTable(
    K: 2, promptIndex: [7, 3], promptID: ["p-7", ""], raw: [0, 1.5, -1.5, 0, 0, 0, 0, 0],
    winProbability: [0.5, 0.8, 0.2, 0.5, 0.5, 0.5, 0.5, 0.5],
    logOdds: [0, 1.5, -1.5, 0, 0, 0, 0, 0], rowMean: [0.65, 0.35, 0.5, 0.5],
    meanScore: [0.75, -0.75, 0, 0], score: [1, 0, 0, 0], chosen: [0, -1], rejected: [1, -1],
    status: [.kept, .tie])

  static let header = CheckpointHeader(
    step: 12, seed: .max, dataPosition: 96, configJSON: #"{"hidden_size": 8}"#,
    tokenizerJSON: String(repeating: "{\"ü\": 1}", count: 30_000), chatTemplate: "{{ x }}",
    trainingConfigJSON: "{}", attributes: ["loss": 0.5, "objective": "sppo"])

  static func writeCheckpoint(to path: String) throws {
    try CheckpointFile.write(to: path, header) { writer in
      for (name, shape) in [("model.b.weight", [2, 3]), ("model.a.weight", [4]), ("scale", [])] {
        let count = shape.reduce(1, *)
        try (0..<count).map(Float.init).withUnsafeBufferPointer {
          try writer.parameter(name, shape: shape, $0)
        }
        for state in ["m", "v"] {
          try [Float](repeating: state == "m" ? 1 : 2, count: count).withUnsafeBufferPointer {
            try writer.optimizer(state, name, shape: shape, $0)
          }
        }
      }
      try writer.blob("rng", [1, 2, 255])
    }
  }
}
