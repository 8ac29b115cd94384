#pragma once
/* The part of cairo and pango that draws our pages, declared as their headers have had it since cairo 1.2 and pango 1.10.

   They are loaded when the first page is drawn and not linked: with the thirty libraries behind them they would cost every
   clinical process 4 MiB and some milliseconds of its start, for pages that few processes draw. */

/* 1 when they are there. Before it has said so, nothing below may be called. */
int polyclinic_load_pango(void);

typedef struct _cairo cairo_t;
typedef struct _cairo_surface cairo_surface_t;
typedef struct _PangoLayout PangoLayout;
typedef struct _PangoFontDescription PangoFontDescription;

typedef enum { CAIRO_STATUS_SUCCESS = 0, CAIRO_STATUS_WRITE_ERROR = 11 } cairo_status_t;
typedef enum { PANGO_WRAP_WORD_CHAR = 2 } PangoWrapMode;
typedef cairo_status_t (*cairo_write_func_t)(void *closure, const unsigned char *data, unsigned int length);
#define PANGO_SCALE 1024

cairo_surface_t *cairo_pdf_surface_create_for_stream(cairo_write_func_t write, void *closure, double width, double height);
void cairo_surface_finish(cairo_surface_t *surface);
cairo_status_t cairo_surface_status(cairo_surface_t *surface);
void cairo_surface_destroy(cairo_surface_t *surface);
cairo_t *cairo_create(cairo_surface_t *surface);
void cairo_destroy(cairo_t *context);
void cairo_show_page(cairo_t *context);
void cairo_set_line_width(cairo_t *context, double width);
void cairo_move_to(cairo_t *context, double x, double y);
void cairo_line_to(cairo_t *context, double x, double y);
void cairo_stroke(cairo_t *context);

PangoLayout *pango_cairo_create_layout(cairo_t *context);
void pango_cairo_show_layout(cairo_t *context, PangoLayout *layout);
void pango_layout_set_font_description(PangoLayout *layout, const PangoFontDescription *font);
void pango_layout_set_width(PangoLayout *layout, int width);
void pango_layout_set_wrap(PangoLayout *layout, PangoWrapMode wrap);
void pango_layout_set_text(PangoLayout *layout, const char *text, int length);
void pango_layout_get_pixel_size(PangoLayout *layout, int *width, int *height);
PangoFontDescription *pango_font_description_from_string(const char *words);
void pango_font_description_free(PangoFontDescription *font);
void g_object_unref(void *object);
