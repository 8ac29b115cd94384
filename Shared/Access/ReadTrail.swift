import JSON
import Loop
import Primitives

/// What one request has read of patients' records. The pipeline commits it to the audit trail before the answer leaves.
@LoopActor package final class ReadTrail {
    package struct Entry: Sendable {
        package let action: String
        package let resource: String
        package let resourceID: String
        package let patient: PatientID?
        /// Another purpose than the route's: a broken glass.
        package let purpose: Purpose?
        package let after: JSONObject?
    }

    package private(set) var entries: [Entry] = []
    /// Records that were unsealed. A request that answers after unsealing some and saying nothing is our mistake.
    package private(set) var unsealed = 0

    package nonisolated init() {}

    package func unseal() { unsealed += 1 }

    /// One record was read. `ground` says on what the reader's right rested: `own`, `site`, `care`, `break_glass` …
    package func read(
        _ resource: String, _ id: String, of patient: PatientID, on ground: String, action: String = "read"
    ) {
        entries.append(
            Entry(
                action: action, resource: resource, resourceID: id, patient: patient,
                purpose: ground == Self.brokenGlass ? .breakGlass : nil,
                after: JSONObject([("ground", .string(ground))])))
    }

    /// A list was read: lines that tell people apart, or reports. Its entry names those who were on it.
    package func listed(_ resource: String, _ patients: [PatientID], action: String = "list") {
        entries.append(
            Entry(
                action: action, resource: resource, resourceID: resource, patient: nil, purpose: nil,
                after: JSONObject([("patients", .array(patients.map { .string($0.description) }))])))
    }

    package static nonisolated let brokenGlass = "break_glass"
}
