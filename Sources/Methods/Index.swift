// Written by `make index` from the classes in this folder.
public import Continual

/// Every method of the package.
public let methodTypes: [any ContinualMethod.Type] = [
  FineTune.self,
  IncLoRA.self,
  MIGU.self,
  OLoRA.self,
  PIC.self,
  SequentialLoRA.self,
]
