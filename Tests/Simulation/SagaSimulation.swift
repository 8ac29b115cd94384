import Primitives
import Testing

/// A patient's way through five services, with everything that happens to messages and processes.
@Suite struct SagaSimulation {
    @Test func `Whatever is lost, doubled or late, visit, bill, payment and medicine end in one consistent state`() {
        Seeds.allKeep("saga") { dice in
            var hospital = Hospital(fault: nil)
            try hospital.run(&dice)
        }
    }

    @Test(arguments: Hospital.Fault.allCases)
    func `A saga that is wrong is caught`(_ fault: Hospital.Fault) {
        Seeds.catchFault("\(fault)") { dice in
            var hospital = Hospital(fault: fault)
            try hospital.run(&dice)
        }
    }
}
