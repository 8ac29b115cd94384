import Glibc
import Loop
import TestSupport
import Testing

@testable import Bootstrap

@Suite struct SpareMemoryTests {
    @Test func `What a burst needed goes back to the system, also from between what is still in use`() async throws {
        // glibc's own names: a sanitizer's malloc gives back nothing.
        let allocate = try #require(dlsym(nil, "__libc_malloc")), free = try #require(dlsym(nil, "__libc_free"))
        let malloc = unsafeBitCast(allocate, to: (@convention(c) (Int) -> UnsafeMutableRawPointer?).self)
        let release = unsafeBitCast(free, to: (@convention(c) (UnsafeMutableRawPointer?) -> Void).self)
        let blocks = 400_000, size = 1_000
        var pinned: [UnsafeMutableRawPointer] = [], spare: [UnsafeMutableRawPointer] = []
        for number in 0..<blocks {
            let block = try #require(malloc(size))
            memset(block, 1, size)
            if number % 1_000 == 999 { pinned.append(block) } else { spare.append(block) }
        }
        let most = residentMiB()
        for block in spare { release(block) }
        defer { for block in pinned { release(block) } }

        try await onLoop {
            let giving = EventLoop.spawn { try await SpareMemory.giveBack(every: .milliseconds(10)) }
            defer { giving.cancel() }
            let deadline = ContinuousClock.now + .seconds(20)
            // Half of what was freed: other tests need memory meanwhile.
            while residentMiB() > most - blocks * size / 1_048_576 / 2 {
                try #require(ContinuousClock.now < deadline, "still \(residentMiB()) of \(most) MiB")
                await Task.yield()
            }
        }
    }
}

private func residentMiB() -> Int {
    let fields = String(decoding: readFile("/proc/self/statm", limit: 100) ?? [], as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) / 1_048_576 : 0
}
