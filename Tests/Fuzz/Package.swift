// swift-tools-version: 6.2
import PackageDescription

// Built apart from the product, by `make fuzz`: every module is compiled with libFuzzer's coverage
// counters and the address sanitizer. scripts/fuzz.sh puts this manifest beside a link to the
// tree's Sources, because a package may not reach outside of its folder.

let instrumented: [SwiftSetting] = [
  // Without the second flag Swift emits counters of a kind that libFuzzer reads no more.
  .unsafeFlags([
    "-sanitize=fuzzer,address",
    "-sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table",
    "-enable-testing",
  ])
]
let instrumentedC: [CSetting] = [
  .unsafeFlags(["-O1", "-fsanitize=fuzzer-no-link,address"])
]

let package = Package(
  name: "spar-fuzz",
  targets: [
    .target(name: "CSparPlugin", path: "Sources/CSparPlugin"),
    .target(name: "CSparThreads", path: "Sources/CSparThreads", cSettings: instrumentedC),
    .target(
      name: "CSparKernels", dependencies: ["CSparPlugin", "CSparThreads"],
      path: "Sources/CSparKernels", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CHDF5", path: "Sources/CHDF5", pkgConfig: "hdf5"),
    .systemLibrary(name: "CPCRE2", path: "Sources/CPCRE2", pkgConfig: "libpcre2-8"),
    .target(
      name: "SparTensor", dependencies: ["CSparPlugin"], path: "Sources/SparTensor",
      swiftSettings: instrumented),
    .target(
      name: "SparCompute", dependencies: ["SparTensor", "CSparPlugin", "CSparKernels"],
      path: "Sources/SparCompute", swiftSettings: instrumented),
    .target(
      name: "SparText", dependencies: ["CPCRE2"], path: "Sources/SparText",
      swiftSettings: instrumented),
    .systemLibrary(name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib"),
    .systemLibrary(name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd"),
    .target(
      name: "SparData", dependencies: ["SparText", "SparTensor", "CZlib", "CZstd"],
      path: "Sources/SparData", swiftSettings: instrumented),
    .target(
      name: "SparStore", dependencies: ["SparTensor", "CHDF5"], path: "Sources/SparStore",
      swiftSettings: instrumented),
    .target(
      name: "SparModel",
      dependencies: ["SparTensor", "SparCompute", "SparText", "SparStore", "CSparPlugin"],
      path: "Sources/SparModel", swiftSettings: instrumented),
    .executableTarget(
      name: "spar-fuzz", dependencies: ["SparModel", "SparText", "SparStore", "SparData"],
      path: "Fuzz",
      swiftSettings: instrumented + [.swiftLanguageMode(.v5)],
      linkerSettings: [
        // gold, the default, fails on the debug information of the sanitizers; lld would drop the
        // sections with the coverage counters, which only their start and stop symbols name.
        .unsafeFlags([
          "-sanitize=fuzzer", "-sanitize=address", "-use-ld=lld", "-Xlinker", "-z", "-Xlinker",
          "nostart-stop-gc",
        ])
      ]),
  ]
)
