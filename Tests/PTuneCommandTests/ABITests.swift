import Foundation
import Testing

/// What was built against ptune.h 1.0 has to work with every ptune of version 1. Tests/ABI/1.0 is kept as it was then.
@Suite("Plugins of ABI 1.0") struct ABITests {
  private static let root = URL(fileURLWithPath: Desk.fixtures).deletingLastPathComponent()
    .deletingLastPathComponent().path
  private static let pinned = root + "/Tests/ABI/1.0"
  private static let current = root + "/Sources/CPTune/include"

  private func header(_ folder: String) throws -> Header {
    try Header(try String(contentsOfFile: folder + "/ptune.h", encoding: .utf8))
  }

  @Test("every declaration of 1.0 stands in the header word by word, and no constant has another value")
  func declarations() throws {
    let (first, now) = (try header(Self.pinned), try header(Self.current))
    #expect(first.declarations.count > 50)
    for declaration in first.declarations {
      #expect(now.declarations.contains(declaration), "\(declaration)")
    }
    for (name, value) in first.constants { #expect(now.constants[name] == value, "\(name)") }
  }

  @Test("every struct has the size that it had in 1.0, and every field its place")
  func layout() throws {
    let desk = try Desk()
    try desk.write("layout.c", try header(Self.pinned).layoutProgram)
    func layout(_ folder: String) throws -> String {
      let run = try desk.shell("cc -std=c11 -w -I '\(folder)' -o layout layout.c && ./layout")
      try #require(run.status == 0, "\(run.errors)")
      return run.output
    }
    let first = try layout(Self.pinned)
    #expect(first.contains("ptune_adapter_v1 "))
    #expect(try layout(Self.current) == first)
  }

  /// Lets `check-plugin` look at all components of the plugin of the first release.
  private func check(_ library: String, _ desk: Desk) throws {
    try desk.model("first") { $0.replacingOccurrences(of: #""bert""#, with: #""first-model""#) }
    let outcome = try desk.ptune("check-plugin", library, "--model", "first")
    #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
    for part in [
      "adapter first-adapter", "selector first-selector", "task-head first-head", "base-model first-model",
    ] {
      #expect(outcome.output.contains(part))
    }
    #expect(outcome.output.contains(" passed, 0 failed, "), "\(outcome.output)")
    #expect(outcome.output.contains("ok  gradients of rows at its input are correct"))
  }

  @Test("a plugin with a component of each kind, compiled against the header of 1.0, passes check-plugin")
  func compiled() throws {
    let desk = try Desk()
    let built = try desk.shell(
      "umask 022; cc -std=c11 -Wall -Wextra -Werror -fPIC -shared -I '\(Self.pinned)' -o libptune_first.so "
        + "'\(Self.pinned)/first.c'")
    try #require(built.status == 0, "\(built.errors)")
    try check("libptune_first.so", desk)
  }

  #if os(Linux) && arch(x86_64) && canImport(Glibc)
    @Test("the plugin that was built with the first release passes check-plugin, trains and predicts")
    func stored() throws {
      let desk = try Desk()
      let copied = try desk.shell(
        "umask 022; mkdir plugins && cp '\(Self.pinned)/x86_64-linux/libptune_first.so' plugins && chmod 755 plugins/*"
      )
      try #require(copied.status == 0, "\(copied.errors)")
      try check("plugins/libptune_first.so", desk)
      try desk.write(
        "first.yaml",
        Desk.run.replacingOccurrences(of: "model: model", with: "model: first")
          .replacingOccurrences(
            of: "plugin: p-tuning-v2, virtual_tokens: 4, depth: 2", with: "plugin: first-adapter"
          )
          .replacingOccurrences(of: "plugin: sequence-classification, dropout: 0", with: "plugin: first-head")
      )
      let trained = try desk.ptune("train", "first.yaml", "--plugin-path", "plugins", "--quiet")
      #expect(trained.status == 0, "\(trained.errors)")
      let predicted = try desk.ptune(
        "predict", "--adapter", "out/adapter", "--plugin-path", "plugins", "--text", "a good film")
      #expect(predicted.status == 0, "\(predicted.errors)")
      #expect(predicted.output.contains(#""class""#), "\(predicted.output)")
    }
  #endif
}

/// The declarations of a ptune.h.
private struct Header {
  /// Types, structs and functions, without comments, with single spaces.
  private(set) var declarations: Set<String> = []
  /// Enumerators, numbers and ids.
  private(set) var constants: [String: String] = [:]
  /// The fields of each struct.
  private var structs: [(name: String, fields: [String])] = []

  init(_ text: String) throws {
    var text = text.replacing(/\/\*(.|\n)*?\*\//, with: " ")
    text.replace(/#ifdef __cplusplus(.|\n)*?#endif/, with: "")
    for match in text.matches(of: /#define (PTUNE_\w+) ("[^"]*"|\d+)/) {
      // A ptune of a later minor version says so.
      if match.1 != "PTUNE_ABI_MINOR" { constants[String(match.1)] = String(match.2) }
    }
    text.replace(/(?m)^#.*$/, with: "")
    var (depth, declaration) = (0, "")
    for character in text {
      depth += character == "{" ? 1 : character == "}" ? -1 : 0
      if character == ";", depth == 0 {
        try add(declaration.split(whereSeparator: \.isWhitespace).joined(separator: " "))
        declaration = ""
      } else {
        declaration.append(character)
      }
    }
  }

  private mutating func add(_ declaration: String) throws {
    if let match = declaration.wholeMatch(of: /enum \{ (.*) \}/) {
      // Later versions may add codes.
      for code in match.1.split(separator: ",") {
        let parts = code.split(separator: "=").map { $0.trimmingCharacters(in: .whitespaces) }
        try #require(parts.count == 2, "a code without a number: \(code)")
        constants[parts[0]] = parts[1]
      }
      return
    }
    declarations.insert(declaration)
    guard let match = declaration.wholeMatch(of: /typedef struct \w+ \{ (.*) \} (\w+)/) else { return }
    let fields = match.1.split(separator: ";").flatMap { field -> [String] in
      if let function = field.firstMatch(of: /\(\*(?:\(\*)?(\w+)\)\(/) { return [String(function.1)] }
      return field.split(separator: ",").compactMap { $0.firstMatch(of: /(\w+)\s*$/).map { String($0.1) } }
    }
    structs.append((String(match.2), fields))
  }

  /// A program that prints sizes and places.
  var layoutProgram: String {
    let lines = structs.flatMap { name, fields in
      [#"printf("\#(name) %zu\n", sizeof(\#(name)));"#]
        + fields.map {
          #"printf("\#(name).\#($0) %zu %zu\n", offsetof(\#(name), \#($0)), sizeof(((\#(name) *)0)->\#($0)));"#
        }
    }
    return
      "#include <stdio.h>\n#include \"ptune.h\"\nint main(void) {\n\(lines.joined(separator: "\n"))\nreturn 0;\n}\n"
  }
}
