// swift-tools-version: 6.2
import PackageDescription

/// Every plugin exports one symbol, its entry; all else stays inside.
let exportsEntryOnly: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "--version-script=Plugins/exports.map"])
]

/// Tests look inside these modules, in release builds too.
let testable: [SwiftSetting] = [.unsafeFlags(["-enable-testing"])]

func plugin(_ product: String, _ target: String) -> Product {
  .library(name: product, type: .dynamic, targets: [target])
}

func swiftPlugin(_ target: String, path: String, more: [Target.Dependency] = []) -> Target {
  .target(
    name: target, dependencies: ["CSparPlugin", "SparPluginKit"] + more, path: path,
    linkerSettings: exportsEntryOnly)
}

let package = Package(
  name: "spar",
  products: [
    .executable(name: "spar", targets: ["SparCLI"]),
    plugin("spar-openblas", "OpenBLASBackend"),
    plugin("spar-numa", "NUMABackend"),
    plugin("spar-sppo", "SPPOObjective"),
    plugin("spar-gpo", "GPOObjective"),
    plugin("spar-dpo", "DPOObjective"),
    plugin("spar-length", "LengthRanker"),
    plugin("spar-likelihood", "LikelihoodRanker"),
    plugin("spar-pairrm", "PairRMRanker"),
    plugin("spar-gpm", "GPMRanker"),
    plugin("spar-bradley-terry", "BradleyTerryRanker"),
    plugin("spar-pair-lm", "PairLMRanker"),
    plugin("spar-judge", "JudgeRanker"),
    plugin("spar-verifier", "VerifierRanker"),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Floor 0
    .target(name: "CSparPlugin"),
    .target(name: "CSparThreads", cSettings: [.unsafeFlags(["-O2"])]),
    .target(name: "CSparHeap"),
    .target(
      name: "CSparKernels", dependencies: ["CSparPlugin", "CSparThreads"],
      cSettings: [.unsafeFlags(["-O3"])]),
    .systemLibrary(
      name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(
      name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .target(name: "SparTensor", dependencies: ["CSparPlugin"]),

    // Floor 1
    .target(name: "SparCompute", dependencies: ["SparTensor", "CSparPlugin", "CSparKernels"]),
    .target(name: "SparText", dependencies: ["CPCRE2"], swiftSettings: testable),
    .target(name: "SparStore", dependencies: ["SparTensor", "CHDF5"]),

    // Floor 2
    .target(
      name: "SparModel",
      dependencies: ["SparTensor", "SparCompute", "SparText", "SparStore", "CSparPlugin"],
      swiftSettings: testable),

    .target(
      name: "SparData", dependencies: ["SparText", "SparTensor", "CZlib", "CZstd"],
      swiftSettings: testable),
    .target(name: "SparDiagnostics", dependencies: ["SparStore"]),

    // Floor 3
    .target(
      name: "SparHost",
      dependencies: ["CSparPlugin", "CSparThreads", "SparTensor", "SparCompute", "SparPluginKit"],
      swiftSettings: testable),

    .target(
      name: "SparPreference",
      dependencies: ["SparHost", "SparStore", "SparDiagnostics", "SparTensor"]),
    .target(
      name: "SparConformance",
      dependencies: [
        "SparHost", "SparCompute", "SparTensor", "CSparPlugin", "CSparThreads", "CSparHeap",
      ]),

    // Floor 4
    .target(
      name: "SparGeneration", dependencies: ["SparModel", "SparHost", "SparData", "CSparThreads"]),
    .target(
      name: "SparRanking",
      dependencies: [
        "SparModel", "SparHost", "SparPreference", "SparDiagnostics", "SparStore", "CSparPlugin",
      ]),
    .target(
      name: "SparTraining",
      dependencies: [
        "SparModel", "SparHost", "SparPreference", "SparStore", "SparText", "SparData",
        "SparCompute", "SparTensor", "CSparPlugin",
      ]),
    .target(
      name: "SparEvaluation",
      dependencies: ["SparHost", "SparPreference", "SparDiagnostics", "SparStore", "SparTensor"]),

    .target(
      name: "SparRankerTraining",
      dependencies: [
        "SparTraining", "SparModel", "SparHost", "SparStore", "SparText", "SparCompute",
        "SparTensor", "SparPairInput",
      ], swiftSettings: testable),

    .target(
      name: "SparActivations",
      dependencies: ["SparModel", "SparStore", "SparCompute"]),

    // Floor 5
    .target(
      name: "SparPipeline",
      dependencies: [
        "SparActivations",
        "SparGeneration", "SparRanking", "SparTraining", "SparRankerTraining", "SparEvaluation",
        "SparPreference", "SparDiagnostics",
        "SparModel", "SparHost", "SparStore", "SparText", "SparData", "SparTensor",
        .product(name: "Yams", package: "Yams"),
      ]),

    // Floor 6
    .target(
      name: "SparReport",
      dependencies: [
        "SparPipeline", "SparTraining", "SparEvaluation", "SparPreference", "SparDiagnostics",
        "SparStore", "SparText", "SparTensor",
      ], swiftSettings: testable),
    .target(
      name: "SparSweeps",
      dependencies: ["SparPipeline", "SparEvaluation", "SparHost", "SparStore", "SparText"]),

    // Floor 7
    .executableTarget(
      name: "SparCLI",
      dependencies: [
        "SparActivations", "SparData", "SparDiagnostics", "SparRankerTraining", "SparReport",
        "SparSweeps", "SparPipeline",
        "SparGeneration", "SparRanking", "SparTraining", "SparEvaluation", "SparPreference",
        "SparConformance",
        "SparModel", "SparHost", "SparStore", "SparText", "SparCompute",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // For plugin authors in Swift
    .target(name: "SparPluginKit", dependencies: ["CSparPlugin"]),
    // What PairRM reads, for the plugin that ranks and for the stage that trains it
    .target(name: "SparPairInput"),

    .target(
      name: "CSparOperations", dependencies: ["CSparPlugin", "CSparThreads", "CSparKernels"],
      cSettings: [.unsafeFlags(["-O3"])]),

    // Plugins
    .target(
      name: "NUMABackend",
      dependencies: ["CSparPlugin", "CSparThreads", "CSparKernels", "CSparOperations"],
      path: "Plugins/Backends/NUMA", cSettings: [.unsafeFlags(["-O3"])],
      linkerSettings: exportsEntryOnly + [.linkedLibrary("m")]),
    .target(
      name: "OpenBLASBackend",
      dependencies: ["CSparPlugin", "CSparThreads", "CSparKernels", "CSparOperations"],
      path: "Plugins/Backends/OpenBLAS", cSettings: [.unsafeFlags(["-O3"])],
      linkerSettings: exportsEntryOnly + [.linkedLibrary("m")]),
    swiftPlugin("SPPOObjective", path: "Plugins/Objectives/SPPO"),
    swiftPlugin("GPOObjective", path: "Plugins/Objectives/GPO"),
    swiftPlugin("DPOObjective", path: "Plugins/Objectives/DPO"),
    swiftPlugin("LengthRanker", path: "Plugins/Rankers/Length"),
    swiftPlugin("LikelihoodRanker", path: "Plugins/Rankers/Likelihood"),
    swiftPlugin("PairRMRanker", path: "Plugins/Rankers/PairRM", more: ["SparPairInput"]),
    swiftPlugin("GPMRanker", path: "Plugins/Rankers/GPM"),
    swiftPlugin("BradleyTerryRanker", path: "Plugins/Rankers/BradleyTerry"),
    swiftPlugin("PairLMRanker", path: "Plugins/Rankers/PairLM"),
    swiftPlugin("JudgeRanker", path: "Plugins/Rankers/Judge"),
    swiftPlugin("VerifierRanker", path: "Plugins/Rankers/Verifier"),

    // Tests
    .target(name: "RankerFixtures", dependencies: ["SparModel"], path: "Tests/RankerFixtures"),
    .testTarget(name: "SparComputeTests", dependencies: ["SparCompute", "CSparPlugin"]),
    .testTarget(
      name: "SparTextTests", dependencies: ["SparText"], exclude: ["Differential", "Tools"]),
    .testTarget(
      name: "SparDataTests", dependencies: ["SparData", "SparText", "SparTensor"],
      exclude: ["Fixtures", "make_fixtures.py"]),
    .testTarget(name: "SparStoreTests", dependencies: ["SparStore", "SparModel"]),
    .testTarget(
      name: "SparModelTests",
      dependencies: ["SparModel", "SparHost", "SparTraining", "CSparPlugin"]),
    .testTarget(name: "SparHostTests", dependencies: ["SparHost"]),
    .testTarget(name: "SparConformanceTests", dependencies: ["SparConformance"]),
    .testTarget(
      name: "SparGenerationTests", dependencies: ["SparGeneration", "SparHost"]),
    .testTarget(
      name: "SparRankingTests",
      dependencies: ["SparRanking", "SparPreference", "CSparPlugin", "RankerFixtures"]),
    .testTarget(
      name: "RankerPluginTests",
      dependencies: [
        "SparPipeline", "SparRanking", "SparPreference", "SparStore", "SparModel", "SparHost",
        "SparCompute", "SparTensor", "SparPluginKit", "RankerFixtures",
      ]),
    .testTarget(
      name: "NUMATests", dependencies: ["SparHost", "SparModel", "SparTraining", "CSparPlugin"]),
    .testTarget(
      name: "SparEvaluationTests",
      dependencies: [
        "SparEvaluation", "SparPreference", "SparDiagnostics", "SparStore", "SparTensor",
      ]),
    .testTarget(
      name: "SparRankerTrainingTests",
      dependencies: ["SparRankerTraining", "SparModel", "SparTensor", "SparText"]),
    .testTarget(name: "SparDiagnosticsTests", dependencies: ["SparDiagnostics", "SparStore"]),
    .testTarget(name: "SparTrainingTests", dependencies: ["SparTraining"]),
    .testTarget(
      name: "SparPipelineTests", dependencies: ["SparPipeline", "SparText", "RankerFixtures"]),
    .testTarget(name: "SparActivationsTests", dependencies: ["SparActivations", "SparHost"]),
    .testTarget(
      name: "SparReportTests",
      dependencies: [
        "SparReport", "SparPipeline", "SparTraining", "SparEvaluation", "SparPreference",
        "SparDiagnostics", "SparStore",
      ]),
    .testTarget(
      name: "SparSweepsTests",
      dependencies: [
        "SparSweeps", "SparPipeline", "SparEvaluation", "SparModel", "SparStore", "SparTensor",
      ]),
    .testTarget(name: "HouseTests"),
    .testTarget(name: "InvariantTests", dependencies: ["SparStore", "SparModel"]),
    .testTarget(name: "SparCLITests", dependencies: ["RankerFixtures", "SparStore"]),
  ]
)
