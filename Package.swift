// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// A plugin is one dynamic library with exactly one exported symbol; the version script hides the rest.
struct Plugin {
  let library: String
  let target: String
  let folder: String
  /// Targets it links beside the kit.
  var parts: [String] = []
}

let plugins = [
  Plugin(
    library: "ptune_bert", target: "BertBaseModel", folder: "BaseModels/Bert", parts: ["PTuneEncoders"]),
  Plugin(
    library: "ptune_distilbert", target: "DistilBertBaseModel", folder: "BaseModels/DistilBert",
    parts: ["PTuneEncoders"]),
  Plugin(
    library: "ptune_roberta", target: "RobertaBaseModel", folder: "BaseModels/Roberta",
    parts: ["PTuneEncoders"]),
  Plugin(
    library: "ptune_gpt2", target: "Gpt2BaseModel", folder: "BaseModels/Gpt2", parts: ["PTuneLayers"]),
  Plugin(
    library: "ptune_llama", target: "LlamaBaseModel", folder: "BaseModels/Llama", parts: ["PTuneLayers"]),
  Plugin(
    library: "ptune_prompt_tuning", target: "PromptTuningAdapter", folder: "Adapters/PromptTuning",
    parts: ["PTunePrompts"]),
  Plugin(
    library: "ptune_prefix_tuning", target: "PrefixTuningAdapter", folder: "Adapters/PrefixTuning",
    parts: ["PTunePrompts"]),
  Plugin(library: "ptune_p_tuning", target: "PTuningAdapter", folder: "Adapters/PTuning"),
  Plugin(
    library: "ptune_prompt_pool", target: "PromptPoolAdapter", folder: "Adapters/PromptPool",
    parts: ["PTunePrompts"]),
  Plugin(
    library: "ptune_multitask_prompt_tuning", target: "MultitaskPromptTuningAdapter",
    folder: "Adapters/MultitaskPromptTuning", parts: ["PTunePrompts"]),
  Plugin(library: "ptune_lora", target: "LoRAAdapter", folder: "Adapters/LoRA"),
  Plugin(library: "ptune_ia3", target: "IA3Adapter", folder: "Adapters/IA3"),
  Plugin(
    library: "ptune_residual_prompt_tuning", target: "ResidualPromptTuningAdapter",
    folder: "Adapters/ResidualPromptTuning", parts: ["PTunePrompts"]),
  Plugin(library: "ptune_task", target: "TaskSelector", folder: "Selectors/Task"),
  Plugin(library: "ptune_attention", target: "AttentionSelector", folder: "Selectors/Attention"),
  Plugin(library: "ptune_top_k", target: "TopKSelector", folder: "Selectors/TopK"),
  Plugin(
    library: "ptune_p_tuning_v2", target: "PTuningV2Adapter", folder: "Adapters/PTuningV2",
    parts: ["PTunePrompts"]),
  Plugin(
    library: "ptune_sequence_classification", target: "SequenceClassificationHead",
    folder: "TaskHeads/SequenceClassification", parts: ["PTuneClassification"]),
  Plugin(
    library: "ptune_masked_lm_verbalizer", target: "MaskedLMVerbalizerHead",
    folder: "TaskHeads/MaskedLMVerbalizer", parts: ["PTuneClassification"]),
  Plugin(
    library: "ptune_token_classification", target: "TokenClassificationHead",
    folder: "TaskHeads/TokenClassification", parts: ["PTuneClassification"]),
  Plugin(
    library: "ptune_extractive_qa", target: "ExtractiveQAHead", folder: "TaskHeads/ExtractiveQA"),
  Plugin(
    library: "ptune_multiple_choice", target: "MultipleChoiceHead", folder: "TaskHeads/MultipleChoice"),
  Plugin(library: "ptune_causal_lm", target: "CausalLMHead", folder: "TaskHeads/CausalLM"),
  Plugin(
    library: "ptune_regression", target: "RegressionHead", folder: "TaskHeads/Regression",
    parts: ["PTuneClassification"]),
]

let versionScript = "\(Context.packageDirectory)/Linker/plugin.map"

#if os(Linux)
  let pluginLinkerSettings: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--version-script=\(versionScript)"])
  ]
#else
  let pluginLinkerSettings: [LinkerSetting] = []
#endif

/// oneDNN is opened at run time; only its header is needed to compile the code that drives it.
let hasOneDNN = ["/usr/include", "/usr/local/include", "/opt/homebrew/include"].contains {
  FileManager.default.fileExists(atPath: "\($0)/oneapi/dnnl/dnnl.h")
}

/// Tests of one target. They find the files to leave alone through #filePath, so the package manager does not
/// handle them.
struct TestsOf {
  let target: String
  var others: [String] = []
  var leaveAlone: [String] = []
}

