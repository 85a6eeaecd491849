/// Hosts of other ages: structs grow at their end, and a plugin reads no further than it is given.
///
/// All structs end at a page that nobody may touch, so reading too far is a crash.
let versionTests = [
  ConformanceTest(
    "versions.present-host", .component,
    "With structs of exactly this header's size, nothing beyond them is touched.",
    cure: "compile against the header of the host, or copy foreign structs with spar_adopt"
  ) { try meet($0, .present) },
  ConformanceTest(
    "versions.past-host", .component,
    "With the shortest structs that an old host may hand over, nothing beyond them is touched.",
    cure: "copy every [grows] struct with spar_adopt before you read it; absent members are 0"
  ) { try meet($0, .past) },
  ConformanceTest(
    "versions.future-host", .component,
    "With structs that have grown, unknown members full of nonsense change nothing.",
    cure: "copy no more than your own sizeof (spar_adopt does); never compare struct_size for "
      + "equality"
  ) { try meet($0, .future) },
]

private func meet(_ subject: Subject, _ age: HostAge) throws -> String? {
  let opened = try subject.open(age)
  let instance = try opened.make()
  try opened.exercise(instance)
  subject.doing("destroy")
  instance.destroy()
  return nil
}
