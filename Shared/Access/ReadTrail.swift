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
    /// Whose sealed records were opened, and who is named in the entries. A request that answers after opening somebody's
    /// and not naming them is our mistake.
    private var unsealed: Set<PatientID> = []
    private var named: Set<PatientID> = []
    /// Whether a change that committed has left an entry of its own.
    package private(set) var isAudited = false
    /// Whose record a refusal is about, where the route knows and its path does not say.
    package private(set) var refused: PatientID?

    package nonisolated init() {}

    package func unseal(_ patient: PatientID) { unsealed.insert(patient) }
    package func leftEntry() { isAudited = true }
    package func refuse(_ patient: PatientID?) { refused = patient ?? refused }

    /// Whether everybody whose record was opened is named.
    package var isWhole: Bool { unsealed.isSubset(of: named) }

    /// One record was read. `ground` says on what the reader's right rested: `own`, `site`, `care`, `break_glass` …
    package func read(
        _ resource: String, _ id: String, of patient: PatientID, on ground: String, action: String = "read"
    ) {
        named.insert(patient)
        // A transaction that runs again has read nothing new.
        guard !entries.contains(where: { $0.resource == resource && $0.resourceID == id && $0.action == action }) else {
            return
        }
        entries.append(
            Entry(
                action: action, resource: resource, resourceID: id, patient: patient,
                purpose: ground == Self.brokenGlass ? .breakGlass : nil,
                after: JSONObject([("ground", .string(ground))])))
    }

    /// A list was read: lines that tell people apart, or reports. Its entry names those who were on it, each once:
    /// reporting finds it by them when a patient asks who looked.
    package func listed(_ resource: String, _ patients: [PatientID], action: String = "list") {
        let onIt = Set(patients)
        named.formUnion(onIt)
        entries.append(
            Entry(
                action: action, resource: resource, resourceID: resource, patient: nil, purpose: nil,
                after: JSONObject([("patients", .array(onIt.sorted().map { .string($0.description) }))])))
    }

    /// Something was read that shows ids and states of many and is asked for all day, such as a queue: `after` says which,
    /// and who was in it follows from there. Naming everybody each time would bury what patients want to know.
    package func looked(at resource: String, _ id: String, _ after: JSONObject) {
        entries.append(
            Entry(action: "list", resource: resource, resourceID: id, patient: nil, purpose: nil, after: after))
    }

    package static nonisolated let brokenGlass = "break_glass"
}

extension Principal {
    /// On what the right to read rests where no chart is opened: it is one's own, or the work of one's role.
    package var ground: String { isOnlyPatient ? "own" : "role" }
}
