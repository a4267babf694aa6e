public import Foundation

/// Why a conversation cannot be written down for a model.
public enum ChatTemplateError: Error, Equatable {
  /// The model's folder has no chat template.
  case missing(directory: String)
  /// The template is of no supported family.
  case unrecognised(source: String)
  /// The family's template refuses this order of roles; `position` counts from 1.
  case roles(template: String, position: Int, found: ChatMessage.Role, takesSystem: Bool)
}

extension ChatTemplateError: CustomStringConvertible, LocalizedError {
  /// What is wrong, where, and what to do.
  public var description: String {
    switch self {
    case .missing(let directory):
      """
      No chat template in \(directory): neither chat_template.jinja nor a chat_template in tokenizer_config.json. Use \
      a model that was tuned on conversations, or copy the template from its source.
      """
    case .unrecognised(let source):
      """
      \(source) is none that Jay knows. Supported: Llama 2, Llama 3, Mistral Instruct v0.1 and v0.2, ChatML (Qwen2, \
      Qwen2.5, Qwen3). Choose a model of these families, or replace the template by one of theirs.
      """
    case .roles(let template, let position, let found, let takesSystem):
      """
      Message \(position) is the \(found.rawValue)'s: \(template)'s template wants user and assistant in turn, the \
      user first\(takesSystem ? ", after at most one system message" : ", and no system message"). Reorder or join \
      the messages.
      """
    }
  }

  /// The same sentence, for `localizedDescription`.
  public var errorDescription: String? { description }
}
