// swift-tools-version: 6.2
import PackageDescription

// This file is the architecture diagram: the last block says who may import whom.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),  // SE-0335
    .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
    .treatAllWarnings(as: .error),
]

let package = Package(name: "polyclinic")

/// A Debian library, two files: module.modulemap and shim.h.
func c(_ name: String, apt: String, pkgConfig: String? = nil) -> [Target] {
    [.systemLibrary(name: name, path: "Shared/C/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])]
}

/// Code that services call. It never calls back, except through a value the service handed it.
func shared(
    _ name: String, uses: Target.Dependency..., embeds resources: [Resource] = [], tested: Bool = true
) -> [Target] {
    let target = Target.target(
        name: name, dependencies: uses, path: "Shared/\(name)", resources: resources,
        swiftSettings: strict)
    guard tested else { return [target] }
    return [
        target,
        .testTarget(
            name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"],
            path: "Tests/Shared/\(name)", swiftSettings: strict),
    ]
}

/// A service: one executable, its migrations, its tests. Services never depend on each other.
func service(_ name: String, uses extra: Target.Dependency...) -> [Target] {
    [
        .executableTarget(
            name: name,
            dependencies: [
                "Primitives", "JSON", "Loop", "HTTP", "Access", "Postgres", "Messaging", "Contracts",
                "Bootstrap",
            ] + extra,
            path: "Services/\(name)", exclude: ["README.md", "schema.sql"],
            resources: [.embedInCode("Migrations")], swiftSettings: strict),
        .testTarget(
            name: "\(name)Tests",
            dependencies: [.byName(name: name), "TestSupport"],
            path: "Tests/\(name)", swiftSettings: strict),
    ]
}

package.targets += c("CLibpq", apt: "libpq-dev", pkgConfig: "libpq")
package.targets += c("CHiredis", apt: "libhiredis-dev")  // its .pc carries flags SwiftPM refuses
package.targets += c("CRabbitMQ", apt: "librabbitmq-dev")
package.targets += c("CWslay", apt: "libwslay-dev")
package.targets += c("CSodium", apt: "libsodium-dev")
package.targets += c("COpenSSL", apt: "libssl-dev")
package.targets += c("CCurl", apt: "libcurl4-openssl-dev")
package.targets += c("CZlib", apt: "zlib1g-dev")
package.targets += [.target(name: "CLinux", path: "Shared/C/CLinux")]
package.targets += [.target(name: "CPango", path: "Shared/C/CPango")]  // loads libpangocairo-1.0-0 when it is needed

package.targets += shared("Primitives")
package.targets += shared("JSON", uses: "Primitives")
package.targets += shared("Loop", uses: "CLinux")
package.targets += shared("Cryptography", uses: "COpenSSL", "CSodium", "Loop")
package.targets += shared("Postgres", uses: "CLibpq", "CLinux", "Primitives", "Loop")
package.targets += shared("Redis", uses: "CHiredis", "CLinux", "Loop")
package.targets += shared("AMQP", uses: "CRabbitMQ", "CLinux", "Loop")
package.targets += shared("HTTP", uses: "CWslay", "CLinux", "COpenSSL", "Primitives", "JSON", "Loop")
package.targets += shared("HTTPClient", uses: "CCurl", "CLinux", "Primitives", "JSON", "Loop")
package.targets += shared("Access", uses: "HTTP", "Cryptography", "Primitives", "JSON", "Loop")
package.targets += shared(
    "Messaging", uses: "Postgres", "AMQP", "Primitives", "JSON", "Loop",
    embeds: [.embedInCode("Migrations")])
package.targets += shared("Contracts", uses: "Primitives", "JSON", "Messaging")
package.targets += shared(
    "Bootstrap", uses: "Access", "Messaging", "Contracts", "Redis", "HTTPClient", "HTTP", "Postgres", "AMQP",
    "Cryptography", "Primitives", "JSON", "Loop")
package.targets += [
    .target(
        name: "TestSupport", dependencies: ["Primitives", "JSON", "Loop", "Postgres", "Redis", "AMQP", "HTTP", "Access", "Messaging", "Cryptography", "Bootstrap"],
        path: "Tests/Support", swiftSettings: strict)
]
package.targets += [
    .executableTarget(
        name: "HTTPParserProbe", dependencies: ["HTTP", "JSON"], path: "Tests/Differential/HTTPParserProbe",
        swiftSettings: strict)
]

/// Pure decisions of several modules under seeded schedules: Tests/Simulation/README.md.
package.targets += [
    .testTarget(
        name: "SimulationTests",
        dependencies: ["AMQP", "Postgres", "Messaging", "Contracts", "Primitives", "Queue", "Clinical", "Billing", "Pharmacy", "Scheduling"],
        path: "Tests/Simulation", exclude: ["README.md"], swiftSettings: strict)
]

package.targets += service("Auth", uses: "Cryptography", "HTTPClient")
package.targets += service("Scheduling", uses: "Cryptography")
package.targets += service("Queue", uses: "Redis")
package.targets += service("Clinical", uses: "Cryptography", "CPango", "CZlib")
package.targets += service("Pharmacy")
package.targets += service("Billing")
package.targets += service("Notifications", uses: "Redis")
package.targets += service("Reporting")
package.targets += service("Portal", uses: "HTTPClient")

package.products = [
    "Auth", "Scheduling", "Queue", "Clinical", "Pharmacy", "Billing", "Notifications", "Reporting", "Portal",
].map { .executable(name: $0.lowercased(), targets: [$0]) }
