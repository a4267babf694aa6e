import ArgumentParser
import Foundation
import Recipes

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what is here, what is missing, and how to mend it.",
    discussion: """
      Exit status 1 where something is missing that every run needs.

      EXAMPLE
        jay doctor
      """)

  @OptionGroup var output: JSONOption

  func run() throws {
    Engine.start(threads: nil)
    let doctor = Doctor(places: Here.places, recipes: Here.recipes)
    try output.show(doctor, doctor.text)
    if !doctor.isHealthy { throw ExitCode.failure }
  }
}
