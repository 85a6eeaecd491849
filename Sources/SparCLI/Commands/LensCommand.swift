import ArgumentParser
import SparHost
import SparPipeline
import SparText
import SparTraining

struct LensCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lens",
    abstract: "Show what objectives make of the same answers: losses, targets, gradients.",
    discussion: """
      Each prompt and its answers go through the policy once; then every objective says its loss, \
      the log-ratio it wants of each answer (its target, where it has one) and the derivative of \
      its loss by the answer's log-probability. At the end: the cosines between the objectives' \
      gradients, by log-probabilities and by all parameters of the model.

      The reference is the policy that sampled the answers, by its stored log-probabilities. \
      Nothing is trained. Gradients by parameters need the model's size once per objective.
      """)

  @Option(help: "What a ranker made of answers (.h5).", completion: .file())
  var preferences = "preferences.h5"

  @Option(
    help: "The answers that were ranked. (default: the file that the preferences name)",
    completion: .file())
  var candidates: String?

  @Option(help: "Policy. (default: the model that sampled the answers)", completion: .file())
  var model: String?

  @Option(help: ArgumentHelp("Objectives, with commas between.", valueName: "ids"))
  var objectives = "sppo,gpo,dpo"

  @Option(
    name: .customLong("objective-option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "An option of one of them, such as sppo.beta=0.01; may be repeated.",
      valueName: "id.key=value"))
  var objectiveOptions: [String] = []

  @Option(help: "What they look at: \(Pairing.allCases.map(\.rawValue).joined(separator: ", ")).")
  var pairing = Pairing.bestWorst

  @Option(parsing: .unconditional, help: "Prompts; 0 = all.")
  var limit = 8

  @Flag(help: "Leave out gradients by parameters: no backward pass, less memory.")
  var noParameters = false

  @OptionGroup var common: CommonOptions

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit is \(limit); it must be at least 0") }
  }

  func run() throws {
    let choices = try choices()
    let host = common.plugins.host(threads: common.threads ?? 0)
    for choice in choices {
      var recipe = Recipe()
      recipe.objective = choice
      recipe.train.pairing = pairing
      _ = try host.checkedOptions(.objective, choice)
      try host.checkPairing(recipe)
    }
    let stored = try StoredPreferences(
      preferences: preferences,
      candidates: try candidates ?? TrainingData.candidates(of: preferences))
    guard let path = model ?? stored.samplerModel else {
      throw UsageError("\(stored.candidatesPath) does not name its model; give --model")
    }
    let groups = try groups(of: stored)
    let texts = stored.texts(pairing).prefix(groups.count)
    let runtime = try common.runtime(Recipe(), host: host)
    let subjects = try choices.map {
      Lens.Subject(try host.component(.objective, $0.name).id, try runtime.objective($0))
    }
    let line = ProgressLine()
    defer { line.finish() }
    let summary = try Lens(
      TrainableModel(runtime.model(path)), subjects, withParameters: !noParameters
    ).run(
      groups, progress: line.stage("lens"), isCancelled: { Interrupts.interruption.isRequested },
      observe: { index, prompt in
        let page = LensPage(prompt: prompt, group: groups[index], texts: texts[index])
        guard !common.json else { return try Terminal.json(page) }
        line.finish()
        for text in page.lines { try Terminal.line(text) }
      })
    line.finish()
    guard !common.json else { return try Terminal.json(["summary": summary]) }
    for text in LensPage.lines(summary) { try Terminal.line(text) }
  }

  /// The first prompts, with the sampler's log-probabilities as reference and nothing cut.
  private func groups(of stored: StoredPreferences) throws -> [TrainingGroup] {
    var options = TrainingOptions()
    options.rendering = stored.samplerRendering
    options.pairing = pairing
    options.maxLength = .max
    options.referenceFromGeneration = true
    let all = try stored.groups(options, modelDigest: stored.samplerDigest ?? "")
    return limit > 0 ? Array(all.prefix(limit)) : all
  }

  private func choices() throws -> [PluginChoice] {
    var choices = objectives.split(separator: ",").map {
      PluginChoice($0.replacing("_", with: "-").filter { $0 != " " })
    }
    guard !choices.isEmpty else { throw UsageError("--objectives names none") }
    let names = choices.map(\.name)
    if let twice = names.first(where: { name in names.filter { $0 == name }.count > 1 }) {
      throw UsageError("--objectives names \(twice) twice")
    }
    for text in objectiveOptions {
      let assignment = try ResolvedRecipe.Assignment(text)
      let parts = assignment.key.split(separator: ".", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw UsageError(
          "--objective-option \(text) does not say whose it is",
          hint: "write \(names[0]).\(text)")
      }
      guard let place = names.firstIndex(of: parts[0].replacing("_", with: "-")) else {
        let nearest = NearestName.of(parts[0], among: names).map { "; did you mean \($0)?" } ?? ""
        throw UsageError(
          "--objective-option \(text): \(parts[0]) is not among --objectives "
            + "\(objectives)\(nearest)")
      }
      choices[place].options[parts[1]] = assignment.value
    }
    return choices
  }
}

extension Pairing: ExpressibleByArgument {}