let tests = [
  TestsOf(target: "PTuneVisibleText"),
  TestsOf(target: "CPTuneKernels", others: ["PTuneLibc"]),
  TestsOf(target: "PTune"),
  TestsOf(
    target: "PTuneEngine", others: ["CPTune", "CPTuneKernels", "PTune", "PTuneFormats", "PTuneTesting"]),
  // The hostile plugins are C files that the tests compile themselves.
  TestsOf(target: "PTunePlugins", others: ["CPTune"], leaveAlone: ["Hostile"]),
  TestsOf(target: "PTuneFormats", others: ["PTuneLibc"]),
  TestsOf(target: "PTuneHub", others: ["PTuneFormats"], leaveAlone: ["hub_server.py"]),
  TestsOf(target: "PTuneText", others: ["PTune", "PTuneFormats"], leaveAlone: ["Fixtures"]),
  TestsOf(
    target: "PTuneComposition",
    others: [
      "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneJinja", "TestSupport",
    ]),
  TestsOf(
    target: "PTuneAdapters",
    others: [
      "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition", "PTuneGeneration",
      "PTuneRunFile", "PTuneTraining", "TestSupport",
    ]),
  TestsOf(
    target: "PTuneGeneration",
    others: ["PTuneEngine", "PTuneFormats", "PTuneText", "PTuneComposition", "TestSupport"]),
  TestsOf(
    target: "PTuneRunFile", others: ["PTuneFormats", "PTunePlugins", "PTuneText", "PTuneComposition"]),
  TestsOf(
    target: "PTuneTraining",
    others: [
      "CPTuneKernels", "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText",
      "PTuneComposition", "PTuneAdapters", "PTuneRunFile", "PTuneTesting", "TestSupport",
    ]),
  TestsOf(
    target: "PTuneComparison",
    others: ["PTuneFormats", "PTunePlugins", "PTuneComposition", "PTuneRunFile", "TestSupport"]),
  TestsOf(
    target: "PTuneTesting",
    others: ["CPTune", "PTune", "PTuneEngine", "PTunePlugins", "PTuneComposition", "PTuneTraining"]),
  TestsOf(target: "PTuneTerminal"),
  TestsOf(target: "PTuneReport", others: ["PTuneFormats"]),
  // The faulty plugin is a C file that the tests compile themselves.
  TestsOf(
    target: "PTuneCommand", others: ["PTuneFormats", "PTunePlugins", "PTuneTerminal"],
    leaveAlone: ["Plugins"]),
  TestsOf(target: "PTuneFuzzing"),
]

/// Tests of plugins, which they find as ptune does: the plugins' targets are no dependencies.
let pluginTests: [Target] = [
  .testTarget(
    name: "PluginsTests",
    dependencies: [
      "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
      "PTuneAdapters",
      "PTuneRunFile", "PTuneTraining", "PTuneTesting", "TestSupport",
    ])
]

/// The command that fuzzes needs the runtime of `--sanitize fuzzer --sanitize address`; `Scripts/check/fuzz` builds it.
let fuzzCommand: [Target] =
  Context.environment["PTUNE_FUZZ"] == nil
  ? []
  : [
    .target(name: "CPTuneFuzzMemory", path: "Fuzz/Memory"),
    .executableTarget(
      name: "ptune-fuzz", dependencies: ["CPTuneFuzzMemory", "PTuneLibc", "PTuneFuzzing"],
      path: "Fuzz/Command"),
  ]

