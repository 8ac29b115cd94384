import CPango

/// Writes lines of text down A5 pages as a PDF in memory, by cairo and pango: shaping and fonts for every script.
///
/// The C objects live and end here. It blocks and burns, so it runs on the blocking pool.
struct PDFPage: ~Copyable {
    enum Style: String {
        case title = "Noto Sans Bold 15"
        case strong = "Noto Sans Bold 10"
        case body = "Noto Sans 10"
        case small = "Noto Sans 8"
    }

    enum Failure: Error {
        case noPango
        case cairo(UInt32)
    }

    // Points: 148 × 210 mm.
    private static let width = 419.53
    private static let height = 595.28
    private static let margin = 34.0

    private let sink: Sink
    private let surface: OpaquePointer
    private let context: OpaquePointer
    private var y = PDFPage.margin
    private var isFinished = false

    /// What cairo writes to; its address is handed to C, so it is a class.
    private final class Sink {
        var bytes: [UInt8] = []
    }

    init() throws {
        guard polyclinic_load_pango() == 1 else { throw Failure.noPango }
        let sink = Sink()
        // Unretained: the sink lives as long as this page, and the surface ends before it.
        let surface = cairo_pdf_surface_create_for_stream(
            { closure, data, count in
                guard let closure, let data else { return CAIRO_STATUS_WRITE_ERROR }
                let sink = Unmanaged<Sink>.fromOpaque(closure).takeUnretainedValue()
                sink.bytes.append(contentsOf: UnsafeBufferPointer(start: data, count: Int(count)))
                return CAIRO_STATUS_SUCCESS
            }, Unmanaged.passUnretained(sink).toOpaque(), PDFPage.width, PDFPage.height)
        guard let surface, let context = cairo_create(surface) else { throw Failure.cairo(1) }
        self.sink = sink
        self.surface = surface
        self.context = context
    }

    deinit {
        cairo_destroy(context)
        if !isFinished { cairo_surface_finish(surface) }
        cairo_surface_destroy(surface)
    }

    /// One paragraph. `keepWithNext` lines more must fit below it, so that a heading never ends a page.
    mutating func text(_ text: String, _ style: Style, indent: Double = 0, keepWithNext lines: Int = 0) {
        guard let layout = pango_cairo_create_layout(context) else { return }
        defer { g_object_unref(UnsafeMutableRawPointer(layout)) }
        let font = pango_font_description_from_string(style.rawValue)
        defer { pango_font_description_free(font) }
        pango_layout_set_font_description(layout, font)
        pango_layout_set_width(layout, Int32((PDFPage.width - 2 * PDFPage.margin - indent) * Double(PANGO_SCALE)))
        pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
        pango_layout_set_text(layout, text, -1)
        var wide: Int32 = 0
        var high: Int32 = 0
        pango_layout_get_pixel_size(layout, &wide, &high)
        let needed = Double(high) + Double(lines) * 14
        if y + needed > PDFPage.height - PDFPage.margin && y > PDFPage.margin {
            cairo_show_page(context)
            y = PDFPage.margin
        }
        cairo_move_to(context, PDFPage.margin + indent, y)
        pango_cairo_show_layout(context, layout)
        y += Double(high) + 2
    }

    mutating func rule() {
        y += 4
        cairo_set_line_width(context, 0.5)
        cairo_move_to(context, PDFPage.margin, y)
        cairo_line_to(context, PDFPage.width - PDFPage.margin, y)
        cairo_stroke(context)
        y += 6
    }

    mutating func space(_ points: Double) { y += points }

    mutating func finish() throws -> [UInt8] {
        cairo_surface_finish(surface)
        isFinished = true
        let status = cairo_surface_status(surface)
        guard status == CAIRO_STATUS_SUCCESS else { throw Failure.cairo(status.rawValue) }
        return sink.bytes
    }
}
