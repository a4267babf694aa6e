/// The configuration of a method that has nothing to set.
public struct NoConfiguration: ConfigurationSection {
  public init() {}
  public static let keys: [ConfigurationKey] = []
}
