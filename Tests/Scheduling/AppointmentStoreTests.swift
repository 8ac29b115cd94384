import Access
import Loop
import Postgres
import Primitives
import TestSupport
import Testing

@testable import Scheduling

@Suite struct AppointmentStoreTests {
    @Test func `Of two hundred who want one slot exactly one gets it`() async throws {
        try await Clinic.with { clinic in
            let results = await atOnce(200) { index in
                try await clinic.book(clinic.slots[0], for: clinic.patients[index % 10])
            }
            let refusals = results.compactMap { if case .failure(let error) = $0 { error } else { nil } }
            #expect(results.count - refusals.count == 1)
            #expect(refusals.allSatisfy { $0 as? AppointmentError == .slotTaken })
            let status = try await clinic.status(of: clinic.slots[0])
            #expect(status == .booked)
        }
    }

    @Test func `Many patients over many slots never share one, and no patient is in two places`() async throws {
        try await Clinic.with(slots: 8) { clinic in
            let results = await atOnce(240) { index in
                try await clinic.book(clinic.slots[index % 8], for: clinic.patients[index % 10])
            }
            let booked = results.compactMap { try? $0.get() }
            #expect(Set(booked.map(\.slot)).count == booked.count)
            #expect(booked.count == 8)
            for case .failure(let error) in results { #expect(error is AppointmentError) }
        }
    }

    @Test func `Of many wishes in one statement each has its own outcome, in their order, and the refused change nothing`() async throws {
        try await Clinic.with { clinic in
            let closed = clinic.patients[9]
            try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await CardStore(sql: tx).remember(closed, active: false)
            }
            _ = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            let (slots, patients) = (clinic.slots, clinic.patients)
            let wishes = [
                (slots[1], patients[1]), (slots[0], patients[2]), (slots[2], PatientID()), (slots[2], closed), (SlotID(), patients[3]),
                (slots[3], patients[4]), (slots[3], patients[5]), (slots[4], patients[1]),
            ].map { clinic.wish($0, for: $1) }
            let claims = try await clinic.claim(wishes, waiting: false)
            let words = claims.map(Clinic.word)
            #expect(words[..<5] == ["booked", "slotUnavailable", "patientUnknown", "patientInactive", "slotUnavailable"])
            #expect(words[5...6].sorted() == ["booked", "patientBusy"])  // Two for one slot: one of them.
            #expect(words[7] == "booked")
            for (wish, claim) in zip(wishes, claims) {
                guard case .booked(let appointment) = claim else { continue }
                #expect((appointment.id, appointment.slot, appointment.patient) == (wish.id, wish.slot, wish.patient))
            }
            var free: [SlotID] = []
            for slot in slots where try await clinic.status(of: slot) == .free { free.append(slot) }
            #expect(free == [slots[2], slots[5], slots[6], slots[7]])
        }
    }

