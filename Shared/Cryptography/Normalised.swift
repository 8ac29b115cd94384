@_spi(_Unicode) import Swift

extension String {
    /// In normalisation form C (UAX 15), so that one password is one password whatever keyboard typed it.
    ///
    /// The standard library has the tables, without Foundation and without another C library, under an underscored
    /// name; a toolchain that renames it fails to compile here and nowhere else.
    package var composed: String {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: _nfc)
        return String(scalars)
    }
}
