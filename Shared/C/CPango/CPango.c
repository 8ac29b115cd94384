/* Hidden, or pango would find these where it looks for cairo's. */
#pragma GCC visibility push(hidden)
#include "CPango.h"
#pragma GCC visibility pop
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

/* Each function hands on to the one of the same name in the library; their types are those of the header. */
#define FUNCTIONS(GIVES, DOES) \
    GIVES(cairo_surface_t *, cairo_pdf_surface_create_for_stream, \
        (cairo_write_func_t write, void *closure, double width, double height), (write, closure, width, height)) \
    DOES(cairo_surface_finish, (cairo_surface_t * surface), (surface)) \
    GIVES(cairo_status_t, cairo_surface_status, (cairo_surface_t * surface), (surface)) \
    DOES(cairo_surface_destroy, (cairo_surface_t * surface), (surface)) \
    GIVES(cairo_t *, cairo_create, (cairo_surface_t * surface), (surface)) \
    DOES(cairo_destroy, (cairo_t * context), (context)) \
    DOES(cairo_show_page, (cairo_t * context), (context)) \
    DOES(cairo_set_line_width, (cairo_t * context, double width), (context, width)) \
    DOES(cairo_move_to, (cairo_t * context, double x, double y), (context, x, y)) \
    DOES(cairo_line_to, (cairo_t * context, double x, double y), (context, x, y)) \
    DOES(cairo_stroke, (cairo_t * context), (context)) \
    GIVES(PangoLayout *, pango_cairo_create_layout, (cairo_t * context), (context)) \
    DOES(pango_cairo_show_layout, (cairo_t * context, PangoLayout * layout), (context, layout)) \
    DOES(pango_layout_set_font_description, (PangoLayout * layout, const PangoFontDescription *font), (layout, font)) \
    DOES(pango_layout_set_width, (PangoLayout * layout, int width), (layout, width)) \
    DOES(pango_layout_set_wrap, (PangoLayout * layout, PangoWrapMode wrap), (layout, wrap)) \
    DOES(pango_layout_set_text, (PangoLayout * layout, const char *text, int length), (layout, text, length)) \
    DOES(pango_layout_get_pixel_size, (PangoLayout * layout, int *width, int *height), (layout, width, height)) \
    GIVES(PangoFontDescription *, pango_font_description_from_string, (const char *words), (words)) \
    DOES(pango_font_description_free, (PangoFontDescription * font), (font)) \
    DOES(g_object_unref, (void *object), (object))

#define GIVES(type, name, parameters, arguments) \
    static type(*loaded_##name) parameters; \
    type name parameters { return loaded_##name arguments; }
#define DOES(name, parameters, arguments) \
    static void(*loaded_##name) parameters; \
    void name parameters { loaded_##name arguments; }
FUNCTIONS(GIVES, DOES)
#undef GIVES
#undef DOES

static int is_loaded;

static void load(void) {
    /* A look-up by this handle sees cairo and gobject too, which it depends on. */
    void *library = dlopen("libpangocairo-1.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    int found = 1;
#define FIND(name) found &= (*(void **)&loaded_##name = dlsym(library, #name)) != NULL;
#define GIVES(type, name, parameters, arguments) FIND(name)
#define DOES(name, parameters, arguments) FIND(name)
    FUNCTIONS(GIVES, DOES)
    is_loaded = found;
}

int polyclinic_load_pango(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded;
}
