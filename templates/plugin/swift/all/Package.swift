// swift-tools-version: 6.2
import PackageDescription

/// Folder of spar_plugin.h where pkg-config does not know it.
let include = Context.environment["SPAR_INCLUDE"] ?? "@INCLUDE@"
let search: [SwiftSetting] = include.isEmpty ? [] : [.unsafeFlags(["-Xcc", "-I\(include)"])]

let package = Package(
  name: "spar-@NAME@",
  products: [
    .library(name: "spar-@NAME@", type: .dynamic, targets: ["@MODULE@"])
  ],
  targets: [
    .systemLibrary(name: "CSpar", pkgConfig: "spar"),
    .target(name: "@MODULE@Core"),
    .target(
      name: "@MODULE@",
      dependencies: ["CSpar", "@MODULE@Core"],
      swiftSettings: search,
      linkerSettings: [
        // The library brings its own Swift runtime and exports its entry only, so that it does not
        // depend on the Swift that Spar was built with.
        .unsafeFlags([
          "-static-stdlib",
          "-Xlinker", "--version-script=\(Context.packageDirectory)/exports.map",
        ])
      ]),
    .testTarget(name: "@MODULE@Tests", dependencies: ["@MODULE@Core"]),
  ]
)
