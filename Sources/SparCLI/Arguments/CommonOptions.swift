import ArgumentParser
import Foundation
import SparHost
import SparPipeline

/// Where plugins come from.
struct PluginOptions: ParsableArguments {
  @Option(
    help: "Folder or file of plugins, before all others; may be repeated.",
    completion: .file())
  var pluginPath: [String] = []

  @Flag(help: "Load no plugins; the built-in reference backend remains.")
  var noPlugins = false

  /// - Parameter threads: 0 = all cores.
  func host(threads: Int = 0) -> PluginHost {
    let count = threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount
    return PluginHost(
      search: PluginSearch(paths: pluginPath, usePlugins: !noPlugins), threads: count
    ) { level, text in
      if level >= .warning { Terminal.error("spar: \(text)") }
    }
  }
}

/// What almost every command takes.
struct CommonOptions: ParsableArguments {
  @OptionGroup var plugins: PluginOptions

  @Option(
    help: "Compute backend, as NAME or NAME:KEY=VALUE,... (default: the best for this machine)")
  var backend: String?

  @Option(help: "Threads; 0 = all cores. (default: 0)")
  var threads: Int?

  @Flag(help: "Print the result as JSON on stdout.")
  var json = false

  func validate() throws {
    if let threads, threads < 0 {
      throw ValidationError("--threads is \(threads); it must be at least 0 (all cores)")
    }
  }

  /// Flags first, then what a recipe says.
  func runtime(_ recipe: Recipe = Recipe()) throws -> Runtime {
    let threads = threads ?? recipe.run.threads
    return try runtime(recipe, host: plugins.host(threads: threads))
  }

  /// The same for models that only infer.
  func runtime(_ storage: WeightsOption, _ recipe: Recipe = Recipe()) throws -> Runtime {
    let runtime = try runtime(recipe)
    runtime.weights = storage.policy
    return runtime
  }

  func runtime(_ recipe: Recipe, host: PluginHost) throws -> Runtime {
    let runtime = try Runtime(
      host: host, backend: backend ?? recipe.run.backend, threads: threads ?? recipe.run.threads)
    // Long calls into plugins look at the host's own flag.
    Interrupts.watch(host)
    return runtime
  }
}
