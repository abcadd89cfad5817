// swift-tools-version: 6.2
import PackageDescription

// Where the kit is: in an installed ptune, PREFIX/share/ptune/kit/ptune; or a checkout of ptune.
let kit = Context.environment["PTUNE_KIT"] ?? "__KIT__"

let package = Package(
  name: "__NAME__",
  platforms: [.macOS(.v15)],
  products: [.library(name: "ptune___SNAKE__", type: .dynamic, targets: ["__TYPE__"])],
  dependencies: [.package(name: "ptune", path: kit)],
  targets: [
    .target(
      name: "__TYPE__",
      // The kit has besides what the plugins of ptune share: PTuneLayers and PTuneEncoders for base models,
      // PTunePrompts for adapters, PTuneClassification for task heads.
      dependencies: [.product(name: "PTune", package: "ptune")],
      linkerSettings: [
        // Only the entry function is exported: the kit is linked into each plugin, and its symbols must not meet
        // those of another copy.
        .unsafeFlags(
          ["-Xlinker", "--version-script=\(Context.packageDirectory)/Linker/plugin.map"],
          .when(platforms: [.linux]))
      ])
  ],
  swiftLanguageModes: [.v6]
)
