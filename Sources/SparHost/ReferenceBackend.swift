import CSparPlugin
import SparCompute
import SparPluginKit

/// The built-in backend `reference`, offered through the same door as every plugin.
///
/// Its table holds the plain twins of SparCompute, which define every operation; see docs/backends.md.
public enum ReferenceBackend {
  nonisolated(unsafe) static let api: UnsafePointer<spar_backend_api> = forever {
    $0 = referenceTable()
  }

  nonisolated(unsafe) private static let component: UnsafePointer<spar_component> = forever {
    $0.struct_size = UInt64(MemoryLayout<spar_component>.size)
    $0.kind = UInt32(SPAR_KIND_BACKEND)
    $0.id = foreverText("reference")
    $0.name = foreverText("Plain reference")
    $0.doc = foreverText("loops with f64 sums that define every operation; slow, for checking")
    $0.probe = { _, score in
      score?.pointee = 1
      return Int32(SPAR_OK)
    }
    $0.create = { _, _, created in
      // No state, but hosts take NULL for a failure: the table itself will do.
      created?.pointee = UnsafeMutableRawPointer(mutating: ReferenceBackend.api)
      return Int32(SPAR_OK)
    }
    $0.destroy = { _ in }
    $0.api = UnsafeRawPointer(ReferenceBackend.api)
  }

  nonisolated(unsafe) public static let plugin: UnsafePointer<spar_plugin> = forever {
    $0.struct_size = UInt64(MemoryLayout<spar_plugin>.size)
    $0.generation = SPAR_ABI_GENERATION
    $0.revision = SPAR_ABI_REVISION
    $0.id = foreverText("org.spar.reference")
    $0.name = foreverText("Spar reference")
    $0.version = foreverText("1.0.0")
    $0.vendor = foreverText("Spar")
    $0.license = foreverText("Apache-2.0")
    $0.url = foreverText("")
    $0.components = component
    $0.n_components = 1
  }
}