let package = Package(
  name: "ptune",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "ptune", targets: ["PTuneCommand"]),
    .library(name: "PTune", targets: ["PTune", "PTuneLibc"]),
    .library(name: "PTuneLayers", targets: ["PTuneLayers"]),
    .library(name: "PTuneEncoders", targets: ["PTuneEncoders"]),
    .library(name: "PTunePrompts", targets: ["PTunePrompts"]),
    .library(name: "PTuneClassification", targets: ["PTuneClassification"]),
    .library(name: "PTuneTesting", targets: ["PTuneTesting"]),
  ] + plugins.map { .library(name: $0.library, type: .dynamic, targets: [$0.target]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // The plugin ABI (one C header) and the core that bridges it to Swift.
    .target(name: "CPTune"),
    // The platform's C library, which everything else imports under this name.
    .target(name: "PTuneLibc"),
    .target(name: "PTune", dependencies: ["CPTune", "PTuneLibc"]),

    // What several plugins share; each links its own copy.
    .target(name: "PTuneLayers", dependencies: ["PTune"]),
    .target(name: "PTuneEncoders", dependencies: ["PTune", "PTuneLayers"]),
    .target(name: "PTuneClassification", dependencies: ["PTune", "PTuneLibc"]),
    .target(name: "PTunePrompts", dependencies: ["PTune"]),

    // What people see of text from outside.
    .target(name: "PTuneVisibleText"),

    // The engine.
    .target(
      name: "CPTuneKernels",
      cSettings: [
        .headerSearchPath("."),
        .unsafeFlags(["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"]),
      ] + (hasOneDNN ? [.define("PTUNE_HAVE_ONEDNN")] : [])),
    .target(name: "PTuneEngine", dependencies: ["CPTune", "PTune", "PTuneLibc", "CPTuneKernels"]),

    // Plugins: discovery, probing, loading, construction.
    .systemLibrary(name: "CFFI", pkgConfig: "libffi", providers: [.apt(["libffi-dev"]), .brew(["libffi"])]),
    .target(name: "CPTunePlatform"),
    .target(
      name: "PTunePlugins",
      dependencies: ["CPTune", "PTune", "PTuneLibc", "PTuneFormats", "CFFI", "CPTunePlatform"]),

    // Files and text.
    .target(name: "PTuneFormats", dependencies: ["CPTunePlatform", "PTuneLibc", "PTuneVisibleText"]),
    .target(name: "PTuneJinja", dependencies: ["PTuneFormats", "PTuneLibc"]),
    .target(name: "CPTuneInflate"),
    .target(
      name: "PTuneText", dependencies: ["PTune", "PTuneLibc", "PTuneFormats", "PTuneJinja", "CPTuneInflate"]),
    .target(name: "CPTuneCurl"),
    .target(name: "PTuneHub", dependencies: ["PTuneLibc", "PTuneFormats", "CPTuneCurl"]),

    // Adapters on base models: what evaluates, predicts and generates ends here, without YAML and without training.
    .target(
      name: "PTuneComposition",
      dependencies: [
        "CPTune", "PTune", "PTuneLibc", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText",
      ]),
    .target(
      name: "PTuneAdapters",
      dependencies: [
        "CPTune", "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
      ]),
    .target(
      name: "PTuneGeneration",
      dependencies: [
        "PTune", "PTuneLibc", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
        "PTuneAdapters",
      ]),

    // Run files and training.
    .target(
      name: "PTuneRunFile",
      dependencies: [
        "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(
      name: "PTuneTraining",
      dependencies: [
        "CPTune", "PTune", "PTuneLibc", "CPTuneKernels", "PTuneEngine", "PTunePlugins", "PTuneFormats",
        "PTuneText",
        "PTuneComposition", "PTuneAdapters", "PTuneGeneration", "PTuneRunFile",
      ]),
    .target(
      name: "PTuneComparison",
      dependencies: [
        "PTune", "PTuneLibc", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
        "PTuneAdapters",
        "PTuneRunFile",
        "PTuneTraining",
      ]),

    // Results for people.
    .target(name: "PTuneTerminal"),
    .target(
      name: "PTuneReport",
      dependencies: ["PTune", "PTuneLibc", "PTuneFormats", "PTuneClassification", "PTuneTerminal"]),

    // What plugin authors, and the tests here, check a plugin with.
    .target(
      name: "PTuneTesting",
      dependencies: [
        "CPTune", "PTune", "PTuneLibc", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneComposition",
        "PTuneTerminal", "CPTunePlatform",
      ]),
    // Every parser of outside data, for fuzzing and for tests with damaged inputs.
    .target(
      name: "PTuneFuzzing",
      dependencies: [
        "PTuneLibc", "PTuneFormats", "PTuneText", "PTunePlugins", "PTuneAdapters", "PTuneRunFile",
      ],
      path: "Fuzz/Targets"),
    // What the tests of several modules share.
    .target(
      name: "TestSupport",
      dependencies: [
        "PTune", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneText", "PTuneComposition",
        "PTuneAdapters", "PTuneRunFile", "PTuneTraining", "PTuneTesting",
      ],
      path: "Tests/Support"),
    .executableTarget(
      name: "PTuneCommand",
      dependencies: [
        "CPTune", "PTune", "PTuneLibc", "PTuneEngine", "PTunePlugins", "PTuneFormats", "PTuneHub",
        "PTuneText",
        "PTuneComposition", "PTuneAdapters", "PTuneGeneration", "PTuneRunFile", "PTuneTraining",
        "PTuneComparison", "PTuneTerminal", "PTuneVisibleText", "PTuneReport", "PTuneTesting",
        "CPTuneKernels",
        "CPTunePlatform",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
  ]
    + plugins.map {
      .target(
        name: $0.target,
        dependencies: (["CPTune", "PTune", "PTuneLibc"] + $0.parts).map { .target(name: $0) },
        path: "Plugins/\($0.folder)",
        linkerSettings: pluginLinkerSettings)
    }
    + tests.map {
      .testTarget(
        name: "\($0.target)Tests", dependencies: ([$0.target] + $0.others).map { .target(name: $0) },
        path: "Tests/\($0.target)Tests", exclude: $0.leaveAlone)
    } + pluginTests + fuzzCommand,
  swiftLanguageModes: [.v6]
)
