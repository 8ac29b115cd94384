import Loop
import Primitives
import TestSupport
import Testing

@testable import Access

/// Whoever works in a clinic may be its patient too: what they may read as one opens nobody else's record.
struct PatientScopeTests {
    private static let pairs: [Set<Role>] = [
        [.reception, .patient], [.lab, .patient], [.cashier, .proxy], [.pharmacist, .patient], [.doctor, .patient],
        [.nurse, .proxy], [.auditor, .patient, .proxy],
    ]

    @LoopActor private func caller(_ roles: Set<Role>, _ own: PatientID, under permission: Permission) -> Principal {
        Principal(
            account: AccountID(), tenant: TenantID(), roles: roles, session: ID(), location: LocationID(), zone: "Etc/UTC",
            currency: .inr, patient: own, bearer: ""
        ).acting(under: permission, leaving: ReadTrail())
    }

    @Test(arguments: pairs)
    func `What only being a patient opens is one's own record under every permission`(_ roles: Set<Role>) async throws {
        try await onLoop {
            let own = PatientID()
            let asPatient: Set<Role> = [.patient, .proxy]
            var bound = 0
            for permission in Permission.allCases where permission != .signedIn && permission != .anyone {
                let granting = roles.intersection(permission.roles)
                guard !granting.isEmpty else { continue }
                let caller = caller(roles, own, under: permission)
                #expect(caller.may(permission))
                let isBound = granting.isSubset(of: asPatient)
                bound += isBound ? 1 : 0
                #expect(caller.isOnlyPatient == isBound, "\(permission)")
                if isBound {
                    let scopes = [caller.chartScope, caller.identityScope, caller.deskScope]
                    #expect(scopes.allSatisfy { $0.patients == .only([own]) && $0.purpose == .patientRequest }, "\(permission)")
                    #expect(caller.acting.isSubset(of: asPatient) && asPatient.contains(caller.mainRole))
                } else {
                    #expect(caller.acting == roles.subtracting(asPatient), "\(permission)")
                }
            }
            #expect(bound > 0)
        }
    }

    @Test func `A role that opens no chart gets nobody's, whatever route asks for it`() async throws {
        try await onLoop {
            for role in [Role.reception, .cashier, .lab, .pharmacist, .service, .display] {
                #expect(caller([role], PatientID(), under: .readPatients).chartScope.patients == .only([]), "\(role)")
            }
            for role in [Role.admin, .auditor] {
                #expect(caller([role], PatientID(), under: .readVisitHistory).chartScope.patients == .unrestricted)
            }
        }
    }

    @Test func `What is anybody's own asks with every role`() async throws {
        try await onLoop {
            let roles: Set<Role> = [.reception, .patient]
            #expect(caller(roles, PatientID(), under: .signedIn).acting == roles)
        }
    }
}
