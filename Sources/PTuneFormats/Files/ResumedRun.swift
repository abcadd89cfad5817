/// How a run folder says that its training went on with other settings after an interruption.
package enum ResumedRun {
  /// What its run file begins with; the lines behind it say what the settings were before.
  package static let mark = "# Resumed with other settings"
}
