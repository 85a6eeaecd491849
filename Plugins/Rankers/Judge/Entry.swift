import CSparPlugin
import SparPluginKit

nonisolated(unsafe) private let description = plugin(
  id: "org.spar.judge", name: "Judge", version: "0.1.0",
  components: [
    ranker(
      id: "judge", name: "Judge",
      doc: "Asks a language model, local or behind an OpenAI-compatible endpoint, which answer is "
        + "better.",
      formula: "raw(i, j) = log p(\"A\") − log p(\"B\"), y_i shown as A and y_j as B",
      paper: "Zheng et al. 2023, arXiv:2306.05685",
      options: [
        Option(
          "model", .requiredText,
          "Model that the endpoint serves under this name; without base-url a Hugging Face folder, "
            + "GGUF file, checkpoint or known name."),
        Option(
          "base-url", .text(""),
          "Endpoint, such as http://127.0.0.1:8000/v1; empty = a local model."),
        Option("api-key-env", .text(""), "Environment variable that holds the endpoint's key."),
        Option(
          "prompt-file", .text(""),
          "Text with {prompt}, {a}, {b} and both labels to ask with; empty = a short one of ours."),
        Option(
          "order", .choice("both", among: JudgeOrder.allCases.map(\.rawValue)),
          "both = each pair is asked about in both orders; random = in one, drawn by the seed."),
        Option("seed", .int(42, 0...1_000_000_000), "Of order=random."),
        Option(
          "read", .choice("logprobs", among: JudgeReading.allCases.map(\.rawValue)),
          "Where the preference stands: log-probabilities of the labels, or the reply's text."),
        Option(
          "certainty", .float(0.9, 0.501...0.999999),
          "Probability that a label named in text stands for."),
        Option(
          "max-tokens", .int(0, 0...100_000), unit: "tokens",
          "Longest reply of an endpoint; 0 = 1 for log-probabilities, 16 for text."),
        Option("concurrency", .int(4, 1...256), "Questions that an endpoint has at a time."),
        Option("timeout", .float(60, 0.01...86_400), unit: "s", "For one attempt."),
        Option("retries", .int(4, 0...100), "Attempts after the first."),
        Option(
          "backoff", .float(1, 0...3600), unit: "s",
          "Wait before the second attempt; doubles with each up to 300 s, Retry-After comes first."),
        Option(
          "give-up-after", .int(20, 0...1_000_000_000),
          "Questions in succession without any answer that end the ranking; 0 = none do."),
        Option("label-a", .text("A"), "Word for: the first answer is better."),
        Option("label-b", .text("B"), "Word for: the second answer is better."),
      ],
      flags: Int(SPAR_RANK_NATIVE_RAW | SPAR_RANK_COSTLY),
      create: { host, info, out in
        construct(host, info, out) { options, host in try judge(options, host) }
      })
  ])

private func judge(_ options: OptionValues, _ host: PluginHostLink) throws -> Judge {
  let labels = [options.text(14), options.text(15)]
  guard labels[0] != labels[1], !labels.contains("") else {
    throw PluginFailure(
      "label-a is \"\(labels[0])\", label-b is \"\(labels[1])\"; they must differ")
  }
  let prompt = try JudgePrompt(path: options.text(3), labels: labels)
  let order = JudgeOrder.allCases[options.choice(4)]
  let panel: any JudgePanel
  if options.text(1).isEmpty {
    panel = try LocalPanel(
      TextModel(path: options.text(0), host: host), labels: labels, prompt: prompt)
  } else {
    let reading = JudgeReading.allCases[options.choice(6)]
    let reply = JudgeReply(labels: labels, certainty: options.float(7))
    if let label = labels.first(where: { !reply.canFind($0, reading) }) {
      throw PluginFailure(
        "label \"\(label)\" is never found in a reply with read=\(reading.rawValue); "
          + "choose one word of letters and digits")
    }
    let maxTokens = options.int(8) > 0 ? options.int(8) : reading == .text ? 16 : 1
    panel = RemotePanel(
      endpoint: try ChatEndpoint(
        baseURL: options.text(1), keyVariable: options.text(2),
        replyBytes: RemotePanel.replyBytes(tokens: maxTokens),
        patience: .init(
          timeout: options.float(10), retries: options.int(11), backoff: options.float(12))),
      model: options.text(0), prompt: prompt, reading: reading,
      reply: reply,
      maxTokens: maxTokens,
      concurrency: options.int(9), giveUpAfter: options.int(13), host: host)
  }
  return Judge(panel: panel, order: order, seed: options.int(5), misuse: misuse(options))
}

/// An option that nothing would read.
private func misuse(_ options: OptionValues) -> PluginFailure? {
  if options.isGiven(5), JudgeOrder.allCases[options.choice(4)] != .random {
    return PluginFailure("option seed is for order=random, but order is both")
  }
  guard options.text(1).isEmpty else {
    return JudgeReading.allCases[options.choice(6)] == .logprobs && options.isGiven(7)
      ? PluginFailure("option certainty is for read=text, but read is logprobs") : nil
  }
  let remote = [
    (2, "api-key-env"), (6, "read"), (7, "certainty"), (8, "max-tokens"), (9, "concurrency"),
    (10, "timeout"), (11, "retries"), (12, "backoff"), (13, "give-up-after"),
  ]
  return remote.first { options.isGiven($0.0) }.map { _, name in
    PluginFailure("option \(name) is of an endpoint, but there is no base-url")
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation public func spar_plugin_entry_v1() -> UnsafePointer<spar_plugin>! {
  description
}
