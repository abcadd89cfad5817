/// The release of ptune that this kit comes from.
public enum Release {
  /// Its version, as in "1.2.3". This is the one place where it is written: the tool, its own plugins and the archives of
  /// `make dist` take it from here.
  public static let version = "0.1.0"
}
