import Primitives

extension Catalogue {
    /// What auth announces, with a sample of each.
    static let auth: [CatalogueEntry] = [
        CatalogueEntry(
            "A tenant (organisation) exists.",
            TenantOpened(tenantID: Sample.id(1))),
        CatalogueEntry(
            "A clinic site exists; its zone decides what \"today\" is there.",
            LocationOpened(locationID: Sample.id(2), zone: "Asia/Kolkata", currency: .inr)),
        CatalogueEntry(
            "Somebody may sign in. professionalName and specialties are there for doctors only: a published "
                + "profile, not personal data of a patient.",
            optional: ["professionalName", "patientId"],
            AccountCreated(
                accountID: Sample.id(3), roles: ["doctor"], locationID: Sample.id(2), zone: "Asia/Kolkata",
                professionalName: "Dr. Meera Rao", patientID: Sample.id(5))),
        CatalogueEntry(
            "What an account may do has changed; tokens issued before validFrom are void.",
            optional: ["professionalName"],
            AccountRolesChanged(
                accountID: Sample.id(3), roles: ["doctor"], locationID: Sample.id(2), zone: "Asia/Kolkata",
                professionalName: "Dr. Meera Rao", validFrom: Sample.time(0))),
        CatalogueEntry(
            "Nobody may act as this account any more; tokens issued before at are void at once.",
            AccountDeactivated(accountID: Sample.id(3), at: Sample.time(0))),
        CatalogueEntry(
            "The account may sign in again.",
            AccountReactivated(accountID: Sample.id(3), at: Sample.time(0))),
        CatalogueEntry(
            "A session is over before its time: signed out, or its refresh token came back. Its tokens issued before "
                + "at are void at once.",
            SessionEnded(sessionID: Sample.id(4), at: Sample.time(0), reason: "signed_out")),
        CatalogueEntry(
            "A doctor's licence was looked at by an administrator: they may be booked until its last day, included.",
            LicenceVerified(accountID: Sample.id(3), validUntil: Sample.day)),
        CatalogueEntry(
            "A doctor's licence was refused, or its particulars changed after it was verified: nobody may book them.",
            LicenceWithdrawn(accountID: Sample.id(3))),
        CatalogueEntry(
            "Wrong passwords were tried on many accounts of a clinic within a quarter of an hour. Said at most once an hour.",
            PasswordSprayNoticed(tenantID: Sample.id(1), accounts: 30)),
    ]
}
