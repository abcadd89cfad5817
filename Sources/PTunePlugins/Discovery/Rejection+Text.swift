import PTuneFormats
import PTuneLibc

extension Rejection: HelpfulError {
  /// Path, component and reason in one line.
  public var description: String {
    component.map { "\(path): component '\($0)' \(reason)" } ?? "\(path): \(reason)"
  }

  /// What the user can do.
  public var help: String? {
    switch reason {
    case .relativeFolder(let absolute): "write \(absolute)"
    case .missingFolder: "create the folder, or name the one that contains libptune_*.\(pluginSuffix)"
    case .notAFolder: "name the folder that contains the plugin: \(folder(of: path))"
    case .writable(.everyone, _, _): "chmod o-w '\(path)'"
    case .writable(.group, _, _): "chmod g-w '\(path)'"
    case .otherOwner: "copy it to a folder of your own, if you trust it"
    case .danglingLink: "rm '\(path)', or restore what it points to"
    case .notLocked(let lock):
      "if you trust it, pin it: `ptune lock\(option(lock)) --all`, or a run file for --all"
    case .changed(let lock, let names, _, _):
      "if you trust the file as it is now, accept it with `ptune lock\(option(lock)) --accept "
        + "\(names.first ?? "NAME")`, or with --add beside those for other builds; otherwise restore the old one"
    case .otherMachine: "build it for this machine"
    case .noEntry: "a plugin exports `ptune_plugin_entry_v1`; ptune.h shows how"
    case .otherInterface(let version):
      version > 1 ? "update ptune, or build the plugin with this version's ptune.h" : "build the plugin again"
    case .unknownKind: "update ptune"
    case .needs: "update ptune"
    case .badName: "name it in lower-case letters, digits and dashes, as in `prefix-tuning`"
    case .malformedSchema(let error): error.help
    case .otherSchemaName(_, let expected): "begin the schema with `\(expected)(`"
    case .culprit(_, .hang, _): "PTUNE_PROBE_TIMEOUT=10 gives each plugin ten seconds"
    case .unreadable, .notAFile, .notALibrary, .cannotOpen, .refused, .badDescription, .culprit, .notProbed,
      .repeatedComponent:
      nil
    }
  }
}

extension Rejection.Reason: CustomStringConvertible {
  /// The reason, as it goes on after the path.
  public var description: String {
    switch self {
    case .relativeFolder: "is relative; entries of PTUNE_PLUGIN_PATH have to be absolute"
    case .missingFolder: "there is no such folder"
    case .notAFolder: "is not a folder"
    case .unreadable(let why): "cannot be read: \(why)"
    case .writable(let others, let what, let plugins):
      "the \(what.rawValue) is writable by \(others)" + leftAlone(plugins)
    case .otherOwner(let user, let what, let plugins):
      "the \(what.rawValue) belongs to \(userName(user)), who is neither you nor root" + leftAlone(plugins)
    case .danglingLink(let target): "is a symbolic link to \(target), which is not there"
    case .notAFile: "is not a file"
    case .notALibrary(let found): "is not a shared library (\(found.rawValue))"
    case .notLocked(let lock): "is not in '\(lock)'"
    case .changed(let lock, let names, let expected, let found):
      "is not the file that '\(lock)' pins for \(names.joined(separator: ", ")): "
        + "its SHA-256 is \(found), expected \(expected.joined(separator: " or "))"
    case .cannotOpen(let why): "cannot be opened: \(why)"
    case .otherMachine(let found, let own): "is built for \(found), and this ptune runs on \(own)"
    case .noEntry: "is not a plugin: it does not export ptune_plugin_entry_v1"
    case .otherInterface(let version):
      "is for plugin interface v\(version); this ptune speaks v1"
    case .refused(let why): "says that it cannot work: \(why)"
    case .badDescription(let why): "has an invalid description: \(why)"
    case .culprit(let stage, let ending, let output):
      "\(ending) \(stage.rawValue)" + (output.map { ", saying: \($0)" } ?? "")
    case .notProbed(let why): "could not be probed: \(why)"
    case .unknownKind(let kind): "is of kind \(kind), which this ptune does not know"
    case .badName: "has an invalid name"
    case .repeatedComponent: "is there twice"
    case .malformedSchema(let error): "has a \(error)"
    case .otherSchemaName(let found, let expected): "has a schema for '\(found)' instead of '\(expected)'"
    case .needs(let interfaces): "needs \(interfaces.joined(separator: ", ")), which this ptune does not have"
    }
  }
}

extension Rejection.Others: CustomStringConvertible {
  /// Whoever it is, as it goes on after "writable by".
  public var description: String {
    switch self {
    case .everyone: "everyone"
    case .group(let id): "group \(groupName(id))"
    }
  }
}

extension Rejection.Ending: CustomStringConvertible {
  /// What happened, as it goes on after the path.
  public var description: String {
    switch self {
    case .signal(let number): "crashed (\(signalName(number)))"
    case .exit(let status): "ended the process with exit(\(status))"
    case .hang(let seconds): "did not return within \(seconds) s"
    case .garbledReport: "wrote into the probe's channel"
    }
  }
}

extension Shadowed: CustomStringConvertible {
  /// What is left out, and for which file.
  public var description: String {
    switch reason {
    case .sameFile: "\(path): is the same file as \(winner)"
    case .samePlugin(let id, let version, let used):
      "\(path): plugin \(id) \(version) is left out for \(used) from \(winner)"
    case .sameComponent(let kind, let name):
      "\(path): \(kind.rawValue) '\(name)' is already provided by \(winner)"
    }
  }
}

/// How a command is told of a lock file; nothing for the one that it looks for by itself.
private func option(_ lock: String) -> String { lock == "ptune.lock" ? "" : " --lock '\(lock)'" }

private func leftAlone(_ plugins: Int) -> String {
  switch plugins {
  case 0: ""
  case 1: "; its plugin was ignored"
  default: "; its \(plugins) plugins were ignored"
  }
}

private func userName(_ id: UInt32) -> String {
  getpwuid(id).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? "user \(id)"
}

private func groupName(_ id: UInt32) -> String {
  getgrgid(id).flatMap { $0.pointee.gr_name }.map { String(cString: $0) } ?? "\(id)"
}

/// "SIGSEGV" for those a plugin is likely to die of, "signal 42" for others.
private func signalName(_ number: Int32) -> String {
  let names: [Int32: String] = [
    SIGABRT: "SIGABRT", SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGILL: "SIGILL", SIGKILL: "SIGKILL",
    SIGSEGV: "SIGSEGV", SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGSYS: "SIGSYS",
  ]
  return names[number] ?? "signal \(number)"
}
