import JSON
import Messaging
import Primitives

/// A tenant (organisation) exists.
package struct TenantOpened: Event, Equatable {
    package static let name: EventName = "auth.tenant.opened.v1"

    package let tenantID: TenantID

    package init(
        tenantID: TenantID
    ) {
        self.tenantID = tenantID
    }

    package init(data: JSONObject) throws {
        tenantID = try data.required("tenantId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tenantId", tenantID)
        }
    }

    package var subject: String { tenantID.description }
}

/// A clinic site exists; its zone decides what "today" is there.
package struct LocationOpened: Event, Equatable {
    package static let name: EventName = "auth.location.opened.v1"

    package let locationID: LocationID
    package let zone: String
    package let currency: Currency

    package init(
        locationID: LocationID, zone: String, currency: Currency
    ) {
        self.locationID = locationID
        self.zone = zone
        self.currency = currency
    }

    package init(data: JSONObject) throws {
        locationID = try data.required("locationId")
        zone = try data.required("zone")
        currency = try data.required("currency")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("locationId", locationID)
            $0.field("zone", zone)
            $0.field("currency", currency)
        }
    }

    package var subject: String { locationID.description }
}

/// Somebody may sign in. `professionalName` and `specialties` are there for doctors only: a published profile, not personal data of a patient.
package struct AccountCreated: Event, Equatable {
    package static let name: EventName = "auth.account.created.v1"

    package let accountID: AccountID
    package let roles: [String]
    package let locationID: LocationID
    package let zone: String
    package let professionalName: String?
    package let patientID: PatientID?

    package init(
        accountID: AccountID, roles: [String], locationID: LocationID, zone: String, professionalName: String?, patientID: PatientID?
    ) {
        self.accountID = accountID
        self.roles = roles
        self.locationID = locationID
        self.zone = zone
        self.professionalName = professionalName
        self.patientID = patientID
    }

    package init(data: JSONObject) throws {
        accountID = try data.required("accountId")
        roles = try data.required("roles")
        locationID = try data.required("locationId")
        zone = try data.required("zone")
        professionalName = try data.optional("professionalName")
        patientID = try data.optional("patientId")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", accountID)
            $0.field("roles", roles)
            $0.field("locationId", locationID)
            $0.field("zone", zone)
            $0.field("professionalName", professionalName)
            $0.field("patientId", patientID)
        }
    }

    package var subject: String { accountID.description }
}

/// What an account may do has changed; tokens issued before `validFrom` are void.
package struct AccountRolesChanged: Event, Equatable {
    package static let name: EventName = "auth.account.roles_changed.v1"

    package let accountID: AccountID
    package let roles: [String]
    package let locationID: LocationID
    package let zone: String
    package let professionalName: String?
    package let validFrom: Timestamp

    package init(
        accountID: AccountID, roles: [String], locationID: LocationID, zone: String, professionalName: String?, validFrom: Timestamp
    ) {
        self.accountID = accountID
        self.roles = roles
        self.locationID = locationID
        self.zone = zone
        self.professionalName = professionalName
        self.validFrom = validFrom
    }

    package init(data: JSONObject) throws {
        accountID = try data.required("accountId")
        roles = try data.required("roles")
        locationID = try data.required("locationId")
        zone = try data.required("zone")
        professionalName = try data.optional("professionalName")
        validFrom = try data.required("validFrom")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", accountID)
            $0.field("roles", roles)
            $0.field("locationId", locationID)
            $0.field("zone", zone)
            $0.field("professionalName", professionalName)
            $0.field("validFrom", validFrom)
        }
    }

    package var subject: String { accountID.description }
}

/// Nobody may act as this account any more; tokens issued before `at` are void at once.
package struct AccountDeactivated: Event, Equatable {
    package static let name: EventName = "auth.account.deactivated.v1"

    package let accountID: AccountID
    package let at: Timestamp

    package init(
        accountID: AccountID, at: Timestamp
    ) {
        self.accountID = accountID
        self.at = at
    }

    package init(data: JSONObject) throws {
        accountID = try data.required("accountId")
        at = try data.required("at")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", accountID)
            $0.field("at", at)
        }
    }

    package var subject: String { accountID.description }
}

/// The account may sign in again.
package struct AccountReactivated: Event, Equatable {
    package static let name: EventName = "auth.account.reactivated.v1"

    package let accountID: AccountID
    package let at: Timestamp

    package init(
        accountID: AccountID, at: Timestamp
    ) {
        self.accountID = accountID
        self.at = at
    }

    package init(data: JSONObject) throws {
        accountID = try data.required("accountId")
        at = try data.required("at")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", accountID)
            $0.field("at", at)
        }
    }

    package var subject: String { accountID.description }
}

/// A session is over before its time; its tokens issued before `at` are void at once.
package struct SessionEnded: Event, Equatable {
    package static let name: EventName = "auth.session.ended.v1"

    package let sessionID: SessionID
    package let at: Timestamp
    /// `signed_out`, `token_reused`, `code_reused`, `password_changed` …
    package let reason: String

    package init(
        sessionID: SessionID, at: Timestamp, reason: String
    ) {
        self.sessionID = sessionID
        self.at = at
        self.reason = reason
    }

    package init(data: JSONObject) throws {
        sessionID = try data.required("sessionId")
        at = try data.required("at")
        reason = try data.required("reason")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("sessionId", sessionID)
            $0.field("at", at)
            $0.field("reason", reason)
        }
    }

    package var subject: String { sessionID.description }
}

/// A doctor's licence was looked at by an administrator: they may be booked until its last day, included.
package struct LicenceVerified: Event, Equatable {
    package static let name: EventName = "auth.licence.verified.v1"

    package let accountID: AccountID
    package let validUntil: LocalDate

    package init(accountID: AccountID, validUntil: LocalDate) {
        self.accountID = accountID
        self.validUntil = validUntil
    }

    package init(data: JSONObject) throws {
        accountID = try data.required("accountId")
        validUntil = try data.required("validUntil")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("accountId", accountID)
            $0.field("validUntil", validUntil)
        }
    }

    package var subject: String { accountID.description }
}

/// A doctor's licence was refused, or its particulars changed after it was verified: nobody may book them.
package struct LicenceWithdrawn: Event, Equatable {
    package static let name: EventName = "auth.licence.withdrawn.v1"

    package let accountID: AccountID

    package init(accountID: AccountID) { self.accountID = accountID }

    package init(data: JSONObject) throws { accountID = try data.required("accountId") }

    package func write(to json: inout JSONWriter) {
        json.object { $0.field("accountId", accountID) }
    }

    package var subject: String { accountID.description }
}

/// Wrong passwords were tried on many accounts of a clinic within a quarter of an hour. Said at most once an hour.
package struct PasswordSprayNoticed: Event, Equatable {
    package static let name: EventName = "auth.password_spray.noticed.v1"

    package let tenantID: TenantID
    /// On how many, at least.
    package let accounts: Int

    package init(
        tenantID: TenantID, accounts: Int
    ) {
        self.tenantID = tenantID
        self.accounts = accounts
    }

    package init(data: JSONObject) throws {
        tenantID = try data.required("tenantId")
        accounts = try data.required("accounts")
    }

    package func write(to json: inout JSONWriter) {
        json.object {
            $0.field("tenantId", tenantID)
            $0.field("accounts", accounts)
        }
    }

    package var subject: String { tenantID.description }
}
