import Contracts
import Primitives
import Testing

@testable import Auth

struct LicenceTests {
    private let now = Timestamp(microseconds: 1_795_190_400_000_000)
    private let today = LocalDate(daysSinceEpoch: 20_777)
    private let doctor = AccountID()
    private let judge = AccountID()

    private func handedIn() throws -> Licence {
        var licence = Licence.draft(doctor, number: "4711", authority: "Council", validUntil: today.adding(days: 30))
        try licence.submit(with: [.licence, .identity], at: now)
        return licence
    }

    @Test func `It is verified by somebody else, after both papers were handed in`() throws {
        var licence = Licence.draft(doctor, number: "4711", authority: "Council", validUntil: today)
        #expect(throws: LicenceError.documentsMissing) { try licence.submit(with: [.licence], at: now) }
        #expect(throws: LicenceError.notSubmitted) { try licence.verify(by: judge, today: today, at: now) }
        try licence.submit(with: [.licence, .identity], at: now)
        #expect(throws: LicenceError.ownLicence) { try licence.verify(by: doctor, today: today, at: now) }
        let fact = try licence.verify(by: judge, today: today, at: now)
        #expect(fact == LicenceVerified(accountID: doctor, validUntil: today) && licence.status == .verified)
        #expect(throws: LicenceError.notOpen) { try licence.submit(with: [.licence, .identity], at: now) }
    }

    @Test func `What is over is not verified`() throws {
        var licence = try handedIn()
        #expect(throws: LicenceError.expired) { try licence.verify(by: judge, today: today.adding(days: 31), at: now) }
    }

    @Test func `A refusal says why and lets the doctor mend it`() throws {
        var licence = try handedIn()
        let fact = try licence.reject(by: judge, because: "unreadable", withdrawing: false, at: now)
        #expect(fact != nil && licence.status == .rejected && licence.reason == "unreadable")
        try licence.submit(with: [.licence, .identity], at: now)
        #expect(licence.status == .submitted && licence.reason == nil && licence.decidedBy == nil)
    }

    private func renewed() throws -> Licence {
        var licence = try handedIn()
        _ = try licence.verify(by: judge, today: today, at: now)
        licence.rewrite(number: "4711", authority: "Council", validUntil: today.adding(days: 30), at: now)
        #expect(licence.status == .verified)
        licence.rewrite(number: "4711", authority: "Council", validUntil: today.adding(days: 400), at: now.adding(seconds: 60))
        return licence
    }

    @Test func `What was verified is in force until somebody has looked at the new one`() throws {
        var licence = try renewed()
        #expect(licence.status == .draft && licence.decidedBy == nil && licence.inForceUntil == today.adding(days: 30))
        try licence.submit(with: [.licence, .identity], at: now)
        var refused = licence
        #expect(try refused.reject(by: judge, because: "unreadable", withdrawing: false, at: now) == nil)
        #expect(refused.inForceUntil == today.adding(days: 30))
        let fact = try licence.verify(by: judge, today: today, at: now)
        #expect(fact.validUntil == today.adding(days: 400) && licence.inForceUntil == today.adding(days: 400))
    }

    @Test func `What is in force is withdrawn whatever is being renewed`() throws {
        for isSubmitted in [false, true] {
            var licence = try renewed()
            if isSubmitted { try licence.submit(with: [.licence, .identity], at: now) }
            let fact = try licence.reject(by: judge, because: "the council's word", withdrawing: true, at: now)
            #expect(fact == LicenceWithdrawn(accountID: doctor) && licence.inForceUntil == nil)
        }
        var draft = Licence.draft(doctor, number: "4711", authority: "Council", validUntil: today)
        #expect(throws: LicenceError.notSubmitted) {
            try draft.reject(by: judge, because: "no", withdrawing: true, at: now)
        }
    }

    @Test func `Pages of an earlier submission do not count for a new one`() throws {
        let licence = try renewed()
        func page(_ seconds: Int64) -> LicenceDocument {
            LicenceDocument(id: ID(), kind: .identity, mediaType: "image/png", size: 1, uploadedAt: now.adding(seconds: seconds))
        }
        #expect([0, 59, 60, 61].map { licence.counts(page($0)) } == [false, false, true, true])
        #expect(try handedIn().counts(page(-600)))
    }

    @Test func `A document is what its first bytes say`() {
        #expect(LicenceDocument.mediaType(of: Array("%PDF-1.7".utf8)) == "application/pdf")
        #expect(LicenceDocument.mediaType(of: [0xff, 0xd8, 0xff, 0xe0]) == "image/jpeg")
        #expect(LicenceDocument.mediaType(of: Array("<html>".utf8)) == nil && LicenceDocument.mediaType(of: []) == nil)
    }
}
