import Access
import Primitives
import Testing

@testable import Auth

struct AccountTests {
    private let now = Timestamp(microseconds: 1_795_190_400_000_000)

    private func account(_ roles: Set<Role> = [.nurse], active: Bool = true) -> Auth.Account {
        Account(
            id: AccountID(), name: "Nisha Thomas", email: "nisha@example.org", roles: roles, location: LocationID(),
            patient: nil, isActive: active, validFrom: now.adding(seconds: -60), version: 3,
            createdAt: now.adding(seconds: -60))
    }

    @Test func `New roles void what was issued before`() throws {
        var nurse = account()
        let outcome = try nurse.apply(.init(roles: [.reception]), isOnlyAdmin: false, at: now)
        #expect(outcome.hasNewDuties && outcome.voidsTokens)
        #expect(nurse.validFrom == now && nurse.roles == [.reception])
    }

    @Test func `A new name voids nothing`() throws {
        var nurse = account()
        let outcome = try nurse.apply(.init(name: "Nisha T."), isOnlyAdmin: true, at: now)
        #expect(outcome == .init(isRenamed: true) && nurse.validFrom == now.adding(seconds: -60))
    }

    @Test func `Saying what is already so changes nothing`() throws {
        var nurse = account()
        let same = Account.Change(name: nurse.name, roles: nurse.roles, location: nurse.location, isActive: true)
        #expect(try nurse.apply(same, isOnlyAdmin: false, at: now) == .init())
    }

    @Test func `Deactivation voids and reactivation does not bring tokens back`() throws {
        var nurse = account()
        #expect(try nurse.apply(.init(isActive: false), isOnlyAdmin: false, at: now).isDeactivated)
        let line = nurse.validFrom
        #expect(line == now)
        #expect(try nurse.apply(.init(isActive: true), isOnlyAdmin: false, at: now.adding(seconds: 5)).isReactivated)
        #expect(nurse.validFrom == line)
    }

    @Test(arguments: [Account.Change(isActive: false), .init(roles: [.doctor]), .init(roles: [.doctor], isActive: false)])
    func `The last administrator cannot go`(change: Auth.Account.Change) {
        var admin = account([.admin])
        #expect(throws: AccountError.lastAdmin) { try admin.apply(change, isOnlyAdmin: true, at: now) }
        var oneOfTwo = account([.admin])
        #expect(throws: Never.self) { try oneOfTwo.apply(change, isOnlyAdmin: false, at: now) }
    }

    @Test func `The last administrator may get more roles and another name`() throws {
        var admin = account([.admin])
        #expect(try admin.apply(.init(name: "A", roles: [.admin, .doctor]), isOnlyAdmin: true, at: now).hasNewDuties)
    }

    @Test func `A deactivated administrator was no longer one`() throws {
        var former = account([.admin], active: false)
        #expect(try former.apply(.init(roles: [.nurse]), isOnlyAdmin: true, at: now).hasNewDuties)
    }

    @Test func `A patient's account needs a patient and no other has one`() throws {
        let email = try #require(EmailAddress("p@example.org"))
        #expect(throws: AccountError.patientRequired) {
            try Account.create(name: "P", email: email, roles: [.patient], location: LocationID(), patient: nil, at: now)
        }
        #expect(throws: AccountError.patientRoleRequired) {
            try Account.create(name: "P", email: email, roles: [.nurse], location: LocationID(), patient: PatientID(), at: now)
        }
        var nurse = account()
        #expect(throws: AccountError.patientRequired) {
            try nurse.apply(.init(roles: [.patient]), isOnlyAdmin: false, at: now)
        }
    }

    @Test func `Nobody is given the role of a machine, or none`() throws {
        var nurse = account()
        for roles in [Set<Role>(), [.service], [.nurse, .service]] {
            #expect(throws: AccountError.roleNotAssignable) {
                try nurse.apply(.init(roles: roles), isOnlyAdmin: false, at: now)
            }
        }
    }

    @Test func `Only a doctor's name leaves`() {
        #expect(account([.nurse, .admin]).professionalName == nil)
        #expect(account([.doctor]).professionalName == "Nisha Thomas")
    }
}