    @Test func `Who does not wait finds a slot that somebody holds unavailable`() async throws {
        try await Clinic.with { clinic in
            try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                _ = try await SlotStore(sql: tx).lock([clinic.slots[0]])
                let wishes = [clinic.wish(clinic.slots[0], for: clinic.patients[0]), clinic.wish(clinic.slots[1], for: clinic.patients[1])]
                let claims = try await clinic.claim(wishes, waiting: false)
                #expect(claims.map(Clinic.word) == ["slotUnavailable", "booked"])
            }
        }
    }

    @Test func `Wishes of the same patients in opposite orders never wait in a circle`() async throws {
        try await Clinic.with { clinic in
            // Each of two practitioners at the same times: who has one of a pair is busy for the other.
            let others = try await clinic.openElsewhere()
            let results = await atOnce(8) { index in
                let pairs = Array(zip(index % 2 == 0 ? clinic.slots : others, clinic.patients))
                let wishes = (index % 4 < 2 ? pairs : pairs.reversed()).map { clinic.wish($0, for: $1) }
                return try await clinic.claim(wishes, waiting: false).map(Clinic.word)
            }
            var booked = 0
            for result in results { booked += try result.get().count { $0 == "booked" } }
            #expect(booked == clinic.slots.count)
        }
    }

    @Test func `A booking reads its own slot and no other, where the tenant has far more than the average one`() async throws {
        try await Clinic.with { clinic in
            try await clinic.test.asOwner(
                """
                alter table provider no force row level security;
                alter table slot no force row level security;
                insert into provider (id, tenant_id, account_id, location_id, zone, name)
                select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'UTC', 'Small' from generate_series(1, 300);
                insert into slot (id, tenant_id, provider_id, location_id, starts_at, ends_at, local_date)
                select gen_random_uuid(), tenant_id, id, location_id, '2026-11-20T09:00Z', '2026-11-20T09:15Z', '2026-11-20'
                from provider where name = 'Small';
                analyze provider, slot, patient_card;
                insert into slot (id, tenant_id, provider_id, location_id, starts_at, ends_at, local_date)
                select gen_random_uuid(), tenant_id, id, location_id, t, t + interval '15 minutes', t::date
                from provider, generate_series('2026-12-01T00:00Z', '2026-12-30T00:00Z', interval '15 minutes') t
                where name = 'Dr. Rao';
                alter table provider force row level security;
                alter table slot force row level security;
                """)
            let wish = clinic.wish(clinic.slots[0], for: clinic.patients[0])
            for waiting in [true, false] {
                let counted: SQL = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relid = 'slot'::regclass"
                let read = try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                    try await tx.run("set local plan_cache_mode = force_generic_plan")
                    let store = AppointmentStore(sql: tx, scope: .system(clinic.test.tenant))
                    _ = try await store.book([wish], waiting: waiting, at: clinic.opened)
                    return try await tx.first(counted) { try $0.next(as: Int.self) }
                }
                let most = try #require(read)
                #expect(most < 100, "\(most) rows of slots read")
            }
        }
    }

    @Test func `Who arrives touches no index`() async throws {
        try await Clinic.with { clinic in
            var appointment = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            let heapOnly = try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                _ = appointment.arrive(with: TokenID())
                try await AppointmentStore(sql: tx, scope: .system(clinic.test.tenant)).update(appointment)
                let counted: SQL = "select n_tup_upd, n_tup_hot_upd from pg_stat_xact_user_tables where relid = 'appointment'::regclass"
                return try await tx.first(counted) { row in (try row.next(as: Int.self), try row.next(as: Int.self)) }
            }
            #expect(try #require(heapOnly) == (1, 1))
        }
    }

    @Test func `A patient expected elsewhere at that time gets no second appointment, and the slot stays free`()
        async throws
    {
        try await Clinic.with { clinic in
            // Another practitioner's time, overlapping the first slot.
            let other = SlotID()
            let second = ProviderID()
            try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await tx.run(
                    """
                    insert into provider (id, account_id, location_id, zone, name)
                    values (\(second), \(AccountID()), \(clinic.location), 'UTC', 'Dr. Iyer')
                    """)
                try await tx.run(
                    """
                    insert into slot (id, provider_id, location_id, starts_at, ends_at, local_date)
                    values (\(other), \(second), \(clinic.location), '2026-11-20 09:05+00', '2026-11-20 09:20+00',
                            '2026-11-20')
                    """)
            }
            _ = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            await #expect(throws: AppointmentError.patientBusy) {
                _ = try await clinic.book(other, for: clinic.patients[0])
            }
            let kept = try await clinic.status(of: other)
            #expect(kept == .free)
            _ = try await clinic.book(other, for: clinic.patients[1])
        }
    }

    @Test func `Who is unknown or whose record is closed is not booked, and the slot stays free`() async throws {
        try await Clinic.with { clinic in
            await #expect(throws: AppointmentError.patientUnknown) {
                _ = try await clinic.book(clinic.slots[0], for: PatientID())
            }
            try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await CardStore(sql: tx).remember(clinic.patients[3], active: false)
                // An event that comes late does not reopen the record.
                try await CardStore(sql: tx).remember([clinic.patients[3]])
            }
            await #expect(throws: AppointmentError.patientInactive) {
                _ = try await clinic.book(clinic.slots[0], for: clinic.patients[3])
            }
            let kept = try await clinic.status(of: clinic.slots[0])
            #expect(kept == .free)
        }
    }

    @Test func `Another tenant's slot does not exist`() async throws {
        try await Clinic.with { clinic in
            let stranger = clinic.test.db.reader(for: TenantID())
            let found = try await SlotStore(sql: stranger).find(clinic.slots[0])
            #expect(found == nil)
            let listed = try await SlotStore(sql: stranger).list(.init(now: clinic.opened), after: nil, limit: 10)
            #expect(listed.isEmpty)
        }
    }

    @Test func `Two appointments that change places at once never wait in a circle`() async throws {
        try await Clinic.with { clinic in
            let a = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            let b = try await clinic.book(clinic.slots[1], for: clinic.patients[1])
            let targets = [(a.id, clinic.slots[1]), (b.id, clinic.slots[0])]
            for _ in 0..<10 {
                let results = await atOnce(2) { index in
                    try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                        let store = AppointmentStore(sql: tx, scope: .system(clinic.test.tenant))
                        var appointment = try #require(try await store.findForUpdate(targets[index].0))
                        let slots = try await SlotStore(sql: tx).lock([appointment.slot, targets[index].1])
                        let target = try #require(slots.first { $0.id == targets[index].1 })
                        _ = try appointment.move(to: target, at: clinic.opened)
                    }
                }
                for case .failure(let error) in results { #expect(error as? AppointmentError == .slotTaken) }
            }
        }
    }

    @Test func `A cancelled appointment gives its slot to the next`() async throws {
        try await Clinic.with { clinic in
            var appointment = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            _ = try appointment.cancel(because: nil, by: "reception")
            let cancelled = appointment
            try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await AppointmentStore(sql: tx, scope: .system(clinic.test.tenant)).update(cancelled)
                try await SlotStore(sql: tx).release(cancelled.slot)
            }
            _ = try await clinic.book(clinic.slots[0], for: clinic.patients[1])
        }
    }

    @Test func `Nobody came: what ended before the deadline is a no-show, and nothing else`() async throws {
        try await Clinic.with { clinic in
            let missed = try await clinic.book(clinic.slots[0], for: clinic.patients[0])
            _ = try await clinic.book(clinic.slots[1], for: clinic.patients[1])
            let swept = try await clinic.test.db.transaction(for: clinic.test.tenant) { tx in
                try await AppointmentStore(sql: tx, scope: .system(clinic.test.tenant)).sweepNoShows(
                    endedBefore: missed.end.adding(seconds: 1), limit: 10)
            }
            #expect(swept == [missed.id])
        }
    }
}
