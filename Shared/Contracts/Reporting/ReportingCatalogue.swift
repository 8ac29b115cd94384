import Primitives

extension Catalogue {
    /// What reporting announces, with a sample of each.
    static let reporting: [CatalogueEntry] = [
        CatalogueEntry(
            "A tenant's audit chain had come this far, signed: whoever keeps it can prove what was cut off or written anew.",
            AuditCheckpointed(
                tenantID: Sample.id(1), size: 1_024, head: "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
                at: Sample.time(1), keyID: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", signature: "c2lnbmF0dXJl"))
    ]
}
