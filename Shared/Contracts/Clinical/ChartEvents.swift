import JSON
import Messaging
import Primitives

/// A patient's chart was restricted to those who treat them, or opened again.
package struct PatientRestrictionChanged: Event, Equatable {
    package static let name: EventName = "clinical.patient.restriction_changed.v1"

    package let patientID: PatientID
    package let isRestricted: Bool
    /// Of two changes that arrive in the wrong order the later one counts.
    package let at: Timestamp

    package init(
        patientID: PatientID, isRestricted: Bool, at: Timestamp
    ) {
        self.patientID = patientID
        self.isRestricted = isRestricted
        self.at = at
    }

    package init(data: JSONObject) throws {
        patientID = try data.required("patientId")
        isRestricted = try data.required("restricted")
        at = try data.required("at")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("patientId", patientID)
            $0.field("restricted", isRestricted)
            $0.field("at", at)
        }
    }

    package var subject: String { patientID.description }
}

/// Somebody opened a chart that was closed to them, until `expiresAt`, or unlocked it; somebody else must review it.
package struct GlassBroken: Event, Equatable {
    package static let name: EventName = "clinical.glass.broken.v1"

    package let grantID: ID<GlassGrant>
    package let patientID: PatientID
    package let accountID: AccountID
    package let locationID: LocationID
    package let expiresAt: Timestamp

    package init(
        grantID: ID<GlassGrant>, patientID: PatientID, accountID: AccountID, locationID: LocationID, expiresAt: Timestamp
    ) {
        self.grantID = grantID
        self.patientID = patientID
        self.accountID = accountID
        self.locationID = locationID
        self.expiresAt = expiresAt
    }

    package init(data: JSONObject) throws {
        grantID = try data.required("grantId")
        patientID = try data.required("patientId")
        accountID = try data.required("accountId")
        locationID = try data.required("locationId")
        expiresAt = try data.required("expiresAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("grantId", grantID)
            $0.field("patientId", patientID)
            $0.field("accountId", accountID)
            $0.field("locationId", locationID)
            $0.field("expiresAt", expiresAt)
        }
    }

    package var subject: String { grantID.description }
}

/// Nobody has reviewed in time why somebody opened a chart that was closed to them.
package struct GlassUnreviewed: Event, Equatable {
    package static let name: EventName = "clinical.glass.unreviewed.v1"

    package let grantID: ID<GlassGrant>
    package let patientID: PatientID
    package let accountID: AccountID
    package let grantedAt: Timestamp

    package init(
        grantID: ID<GlassGrant>, patientID: PatientID, accountID: AccountID, grantedAt: Timestamp
    ) {
        self.grantID = grantID
        self.patientID = patientID
        self.accountID = accountID
        self.grantedAt = grantedAt
    }

    package init(data: JSONObject) throws {
        grantID = try data.required("grantId")
        patientID = try data.required("patientId")
        accountID = try data.required("accountId")
        grantedAt = try data.required("grantedAt")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("grantId", grantID)
            $0.field("patientId", patientID)
            $0.field("accountId", accountID)
            $0.field("grantedAt", grantedAt)
        }
    }

    package var subject: String { grantID.description }
}
