public import Foundation
public import NN
import Torch

extension PEFT {
  /// Writes the adapters of a model that are on, as the forward pass uses them now, for huggingface/peft to load.
  ///
  /// Several LoRA on one layer become one whose rank is the sum of theirs; several prompts become one, in their order,
  /// and so do several prefixes. Prompts behind the text have no form, for peft reads them in front.
  /// - Throws: `PEFTError`, `FileError`.
  public static func write(_ store: ParameterStore, for task: Task, to folder: URL) throws {
    let layers = store.linears.map { ($0, $0.attachments.filter(\.isEnabled)) }.filter { !$0.1.isEmpty }
    let prompts = store.promptSlot?.attachments.reversed().filter(\.isEnabled) ?? []
    let prefixes = store.prefixSlots.flatMap(\.attachments).filter(\.isEnabled)
    let adapters: [any Adapter] = layers.flatMap(\.1) + prompts + prefixes
    guard !adapters.isEmpty else { throw PEFTError.nothingToWrite }
    let form: (configuration: [String: Any], tensors: [String: Tensor])
    if adapters.allSatisfy({ $0 is LoRA }) {
      form = loraForm(layers.map { ($0.0, $0.1.compactMap { $0 as? LoRA }) })
    } else if adapters.allSatisfy({ $0 is IA3 }), layers.allSatisfy({ $0.1.count == 1 }) {
      form = scalesForm(layers.flatMap { layer, attached in attached.compactMap { $0 as? IA3 }.map { (layer, $0) } })
    } else if adapters.allSatisfy({ ($0 as? SoftPrompt)?.place == .front }) {
      form = promptForm(prompts.compactMap { $0 as? SoftPrompt })
    } else if adapters.allSatisfy({ $0 is Prefix }) {
      form = prefixForm(store.prefixSlots, isDouble: task == .encoderDecoder)
    } else {
      throw PEFTError.noForm(Set(adapters.map { "\(type(of: $0))" }).sorted())
    }
    let configuration = form.configuration.merging(["task_type": task.rawValue, "inference_mode": true]) { $1 }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch { throw FileError(action: .create, path: folder.path, code: errno) }
    let json = try JSONSerialization.data(withJSONObject: configuration, options: [.prettyPrinted, .sortedKeys])
    try AtomicFile.write(json, to: folder.appendingPathComponent(configurationName))
    try SafeTensorsWriter.write(
      form.tensors, metadata: ["format": "pt"], to: folder.appendingPathComponent(weightsName))
  }

  private static func loraForm(_ layers: [(Linear, [LoRA])]) -> ([String: Any], [String: Tensor]) {
    var tensors: [String: Tensor] = [:]
    let rank = layers.map { $0.1.reduce(0) { $0 + $1.a.shape[0] } }.max() ?? 1
    for (layer, loras) in layers {
      // Scales differ from set to set, so that they go into B; rows of zeros make all ranks the same.
      let a = Tensor.concatenated(loras.map(\.a.current), 0)
      let b = withoutGradient { Tensor.concatenated(loras.map { $0.b.current * $0.scale }, 1) }
      let room = rank - a.size(0)
      tensors[root + layer.name + Part.a] = .concatenated([a.to(device: .cpu), .zeros([room, layer.inputs])], 0)
      tensors[root + layer.name + Part.b] = .concatenated([b.to(device: .cpu), .zeros([layer.outputs, room])], 1)
    }
    let configuration: [String: Any] = [
      "peft_type": "LORA", "r": rank, "lora_alpha": rank, "lora_dropout": 0, "bias": "none",
      "target_modules": layers.map(\.0.name),
    ]
    return (configuration, tensors)
  }

  private static func scalesForm(_ layers: [(Linear, IA3)]) -> ([String: Any], [String: Tensor]) {
    let tensors = layers.map { layer, adapter in
      let scales = adapter.scales.current.to(device: .cpu)
      return (root + layer.name + Part.scales, scales.unsqueezed(adapter.side == .input ? 0 : 1))
    }
    let configuration: [String: Any] = [
      "peft_type": "IA3", "target_modules": layers.map(\.0.name),
      "feedforward_modules": layers.filter { $0.1.side == .input }.map(\.0.name),
    ]
    return (configuration, Dictionary(uniqueKeysWithValues: tensors))
  }

  private static func promptForm(_ prompts: [SoftPrompt]) -> ([String: Any], [String: Tensor]) {
    let vectors = Tensor.concatenated(prompts.map(\.vectors.current), 0).to(device: .cpu)
    let configuration: [String: Any] = [
      "peft_type": "PROMPT_TUNING", "num_virtual_tokens": vectors.size(0), "token_dim": vectors.size(1),
      // One: the encoder of an encoder-decoder reads the prompt, as in Jay, and its decoder does not.
      "num_transformer_submodules": 1,
    ]
    return (configuration, [promptKey: vectors])
  }

  /// Of an encoder-decoder (`isDouble`), peft lays the table out twice and gives each layer four parts in turn, so that
  /// layers share parts; said to be of twice as many layers, it gives each its own, and two that nothing reads.
  private static func prefixForm(_ slots: [PrefixSlot], isDouble: Bool) -> ([String: Any], [String: Tensor]) {
    let parts = slots.flatMap { slot in
      let prefixes = slot.attachments.reversed().filter(\.isEnabled)
      let own = [Tensor.concatenated(prefixes.map(\.keys.current)), .concatenated(prefixes.map(\.values.current))]
      return isDouble ? own + own.map { .zeros($0.shape, device: $0.device) } : own
    }
    let table = Tensor.stacked(parts, 1).to(device: .cpu)
    let configuration: [String: Any] = [
      "peft_type": "PREFIX_TUNING", "num_virtual_tokens": table.size(0), "num_layers": table.size(1) / 2,
      "token_dim": table.size(2) * table.size(3), "num_attention_heads": table.size(2),
      "num_transformer_submodules": isDouble ? 2 : 1, "prefix_projection": false,
    ]
    return (configuration, [promptKey: table.reshaped(table.size(0), -1)])
  }
}
