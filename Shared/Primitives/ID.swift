import Glibc

/// The identifier of one `Kind`: a UUID that cannot be handed over where another kind is meant.
///
/// New ones are UUIDv7 (RFC 9562), so they sort by the time they were made and keep indexes dense.
package struct ID<Kind>: Hashable, Comparable, Sendable, LosslessStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A fresh UUIDv7.
    package init() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let ms = UInt64(bitPattern: Int64(time.tv_sec)) &* 1000 &+ UInt64(bitPattern: Int64(time.tv_nsec / 1_000_000))
        var generator = SystemRandomNumberGenerator()
        let random = generator.next()
        high = ms << 16 | 0x7000 | (random & 0x0fff)
        low = (generator.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
    }

    /// Reads the canonical 36-character form, in either case. Anything else is nil.
    package init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Self.parse(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    package static func parse(_ bytes: UnsafeRawBufferPointer) -> Self? {
        guard bytes.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for index in 0..<36 {
            let byte = bytes[index]
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard byte == 0x2d else { return nil }
                continue
            }
            let value: UInt64
            switch byte {
            case 0x30...0x39: value = UInt64(byte - 0x30)
            case 0x61...0x66: value = UInt64(byte - 0x57)
            case 0x41...0x46: value = UInt64(byte - 0x37)
            default: return nil
            }
            if digits < 16 { words.0 = words.0 << 4 | value } else { words.1 = words.1 << 4 | value }
            digits += 1
        }
        return Self(high: words.0, low: words.1)
    }

    package var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            write(to: buffer)
            return 36
        }
    }

    /// Writes the 36 canonical bytes to `buffer`, which must hold at least 36.
    package func write(to buffer: UnsafeMutableBufferPointer<UInt8>) {
        let hex: StaticString = "0123456789abcdef"
        var position = 0
        for index in 0..<32 {
            if index == 8 || index == 12 || index == 16 || index == 20 {
                buffer[position] = 0x2d
                position += 1
            }
            let word = index < 16 ? high : low
            let shift = UInt64((15 - index % 16) * 4)
            buffer[position] = hex.utf8Start[Int(word >> shift & 0xf)]
            position += 1
        }
    }

    /// The same UUID as the identifier of another kind. Say why where you use it.
    package func `as`<Other>(_: Other.Type) -> ID<Other> { ID<Other>(high: high, low: low) }

    package static func < (a: Self, b: Self) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }
}

/// The nouns that more than one service speaks of. They carry nothing: they only tell identifiers apart.
package enum Tenant {}
package enum Location {}
package enum Account {}
package enum Provider {}
package enum PatientKind {}
package enum SlotKind {}
package enum AppointmentKind {}
package enum TokenKind {}
package enum VisitKind {}
package enum PrescriptionKind {}
package enum PrescriptionItemKind {}
package enum MedicineKind {}
package enum BatchKind {}
package enum MovementKind {}
package enum InvoiceKind {}
package enum PaymentKind {}
package enum DispensingKind {}
package enum EventKind {}
/// A signing-in and what was refreshed from it.
package enum SessionKind {}

package typealias TenantID = ID<Tenant>
package typealias LocationID = ID<Location>
package typealias AccountID = ID<Account>
package typealias ProviderID = ID<Provider>
package typealias PatientID = ID<PatientKind>
package typealias SlotID = ID<SlotKind>
package typealias AppointmentID = ID<AppointmentKind>
package typealias TokenID = ID<TokenKind>
package typealias VisitID = ID<VisitKind>
package typealias PrescriptionID = ID<PrescriptionKind>
package typealias PrescriptionItemID = ID<PrescriptionItemKind>
package typealias MedicineID = ID<MedicineKind>
package typealias BatchID = ID<BatchKind>
package typealias MovementID = ID<MovementKind>
package typealias InvoiceID = ID<InvoiceKind>
package typealias PaymentID = ID<PaymentKind>
package typealias DispensingID = ID<DispensingKind>
package typealias EventID = ID<EventKind>
package typealias SessionID = ID<SessionKind>
