import Access
import JSON
import Primitives

extension Principal {
    /// A patient's own account knows of one record only; staff know the tenant's.
    func mayKnow(_ patient: PatientID) -> Bool { !isOnlyPatient || self.patient == patient }
}

extension JSONObject {
    func without(_ name: String) -> JSONObject {
        var copy = self
        copy[name] = nil
        return copy
    }
}
