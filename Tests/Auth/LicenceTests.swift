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
        _ = try licence.reject(by: judge, because: "unreadable", at: now)
        #expect(licence.status == .rejected && licence.reason == "unreadable")
        try licence.submit(with: [.licence, .identity], at: now)
        #expect(licence.status == .submitted && licence.reason == nil && licence.decidedBy == nil)
    }

    @Test func `Other particulars make a verified one a draft again`() throws {
        var licence = try handedIn()
        _ = try licence.verify(by: judge, today: today, at: now)
        let same = licence.rewrite(number: "4711", authority: "Council", validUntil: today.adding(days: 30))
        let other = licence.rewrite(number: "4712", authority: "Council", validUntil: today.adding(days: 30))
        #expect(!same && other && licence.status == .draft && licence.decidedBy == nil)
    }

    @Test func `A document is what its first bytes say`() {
        #expect(LicenceDocument.mediaType(of: Array("%PDF-1.7".utf8)) == "application/pdf")
        #expect(LicenceDocument.mediaType(of: [0xff, 0xd8, 0xff, 0xe0]) == "image/jpeg")
        #expect(LicenceDocument.mediaType(of: Array("<html>".utf8)) == nil && LicenceDocument.mediaType(of: []) == nil)
    }
}
