// swift-tools-version: 6.2
import PackageDescription

// The kit that plugins in Swift are written with, as an installed ptune has it: the header and its Swift side.
let package = Package(
  name: "ptune",
  platforms: [.macOS(.v15)],
  products: [.library(name: "PTune", targets: ["PTune", "PTuneLibc"])],
  targets: [
    .target(name: "CPTune"),
    .target(name: "PTuneLibc"),
    .target(name: "PTune", dependencies: ["CPTune", "PTuneLibc"]),
  ],
  swiftLanguageModes: [.v6]
)
