import Foundation
import PTuneFormats
import Testing

/// A plugin that goes wrong in the middle of a training: who did it is told, and what was on disk stays.
@Suite("Plugins that misbehave in a training") struct MisbehavingPluginTests {
  private static let source =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Plugins/misbehaves.c"
  private static let include =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path + "/Sources/CPTune/include"

  /// A desk with the plugin, and a trained adapter in out/.
  private func desk() throws -> Desk {
    let desk = try Desk()
    let built = try desk.shell(
      "mkdir -m 755 plugins; cc -std=c11 -Wall -Wextra -Werror -Wno-array-bounds -fPIC -shared -I '\(Self.include)' "
        + "-o plugins/libptune_misbehaves.so '\(Self.source)' -lpthread && chmod 755 plugins/*")
    try #require(built.status == 0, "\(built.errors)")
    #expect(try desk.ptune("train", "run.yaml", "--quiet", "--max-steps", "1").status == 0)
    return desk
  }

  private func train(_ desk: Desk, _ how: String, _ more: String = "") throws -> Outcome {
    try desk.shell(
      "ulimit -c 0; ptune train run.yaml --quiet --overwrite --max-steps 3 "
        + "--plugin-path plugins --adapter misbehaves --set adapter.how=\(how) \(more)")
  }

  private func adapter(_ desk: Desk) throws -> [[UInt8]] {
    try ["adapter_config.json", "adapter_model.safetensors"].map { try desk.bytes("out/adapter/\($0)") }
  }

  @Test("what the host can see is an error with the component, its file and the call; the old adapter stays")
  func seen() throws {
    let desk = try desk()
    let before = try adapter(desk)
    for (how, reason) in [
      ("garbage", "got a pointer that is not a tensor of this step"),
      ("batch-as-tensor", "got a pointer that is not a tensor of this step"),
      ("garbage-injections", "got a pointer that is no injections of this step"),
      ("kept", "got a pointer that is not a tensor of this step"),
      ("shape", "injection of input: rows [2, 7] for a hidden size of 32"),
      ("another-thread", "got a tensor that failed before"),
      ("without-end", "more than 200000 operators in one step"),
      ("too-large", "[18446744073709551611, 32] is too large"),
      ("no-reason", "no reason given"),
      ("strange-status", "no reason given"),
    ] {
      let result = try train(desk, how)
      #expect(result.status == 1, "\(how): \(result.errors)")
      #expect(
        result.errors.contains("adapter misbehaves (FOLDER/plugins/libptune_misbehaves.so), inject: "),
        "\(how): \(result.errors)")
      #expect(result.errors.contains(reason), "\(how): \(result.errors)")
      #expect(try adapter(desk) == before, "\(how)")
    }
    let twice = try train(desk, "parameter-twice")
    #expect(twice.status == 1)
    #expect(
      twice.errors.contains("adapter misbehaves (FOLDER/plugins/libptune_misbehaves.so), create: "),
      "\(twice.errors)")
    let infinite = try train(desk, "not-a-number")
    #expect(infinite.status == 1)
    #expect(infinite.errors.contains("at step 1, in the batch of FOLDER/train.tsv:"), "\(infinite.errors)")
  }

  @Test("a crash names the component, its file and the call, and the old adapter stays")
  func crashes() throws {
    let desk = try desk()
    let before = try adapter(desk)
    for (how, signal) in [("segfault", "SIGSEGV"), ("abort", "SIGABRT"), ("frees-twice", "SIGABRT")] {
      let result = try train(desk, how, "; echo $?")
      #expect(result.output == "\(128 + (signal == "SIGSEGV" ? SIGSEGV : SIGABRT))\n", "\(how)")
      #expect(
        result.errors.contains(
          "error: adapter misbehaves (FOLDER/plugins/libptune_misbehaves.so), inject crashed (\(signal))\n"),
        "\(how): \(result.errors)")
      #expect(!result.errors.contains("Program crashed"), "\(how): \(result.errors)")
      #expect(try adapter(desk) == before, "\(how)")
    }
  }

  #if os(Linux)
    @Test("so does a C++ exception that leaves the plugin")
    func exception() throws {
      let desk = try desk()
      try desk.write(
        "throws.cpp",
        """
        #include "ptune.h"
        static ptune_status create(ptune_call *, void **self, const char *) { *self = nullptr; return PTUNE_OK; }
        static size_t positions(void *) { return 0; }
        static ptune_status inject(void *, ptune_call *, ptune_batch *, ptune_injections *) { throw 7; }
        static const ptune_adapter_v1 methods = {sizeof methods, positions, inject, nullptr};
        static ptune_component_v1 component;
        static const ptune_component_v1 *const components[] = {&component};
        static const ptune_plugin_v1 plugin = {sizeof plugin, "org.example.throws", "1", "c++", 1, components};
        extern "C" PTUNE_EXPORT const ptune_plugin_v1 *ptune_plugin_entry_v1(const ptune_host_v1 *) {
          component.struct_size = sizeof component;
          component.kind = PTUNE_ADAPTER;
          component.name = component.summary = "misbehaves";
          component.schema = "misbehaves(string how \"what\")";
          component.methods = &methods;
          component.create = (void (*)(void))create;
          return &plugin;
        }
        """)
      let built = try desk.shell(
        "c++ -fPIC -shared -I '\(Self.include)' -o plugins/libptune_misbehaves.so throws.cpp")
      // A machine without a C++ compiler has nothing to throw with.
      guard built.status == 0 else { return }
      let result = try train(desk, "throws", "; echo $?")
      #expect(result.output == "\(128 + SIGABRT)\n")
      #expect(
        result.errors.contains(
          "adapter misbehaves (FOLDER/plugins/libptune_misbehaves.so), inject crashed (SIGABRT)"))
    }
  #endif
}
