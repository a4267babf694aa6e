import ArgumentParser
import Foundation
import Recipes

@main
struct Jay: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jay",
    abstract: "Continual learning for language models: teach task after task, keep what was known.",
    discussion: """
      Start with 'jay demo'. A recipe (YAML) describes a run; 'jay run RECIPE' makes a folder with matrices, metrics, \
      a report and the model. 'jay doctor' says what is missing.

      Exit status: 0 success, 1 failure, 2 a gate that fails, 64 wrong usage.
      Completions: jay --generate-completion-script bash (or zsh, fish).
      """,
    version: Version.current,
    groupedSubcommands: [
      CommandGroup(name: "Train", subcommands: [DemoCommand.self, PlanCommand.self, Run.self, ContinueCommand.self]),
      CommandGroup(
        name: "Use", subcommands: [PredictCommand.self, EvaluateCommand.self, ExportCommand.self, MergeCommand.self]),
      CommandGroup(
        name: "Judge",
        subcommands: [
          ReportCommand.self, CompareCommand.self, TransferCommand.self, OverlapCommand.self, GateCommand.self,
          VerifyCommand.self,
        ]),
      CommandGroup(
        name: "Look",
        subcommands: [ListCommand.self, ShowCommand.self, DataCommand.self, DownloadCommand.self, DoctorCommand.self]),
    ])

  static func main() {
    // Registered last and so called first: the system frees all memory at once, where libtorch would take its operators
    // down one by one, a third of the time of a short command.
    #if canImport(Glibc)
      on_exit(
        { status, _ in
          fflush(nil)
          _exit(status)
        }, nil)
    #endif
    main(nil)
  }
}
