/// A file, folder or component that was found but is not used, and why.
public struct Rejection: Error, Hashable, Sendable {
  /// The file or folder.
  public let path: String
  /// The component of the file that is not used; `nil` for all of the file.
  public let component: String?
  /// Why.
  public let reason: Reason

  /// A rejection of a file or folder, or of one component in it.
  public init(path: String, component: String? = nil, reason: Reason) {
    self.path = path
    self.component = component
    self.reason = reason
  }

  /// Why something is not used.
  public enum Reason: Error, Hashable, Sendable {
    // Folders and files.
    /// An entry of `PTUNE_PLUGIN_PATH` that depends on the current folder.
    case relativeFolder(absolute: String)
    /// A folder that the user named and that is not there.
    case missingFolder
    /// A file that the user named instead of its folder.
    case notAFolder
    /// The folder or file cannot be read.
    case unreadable(String)
    /// Others could put their code into it. `plugins` counts the candidates in a folder that are left alone for it.
    case writable(by: Others, what: Place, plugins: Int)
    /// It belongs to somebody else.
    case otherOwner(UInt32, what: Place, plugins: Int)
    /// A symbolic link to nothing.
    case danglingLink(target: String)
    /// A folder, a pipe or a device.
    case notAFile
    /// Not in the format of a shared library.
    case notALibrary(found: Content)

    // What a lock file says.
    /// The lock pins other plugins and not this one.
    case notLocked(lock: String)
    /// It is not the file that the lock pins under its name; `names` are what users call what was in that.
    case changed(lock: String, names: [String], expected: [String], found: String)

    // What came out of the probe.
    /// It was built for another kind of processor, "AArch64" for one.
    case otherMachine(found: String, own: String)
    /// The dynamic linker refused it.
    case cannotOpen(String)
    /// It does not export the entry function.
    case noEntry
    /// It exports the entry function of another version.
    case otherInterface(Int)
    /// Its entry function returned NULL.
    case refused(String)
    /// The description it returned breaks a rule of ptune.h.
    case badDescription(String)
    /// It ended the probe.
    case culprit(Stage, Ending, output: String?)
    /// The probe itself did not work.
    case notProbed(String)

    // Single components.
    /// A kind that this version does not know.
    case unknownKind(Int32)
    /// A name that is no lower-case word with dashes.
    case badName
    /// The second component of this kind and name in one plugin.
    case repeatedComponent
    /// A schema that cannot be read.
    case malformedSchema(SchemaError)
    /// A schema under another name than the component's.
    case otherSchemaName(found: String, expected: String)
    /// Interfaces that the host lacks.
    case needs([String])
  }

  /// Whoever may write to a file.
  public enum Others: Hashable, Sendable {
    /// Every user of the machine.
    case everyone
    /// The members of a group.
    case group(UInt32)
  }

  /// What a rule of ownership is about.
  public enum Place: String, Hashable, Sendable {
    /// A plugin's file.
    case file
    /// The folder it is in.
    case folder
    /// A link on the way to it.
    case link
  }

  /// What stands in a file that is no library.
  public enum Content: String, Hashable, Sendable {
    /// Nothing.
    case nothing = "empty"
    /// Readable characters.
    case text = "a text file"
    /// Anything else.
    case other = "a file of another format"
  }

  /// How far the probe had come with a plugin.
  public enum Stage: String, Hashable, Sendable {
    /// The dynamic linker, which runs constructors.
    case opening = "while it was being opened"
    /// The entry function, and the reading of what it returned.
    case entry = "in its entry function"
  }

  /// How a plugin ended the probe.
  public enum Ending: Hashable, Sendable {
    /// By this signal.
    case signal(Int32)
    /// It left the process with this status.
    case exit(Int32)
    /// It was not back after this many seconds.
    case hang(seconds: Double)
    /// It wrote into the channel on which the probe reports.
    case garbledReport
  }
}

/// A plugin or component that is left out because another with the same name was found first.
public struct Shadowed: Hashable, Sendable {
  /// What the two have in common.
  public enum Reason: Hashable, Sendable {
    /// They are one file.
    case sameFile
    /// The plugin's id; both versions.
    case samePlugin(id: String, version: String, winner: String)
    /// The component's kind and name.
    case sameComponent(kind: ComponentKind, name: String)
  }

  /// The file that is left out, or that one of its components is left out of.
  public let path: String
  /// The file that is used.
  public let winner: String
  /// What the two have in common.
  public let reason: Reason
}
