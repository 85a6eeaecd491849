import SparCompute
import SparHost
import Testing

/// The backends that the same tests run on.
struct TestBackend: CustomTestStringConvertible, Sendable {
  let name: String
  var testDescription: String { name }

  func make() throws -> Backend {
    if name == "reference" { return .reference() }
    let host = PluginHost(search: PluginSearch(), threads: 2)
    return try Backend(host.makeBackend(name, options: [:], threads: 2))
  }
}

let testBackends = [TestBackend(name: "reference"), TestBackend(name: "openblas")]
