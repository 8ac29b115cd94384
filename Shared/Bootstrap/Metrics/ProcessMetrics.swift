import Glibc

/// What the kernel says of this process, under the names every Prometheus dashboard knows.
enum ProcessMetrics {
    static func write(to page: inout Exposition) {
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            let seconds = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1_000_000 }
            page.add("process_cpu_seconds_total", .counter, "User and system CPU time.", seconds.reduce(0, +))
        }
        if let pages = fields(of: "/proc/self/statm").dropFirst().first.flatMap({ Double($0) }) {
            page.add(
                "process_resident_memory_bytes", .gauge, "Resident memory.",
                pages * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        if let start {
            page.add("process_start_time_seconds", .gauge, "Start of the process since the Unix epoch.", start)
        }
        if let descriptors = openDescriptors() {
            page.add("process_open_fds", .gauge, "Open file descriptors.", Double(descriptors))
        }
    }

    private static let start: Double? = {
        // The 22nd field is the start in clock ticks after boot. The name may hold spaces, so count behind it.
        guard let stat = readFile("/proc/self/stat", limit: 4096).map({ String(decoding: $0, as: UTF8.self) }),
            let name = stat.lastIndex(of: ")"),
            let ticks = stat[name...].split(separator: " ").dropFirst(20).first.flatMap({ Double($0) }),
            let boot = readFile("/proc/stat", limit: 1 << 20).map({ String(decoding: $0, as: UTF8.self) })?
                .split(separator: "\n").first(where: { $0.hasPrefix("btime ") })?.dropFirst(6),
            let booted = Double(boot)
        else { return nil }
        return booted + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }()

    private static func fields(of path: String) -> [Substring] {
        guard let bytes = readFile(path, limit: 4096) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: " ")
    }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return count - 3  // itself, `.` and `..`
    }
}
