// Written by `make index` from the classes in this folder.
public import Continual

/// Every method of the package.
public let methodTypes: [any ContinualMethod.Type] = [
  DAS.self,
  EPI.self,
  ER.self,
  EWC.self,
  FineTune.self,
  IncLoRA.self,
  Joint.self,
  L2.self,
  L2P.self,
  LFPT5.self,
  LwF.self,
  MIGU.self,
  MoCL.self,
  MoELoRA.self,
  NLoRA.self,
  OLoRA.self,
  OnlineEWC.self,
  PIC.self,
  PerTask.self,
  Probe.self,
  ProgressivePrompts.self,
  Replay.self,
  SAPTLoRA.self,
  SequentialAdapter.self,
  SequentialLoRA.self,
  TreeLoRA.self,
]
