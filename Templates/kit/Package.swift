// swift-tools-version: 6.2
import PackageDescription

// The kit that plugins in Swift are written with, as an installed ptune has it: the header, its Swift side, and what the
// plugins of ptune itself share.
let package = Package(
  name: "ptune",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "PTune", targets: ["PTune", "PTuneLibc"]),
    .library(name: "PTuneLayers", targets: ["PTuneLayers"]),
    .library(name: "PTuneEncoders", targets: ["PTuneEncoders"]),
    .library(name: "PTunePrompts", targets: ["PTunePrompts"]),
    .library(name: "PTuneClassification", targets: ["PTuneClassification"]),
  ],
  targets: [
    .target(name: "CPTune"),
    .target(name: "PTuneLibc"),
    .target(name: "PTune", dependencies: ["CPTune", "PTuneLibc"]),
    .target(name: "PTuneLayers", dependencies: ["PTune"]),
    .target(name: "PTuneEncoders", dependencies: ["PTune", "PTuneLayers"]),
    .target(name: "PTunePrompts", dependencies: ["PTune"]),
    .target(name: "PTuneClassification", dependencies: ["PTune", "PTuneLibc"]),
  ],
  swiftLanguageModes: [.v6]
)
