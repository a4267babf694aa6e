public import Continual
import Methods

/// The methods by name.
public enum MethodIndex {
  public static let all: [any ContinualMethod.Type] = methodTypes.sorted { $0.card.name < $1.card.name }

  public static func named(_ name: String) -> (any ContinualMethod.Type)? { all.first { $0.card.name == name } }

  /// A method's configuration with all defaults, for `jay show`.
  public static func configuration(of type: any ContinualMethod.Type) -> any ConfigurationSection {
    func make<M: ContinualMethod>(_ type: M.Type) -> any ConfigurationSection { M.Configuration() }
    return make(type)
  }
}
